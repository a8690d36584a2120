"""What became of campaigns: who was reached, who was not and why, who answered, what it cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from broadcaster.campaigns.belonging import is_seen_by
from broadcaster.campaigns.models import Campaign
from broadcaster.campaigns.went_out import was_rehearsed
from broadcaster.delivery.progress import PAID
from broadcaster.delivery.states import State
from broadcaster.replies.models import Letter
from broadcaster.replies.router import OPT_OUT
from broadcaster.reports.counting import messages_of, parts_of
from broadcaster.reports.scope import Scope
from subscribers.actor import Actor, Right, needs

#: campaigns in one report, the newest first
MOST = 500

_FAILED = (State.FAILED, State.REJECTED, State.EXPIRED)


@dataclass(frozen=True, slots=True)
class CampaignReport:
    """One campaign in figures. Every recipient is in exactly one of the first six; a cost is of parts that left."""

    id: int
    title: str
    kind: str
    state: str
    #: nothing of it reached a phone, and its receipts are made up
    rehearsed: bool
    started_at: datetime | None
    closed_at: datetime | None
    recipients: int
    delivered: int
    failed: int
    no_receipt: int
    #: handed over without an answer
    unknown: int
    #: taken by the carrier, receipt still to come
    awaited: int
    #: waits to be handed over, or was stopped before
    not_sent: int
    #: reason, a sentence of the catalogue, -> how many; the most frequent first
    failures: Mapping[str, int]
    skipped: Mapping[str, int]
    parts: int
    replies: int
    #: recipients who answered it by refusing more
    opted_out: int
    cost: Decimal
    currency: str


@dataclass(slots=True)
class _Figures:
    states: Counter[State] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    parts: int = 0
    replies: int = 0
    opted_out: int = 0
    cost: Decimal = Decimal(0)


@needs(Right.SEE)
def campaigns(session: Session, actor: Actor, scope: Scope, *, campaign_id: int | None = None) -> list[CampaignReport]:
    """The campaigns that began in the span, the newest first; or one of them, if it has begun."""
    scope = scope.seen_by(actor)
    query = select(Campaign).where(
        Campaign.started_at.is_not(None), is_seen_by(actor), scope.spans(Campaign.started_at)
    )
    if campaign_id is not None:
        query = query.where(Campaign.id == campaign_id)
    found = session.scalars(query.order_by(Campaign.id.desc()).limit(MOST)).all()
    figures = {campaign.id: _Figures() for campaign in found}
    _count_messages(session, figures, scope)
    _count_parts(session, figures, scope, {campaign.id: campaign for campaign in found})
    letters = [Campaign.id.in_(figures), scope.holds(Letter.member_id)]
    _count_letters(session, figures, letters)
    _count_refusals(session, figures, letters)
    return [_report(campaign, figures[campaign.id]) for campaign in found]


def _count_messages(session: Session, figures: Mapping[int, _Figures], scope: Scope) -> None:
    for cell, n in messages_of(session, figures, scope).items():
        mine = figures[cell.campaign_id]
        mine.states[cell.state] += n
        if cell.state is State.SKIPPED:
            mine.skipped[cell.reason] += n
        elif cell.state in _FAILED:
            mine.failures[cell.reason] += n


def _count_parts(
    session: Session, figures: Mapping[int, _Figures], scope: Scope, campaigns: Mapping[int, Campaign]
) -> None:
    for cell, n in parts_of(session, figures, scope).items():
        if cell.state not in PAID:
            continue
        mine = figures[cell.campaign_id]
        price, _, _ = campaigns[cell.campaign_id].tariffs.get(cell.gateway, ("0", "", ""))
        mine.parts += n
        mine.cost += Decimal(price) * n


def _count_letters(session: Session, figures: Mapping[int, _Figures], within: Sequence[ColumnElement[bool]]) -> None:
    rows = session.execute(
        select(Campaign.id, func.count(Letter.id))
        .join(Letter, Letter.campaign_id == Campaign.id)
        .where(*within)
        .group_by(Campaign.id)
    )
    for campaign_id, n in rows:
        figures[campaign_id].replies = n


def _count_refusals(session: Session, figures: Mapping[int, _Figures], within: Sequence[ColumnElement[bool]]) -> None:
    rows = session.execute(
        select(Campaign.id, func.count(Letter.msisdn.distinct()))
        .join(Letter, Letter.campaign_id == Campaign.id)
        .where(*within, Letter.handled_as == OPT_OUT)
        .group_by(Campaign.id)
    )
    for campaign_id, n in rows:
        figures[campaign_id].opted_out = n


def _report(campaign: Campaign, figures: _Figures) -> CampaignReport:
    states = figures.states
    currencies = [currency for _, currency, _ in campaign.tariffs.values()]
    return CampaignReport(
        id=campaign.id,
        title=campaign.title,
        kind=campaign.kind,
        state=campaign.state,
        rehearsed=was_rehearsed(campaign),
        started_at=campaign.started_at,
        closed_at=campaign.closed_at,
        recipients=states.total() - states[State.SKIPPED],
        delivered=states[State.DELIVERED],
        failed=sum(states[state] for state in _FAILED),
        no_receipt=states[State.NO_RECEIPT],
        unknown=states[State.UNKNOWN],
        awaited=states[State.SUBMITTED] + states[State.IN_NETWORK],
        not_sent=sum(states[state] for state in (State.QUEUED, State.HELD, State.SUBMITTING, State.CANCELLED)),
        failures=dict(figures.failures.most_common()),
        skipped=dict(figures.skipped.most_common()),
        parts=figures.parts,
        replies=figures.replies,
        opted_out=figures.opted_out,
        cost=figures.cost,
        currency=currencies[0] if currencies else "CNY",
    )
