"""When a campaign starts, and that it starts once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import CursorResult, func, select, update
from sqlalchemy.orm import Session

from broadcaster.campaigns.audience import Route
from broadcaster.campaigns.belonging import refuse_foreign
from broadcaster.campaigns.check import Check, Way, check
from broadcaster.campaigns.compose import content_hash
from broadcaster.campaigns.findings import Finding, about_age
from broadcaster.campaigns.models import Campaign
from broadcaster.campaigns.profiles import frozen
from broadcaster.campaigns.rehearsals import as_confirmed, refuse_real
from broadcaster.campaigns.states import CampaignState, sources
from broadcaster.language import msgid
from broadcaster.words import campaign_state_word
from subscribers.actor import SYSTEM, Actor, Right, needs
from subscribers.audit import note
from subscribers.db import wake
from subscribers.errors import BroadsheetError, Conflict, Invalid
from subscribers.models import Member

#: the queue that writes audiences down
PREPARE = "prepare"

#: a scheduled campaign that could not be started for so long is missed, not sent stale
LATEST = timedelta(hours=4)


#: what can be started; one that was paused or has failed is resumed instead
STARTABLE = frozenset({CampaignState.DRAFT, CampaignState.APPROVED, CampaignState.SCHEDULED, CampaignState.MISSED})
#: stands still in the middle: by a person's hand, or by a fault
RESUMABLE = frozenset({CampaignState.PAUSED, CampaignState.FAILED})


def move(
    session: Session,
    campaign: Campaign,
    to: CampaignState,
    *,
    out_of: frozenset[CampaignState] | None = None,
    **values: object,
) -> None:
    """Move a campaign along its table, by compare-and-set: of two who try at once, one gets `Conflict`.

    `out_of`: only from these states, of all those that may become `to`.
    """
    allowed = sources(to) if out_of is None else sources(to) & out_of
    if CampaignState.SENDING in allowed:
        # a claim shares the row for as long as it takes: it is waited for, and what comes after it sees the new state
        session.execute(select(Campaign.id).where(Campaign.id == campaign.id).with_for_update())
    moved = session.execute(
        update(Campaign)
        .where(Campaign.id == campaign.id, Campaign.state.in_(allowed))
        .values(state=to, generation=Campaign.generation + 1, **values)
        .execution_options(synchronize_session=False)
    )
    session.refresh(campaign)
    if not isinstance(moved, CursorResult) or moved.rowcount != 1:
        resumes = out_of is None or out_of == RESUMABLE
        hint = (
            msgid("`broadsheet campaigns send {id}` starts it, with the number of people typed.")
            if resumes and campaign.state in STARTABLE
            else msgid("`broadsheet campaigns show {id}` tells how far it is.")
        )
        refusal = Finding(_why_not(campaign, to, resumes=resumes), True, hint=hint)
        raise Conflict(
            refusal.message,
            hint=refusal.hint,
            id=campaign.id,
            state=campaign_state_word(campaign.state),
            to=campaign_state_word(to),
        )


def _why_not(campaign: Campaign, to: CampaignState, *, resumes: bool) -> str:
    if campaign.state == to:
        return msgid("Campaign {id} is {state} already.")
    match to:
        case CampaignState.PAUSED:
            return msgid("Campaign {id} is {state}; it cannot be paused.")
        case CampaignState.CANCELLED | CampaignState.ABORTED:
            return msgid("Campaign {id} is {state}; it cannot be stopped.")
        case CampaignState.SCHEDULED:
            return msgid("Campaign {id} is {state}; it cannot be scheduled.")
        case CampaignState.PREPARING | CampaignState.SENDING if resumes:
            return msgid("Campaign {id} is {state}; it cannot be resumed.")
        case CampaignState.PREPARING:
            return msgid("Campaign {id} is {state}; it cannot be started.")
        case CampaignState.SENDING:
            return msgid("Campaign {id} is {state}; it cannot be sent again.")
    return msgid("Campaign {id} is {state}; it cannot become: {to}.")


@needs(Right.SEND)
def start(
    session: Session,
    actor: Actor,
    campaign: Campaign,
    confirmed: int,
    route: Route,
    ways: Mapping[str, Way],
    *,
    as_drafted: bool = False,
    zone: ZoneInfo,
    now: datetime,
) -> Check:
    """Send it now, if the typed number is the number of recipients. Returns what was checked.

    `as_drafted`: also if its edition or a segment was changed since. Raises `Conflict` when it was and nobody said so,
    when the number is another, when something stands against it, or when someone else has started it.
    """
    checked = rehearse(session, actor, campaign, confirmed, route, ways, as_drafted=as_drafted, zone=zone, now=now)
    _start(session, campaign, actor, route, ways, zone=zone, now=now)
    note(session, actor, "campaigns.send", f"campaign {campaign.id}", people=checked.recipients, now=now)
    return checked


@needs(Right.SEND)
def rehearse(
    session: Session,
    actor: Actor,
    campaign: Campaign,
    confirmed: int,
    route: Route,
    ways: Mapping[str, Way],
    *,
    as_drafted: bool = False,
    zone: ZoneInfo,
    now: datetime,
) -> Check:
    """Everything that `start` does before it starts; raises what it raises, and changes nothing."""
    refuse_foreign(actor, campaign)
    if campaign.state not in STARTABLE:
        move(session, campaign, CampaignState.PREPARING, out_of=STARTABLE)  # says why not
    _refuse_stale(session, actor, campaign, as_drafted=as_drafted, zone=zone, now=now)
    checked = check(session, actor, campaign, route, ways, zone=zone, now=now)
    refuse_blocked(checked)
    if confirmed != checked.recipients:
        raise Conflict(
            "The number is not right: the recipients are {recipients}, you typed {typed}. Nothing was sent.",
            hint="Look at `broadsheet campaigns check {id}` and type the number again.",
            recipients=checked.recipients,
            typed=confirmed,
            id=campaign.id,
        )
    return checked


@needs(Right.SEND)
def schedule(
    session: Session,
    actor: Actor,
    campaign: Campaign,
    at: datetime | None,
    route: Route,
    ways: Mapping[str, Way],
    *,
    as_drafted: bool = False,
    zone: ZoneInfo,
    now: datetime,
) -> datetime:
    """Start it by itself at an instant to come: this one, or the one it was drafted for. Returns the instant.

    What it says then is what it says now; and if nothing reached a phone now, nothing does then. `as_drafted`: see
    `start`.
    """
    refuse_foreign(actor, campaign)
    _refuse_stale(session, actor, campaign, as_drafted=as_drafted, zone=zone, now=now)
    at = at or campaign.scheduled_for
    if at is None:
        raise Invalid("Nobody has said when.", hint='Write --at "2026-11-25 10:00", in the paper\'s own time.')
    refuse_past(at, now=now)
    rehearsed = as_confirmed(route.gateways, ways)
    move(session, campaign, CampaignState.SCHEDULED, scheduled_for=at, started_by=actor.name, rehearsed=rehearsed)
    # how many it reaches is known, and written down, when it starts
    note(session, actor, "campaigns.schedule", f"campaign {campaign.id}", people=0, now=now, at=at.isoformat())
    return at


def _refuse_stale(
    session: Session, actor: Actor, campaign: Campaign, *, as_drafted: bool, zone: ZoneInfo, now: datetime
) -> None:
    for finding in () if as_drafted else about_age(session, actor, campaign, zone=zone, now=now):
        raise Conflict(finding.message, hint=finding.typed, **finding.fields)


def refuse_past(at: datetime, *, now: datetime, zone: ZoneInfo | None = None) -> None:
    """Raise `Invalid` for an instant that has passed, told in this zone."""
    if at <= now:
        local = at.astimezone(zone) if zone else at
        raise Invalid("{time} has passed.", hint="Choose a later time.", time=f"{local:%Y-%m-%d %H:%M}")


def claim_due(session: Session, *, now: datetime) -> list[Campaign]:
    """The scheduled campaigns whose time has come, locked until the commit: two schedulers never get the same one."""
    return list(
        session.scalars(
            select(Campaign)
            .where(Campaign.state == CampaignState.SCHEDULED, Campaign.scheduled_for <= now)
            .order_by(Campaign.scheduled_for)
            .limit(50)
            .with_for_update(skip_locked=True)
        )
    )


def start_due(
    session: Session, campaign: Campaign, route: Route, ways: Mapping[str, Way], *, zone: ZoneInfo, now: datetime
) -> None:
    """Start a claimed campaign. Blocked by its check, it is marked `cancelled`, with the reason.

    Too late, or scheduled as a rehearsal where it would go out now, it is `missed`.
    """
    if campaign.scheduled_for is not None and now - campaign.scheduled_for > LATEST:
        move(session, campaign, CampaignState.MISSED, note=msgid("Nothing could start it at its time."))
        return
    try:
        refuse_real(campaign, route.gateways, ways)
    except Conflict as rehearsed:
        # its words and its people are as good as before: whoever confirms it sends it
        move(session, campaign, CampaignState.MISSED, note=rehearsed.message, note_fields=dict(rehearsed.fields))
        return
    try:
        checked = check(session, SYSTEM, campaign, route, ways, zone=zone, now=now)
    except BroadsheetError as error:
        # a list that is gone, for example: it must not keep the next ones from starting
        fields = {name: str(value) for name, value in error.fields.items()}
        move(session, campaign, CampaignState.CANCELLED, note=error.message, note_fields=fields)
        return
    if checked.blocking:
        first = checked.blocking[0]
        move(session, campaign, CampaignState.CANCELLED, note=first.message, note_fields=dict(first.fields))
        return
    _start(session, campaign, SYSTEM, route, ways, zone=zone, now=now)
    thing, by = f"campaign {campaign.id}", campaign.started_by
    # where it was made: who may read its deeds shall find that it was started
    of_its_place = replace(SYSTEM, under=campaign.under)
    note(session, of_its_place, "campaigns.send", thing, people=checked.recipients, now=now, scheduled_by=by)


def refuse_blocked(checked: Check) -> None:
    """Raise `Conflict` with what stands against sending, if anything does."""
    for finding in checked.blocking:
        if finding.typed:
            raise Conflict(finding.message, hint=finding.typed, **finding.fields)
        raise Conflict(finding.message, hint=finding.hint, **finding.fields)


def _start(
    session: Session,
    campaign: Campaign,
    actor: Actor,
    route: Route,
    ways: Mapping[str, Way],
    *,
    zone: ZoneInfo,
    now: datetime,
) -> None:
    tariffs = {
        name: [str(ways[name].price), ways[name].currency, ways[name].capabilities.bill] for name in route.gateways
    }
    dresses = [frozen(campaign, name, ways[name].capabilities, ways[name].profile) for name in sorted(route.gateways)]
    move(
        session,
        campaign,
        CampaignState.PREPARING,
        out_of=STARTABLE,
        started_at=now,
        started_by=campaign.started_by or actor.name,
        audience_on=now.astimezone(zone).date(),
        audience_up_to=select(func.max(Member.id)).scalar_subquery(),
        tariffs=tariffs,
        rehearsed=as_confirmed(route.gateways, ways),
        content_hash=content_hash(campaign, dresses),
        note="",
        note_fields={},
    )
    campaign.dresses = dresses
    session.flush()
    wake(session, PREPARE, [campaign.id])
