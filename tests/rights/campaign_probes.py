"""Editions, campaigns, what runs, letters, reports."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.campaigns import check, compose, counts, findings, profile_changes, schedule
from broadcaster.campaigns.compose import Text
from broadcaster.campaigns.dress import Dress
from broadcaster.campaigns.profiles import Tariff
from broadcaster.campaigns.went_out import gone_out
from broadcaster.delivery import again, control, trial
from broadcaster.delivery.models import Message
from broadcaster.delivery.pieces import Sender
from broadcaster.gateways.contract import Capabilities
from broadcaster.newspaper import editions
from broadcaster.replies import doubts, inbox
from broadcaster.replies.answer import Desk
from broadcaster.reports import campaign, cost, overview, recipients, replies, trace
from broadcaster.reports.scope import Scope
from broadcaster.sms import split
from tests.delivery.ledger import ROUTE, WAYS, ZONE
from tests.factories import NOW
from tests.rights.probe import Probe
from tests.rights.world import TODAY, Side

DRESS = Dress("【晨晖】", "拒收回复R")
DESK = Desk(
    paper="晨晖", signature="【晨晖】", opt_out="R", language="zh", gateways={"carrier": Capabilities(inbound=True)}
)
PRICES = {"carrier": [Tariff(TODAY, Decimal("0.05"), "CNY")]}


def _asked(session: Session, side: Side) -> None:
    counts.ask(session, side.chief, side.edition, now=NOW)


def _went_out(session: Session, side: Side) -> None:
    sent = side.campaign(session, "sent")
    sent.edition_id, sent.started_at = editions.get(session, side.chief, side.edition).id, NOW


def _reader(session: Session, side: Side) -> int:
    """Somebody whom its campaign went to."""
    return session.scalars(select(Message.member_id).where(Message.campaign_id == side.campaigns["sent"])).first() or 0


_C, _D, _R = "broadcaster.campaigns.", "broadcaster.delivery.", "broadcaster.reports."
PROBES = {
    _C + "check.check": Probe(
        lambda s, a, side: check.check(s, a, side.campaign(s, "draft"), ROUTE, WAYS, zone=ZONE, now=NOW), shows=True
    ),
    _C + "findings.about_age": Probe(
        lambda s, a, side: findings.about_age(s, a, side.campaign(s, "draft"), zone=ZONE, now=NOW)
    ),
    _C + "findings.about_repeats": Probe(
        lambda s, a, side: findings.about_repeats(s, a, side.campaign(s, "draft"), zone=ZONE)
    ),
    _C + "went_out.gone_out": Probe(
        lambda s, a, side: [side.mark for _ in gone_out(s, a, [side.edition])], ready=_went_out, shows=True
    ),
    _C + "compose.get": Probe(lambda s, a, side: compose.get(s, a, side.campaigns["draft"]), shows=True),
    _C + "compose.listing": Probe(lambda s, a, side: compose.listing(s, a), shows=True),
    _C + "compose.create_draft": Probe(
        lambda s, a, side: compose.create_draft(
            s,
            a,
            [Text("everyone", "everyone", "您好")],
            title="-",
            rule="everyone",
            dress=DRESS,
            now=NOW,
        ),
        makes=True,
        blind="a draft is of the actor's own part of the tree, and so is its audience",
    ),
    _C + "compose.draft_notice": Probe(
        lambda s, a, side: compose.draft_notice(s, a, "您好", rule="everyone", dress=DRESS, now=NOW),
        makes=True,
        blind="a draft is of the actor's own part of the tree, and so is its audience",
    ),
    _C + "compose.draft_from_template": Probe(
        lambda s, a, side: compose.draft_from_template(
            s, a, "notice", {"text": "开会"}, language="zh", rule="everyone", dress=DRESS, now=NOW
        ),
        makes=True,
        blind="a draft is of the actor's own part of the tree, and so is its audience",
    ),
    _C + "compose.draft_edition": Probe(
        lambda s, a, side: compose.draft_edition(s, a, side.edition, paper="晨晖", language="zh", dress=DRESS, now=NOW),
        shows=True,
    ),
    _C + "counts.ask": Probe(lambda s, a, side: counts.ask(s, a, side.edition, now=NOW)),
    _C + "counts.cancel": Probe(lambda s, a, side: counts.cancel(s, a, side.edition), ready=_asked),
    _C + "counts.find": Probe(lambda s, a, side: counts.find(s, a, side.edition), ready=_asked, shows=True),
    _C + "compose.edition_unsaved": Probe(
        lambda s, a, side: compose.edition_unsaved(
            s, a, side.edition, rule="everyone", paper="晨晖", language="zh", dress=DRESS, now=NOW
        ),
        shows=True,
    ),
    _C + "schedule.rehearse": Probe(
        lambda s, a, side: schedule.rehearse(
            s, a, side.campaign(s, "draft"), _readers(s, side), ROUTE, WAYS, zone=ZONE, now=NOW
        )
    ),
    _C + "schedule.start": Probe(
        lambda s, a, side: schedule.start(
            s, a, side.campaign(s, "draft"), _readers(s, side), ROUTE, WAYS, zone=ZONE, now=NOW
        )
    ),
    _C + "schedule.schedule": Probe(
        lambda s, a, side: schedule.schedule(
            s, a, side.campaign(s, "draft"), NOW + timedelta(days=1), ROUTE, WAYS, zone=ZONE, now=NOW
        )
    ),
    _C + "profile_changes.write": Probe(
        lambda s, a, side: profile_changes.write(s, a, "carrier", {"price": "0.05"}, TODAY, now=NOW),
        makes=True,
        blind="a gateway is of no part of the tree: nobody below the top has the right",
    ),
    _C + "profile_changes.undo": Probe(
        lambda s, a, side: profile_changes.undo(s, a, "carrier", now=NOW),
        blind="a gateway is of no part of the tree: nobody below the top has the right",
    ),
    _C + "profile_changes.history": Probe(
        lambda s, a, side: profile_changes.history(s, a, "carrier"),
        blind="a gateway is of no part of the tree: nobody below the top has the right",
    ),
    _D + "trial.queue": Probe(
        lambda s, a, side: trial.queue(
            s, a, Sender("carrier", "1069", Capabilities(), rehearses=False), "+8619900099999", split("测试"), now=NOW
        ),
        makes=True,
        blind="it names a number that the operator typed, and no member",
    ),
    _D + "control.pause": Probe(lambda s, a, side: control.pause(s, a, side.campaign(s, "sending"), now=NOW)),
    _D + "control.resume": Probe(lambda s, a, side: control.resume(s, a, side.campaign(s, "paused"), WAYS, now=NOW)),
    _D + "control.abort": Probe(lambda s, a, side: control.abort(s, a, side.campaign(s, "sending"), now=NOW)),
    _D + "again.resend_failed": Probe(
        lambda s, a, side: again.resend_failed(s, a, side.campaign(s, "sent"), 1, WAYS, now=NOW)
    ),
    _D + "again.settle_as_sent": Probe(
        lambda s, a, side: again.settle_as_sent(s, a, side.campaign(s, "sent"), 1, now=NOW)
    ),
    _D + "again.settle_by_resending": Probe(
        lambda s, a, side: again.settle_by_resending(s, a, side.campaign(s, "sent"), 1, WAYS, now=NOW)
    ),
    "broadcaster.newspaper.editions.get": Probe(lambda s, a, side: editions.get(s, a, side.edition), shows=True),
    "broadcaster.newspaper.editions.listing": Probe(lambda s, a, side: editions.listing(s, a), shows=True),
    "broadcaster.newspaper.editions.import_edition": Probe(
        lambda s, a, side: editions.import_edition(s, a, _EDITION, now=NOW),
        makes=True,
        blind="an edition is of the actor's own part of the tree",
    ),
    "broadcaster.replies.inbox.listing": Probe(lambda s, a, side: inbox.listing(s, a), shows=True),
    "broadcaster.replies.inbox.reply": Probe(
        lambda s, a, side: inbox.reply(s, a, DESK, side.letter, "三点。", now=NOW)
    ),
    "broadcaster.replies.inbox.close": Probe(lambda s, a, side: inbox.close(s, a, side.letter)),
    "broadcaster.replies.doubts.listing": Probe(lambda s, a, side: doubts.listing(s, a), shows=True),
    "broadcaster.replies.doubts.settle_as_sent": Probe(
        lambda s, a, side: doubts.settle_as_sent(s, a, 1, only=[side.doubt], now=NOW)
    ),
    "broadcaster.replies.doubts.settle_by_resending": Probe(
        lambda s, a, side: doubts.settle_by_resending(s, a, 1, gateways=["carrier"], only=[side.doubt], now=NOW)
    ),
    _R + "campaign.campaigns": Probe(lambda s, a, side: campaign.campaigns(s, a, Scope(side.path)), shows=True),
    _R + "cost.costs": Probe(lambda s, a, side: cost.costs(s, a, Scope(side.path), PRICES, zone=ZONE)),
    _R + "replies.replies": Probe(lambda s, a, side: replies.replies(s, a, Scope(side.path)), shows=True),
    _R + "recipients.recipients": Probe(
        lambda s, a, side: list(recipients.recipients(s, a, side.campaign(s, "sent"))), shows=True
    ),
    _R + "trace.trace": Probe(
        lambda s, a, side: trace.trace(s, a, side.campaign(s, "sent"), _reader(s, side), now=NOW), shows=True
    ),
    _R + "overview.overview": Probe(lambda s, a, side: overview.overview(s, a), shows=True),
}

_EDITION = """
number = 99
date = 2026-11-23
title = "第99期"
variants = ["everyone"]
[[columns]]
name = "要闻"
[[columns.items]]
headline = "开会"
sms = "周五下午三点开会。"
"""


def _readers(session, side):
    """How many a campaign of this side goes to."""
    from subscribers.actor import SYSTEM

    return check.check(session, SYSTEM, side.campaign(session, "draft"), ROUTE, WAYS, zone=ZONE, now=NOW).recipients
