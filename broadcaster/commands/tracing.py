"""`broadsheet campaigns trace`: what became of one person's message, down to what the carrier said."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import RenderableType

from broadcaster.campaigns import compose
from broadcaster.campaigns.models import Campaign
from broadcaster.commands.house import opened
from broadcaster.commands.options import MOST, verb
from broadcaster.commands.output import answer, facts, table
from broadcaster.commands.steering import Id
from broadcaster.delivery.lots import STATE_OF
from broadcaster.delivery.states import State
from broadcaster.language import tr
from broadcaster.reports.trace import InDoubt, Piece, Trace, trace
from broadcaster.words import actor_word, happening_word, reason_word, state_word
from subscribers import audit
from subscribers.actor import Right
from subscribers.msisdn import mask

Member = Annotated[
    int, typer.Argument(max=MOST, metavar="MEMBER", help=tr("The member's number: `members find` shows it."))
]


def mount_tracing(app: typer.Typer) -> None:
    """Give the noun this verb."""
    verb(
        app,
        name="trace",
        about=tr("What became of one person's message: each part, when, what the carrier called it and told of it."),
        example="broadsheet campaigns trace 3 17\nbroadsheet campaigns trace 3 17 --full-numbers --json",
        needs=Right.SEE,
    )(trace_)


def trace_(
    campaign_id: Id,
    member_id: Member,
    full_numbers: Annotated[
        bool, typer.Option("--full-numbers", help=tr("Do not mask the number; also show receipts as they came."))
    ] = False,
) -> None:
    with opened() as house, house.showing(full_numbers=full_numbers) as tx:
        campaign = compose.get(tx.session, house.actor, campaign_id)
        found = trace(tx.session, house.actor, campaign, member_id, now=tx.now)
        if full_numbers:
            thing = f"campaign {campaign_id}"
            audit.seen_in_full(
                tx.session, house.actor, "campaigns.trace", thing, people=1, now=tx.now, member=member_id
            )
        told = _document(found, full_numbers=full_numbers)
        zone = house.settings.zone
        may_see_more = not full_numbers and Right.NUMBERS in house.actor.rights
        shown = _shown(campaign, member_id, found, told["msisdn"], zone, full_numbers=full_numbers)
        if may_see_more and any(part.receipts for part in found.parts):
            shown.append(tr("`--full-numbers` shows receipts as they came."))
        answer(told, *shown)


def _document(found: Trace, *, full_numbers: bool) -> dict[str, Any]:
    document = dataclasses.asdict(found)
    if not full_numbers:
        document["msisdn"] = mask(found.msisdn) if found.msisdn else ""
        for part in document["parts"]:
            for receipt in part["receipts"]:
                # the number is in it, in forms of the carrier's own
                del receipt["raw"]
    return document


def _shown(
    campaign: Campaign, member_id: int, found: Trace, number: str, zone: ZoneInfo, *, full_numbers: bool
) -> list[RenderableType]:
    """The same for people."""
    shown: list[RenderableType] = [
        facts(
            (tr("campaign"), f"{campaign.id} · {campaign.title}"),
            (tr("member"), f"{member_id} · {found.name or happening_word('forgotten')}"),
            (tr("number"), number),
            (tr("state"), state_word(found.state)),
            (tr("reason"), reason_word(found.reason)),
        )
    ]
    if not found.parts:
        shown.append(tr("No part of it was ever written."))
        return shown
    rows = [
        (_name(part), _second(when, zone), what)
        for part in found.parts
        for when, what in _told(part, zone, is_last=part.attempt == found.attempt, full_numbers=full_numbers)
    ]
    shown.append(table(tr("part"), tr("when"), tr("what happened"), rows=rows))
    if any(part.doubt and not part.doubt.settled_at for part in found.parts):
        told = tr(
            "Nobody knows whether what is in doubt arrived, and it is not sent again by itself. Receipts settle most "
            "of it; what is left, a person settles: `broadsheet campaigns settle {id}`.",
            id=campaign.id,
        )
        shown.append(told)
    return shown


def _told(part: Piece, zone: ZoneInfo, *, is_last: bool, full_numbers: bool) -> Iterator[tuple[datetime | None, str]]:
    """What happened to a part, in the order in which it does: a receipt may overtake the answer all the same."""
    yield from _hand_over(part, is_last=is_last)
    for receipt in part.receipts:
        told = f"{state_word(STATE_OF[receipt.state].word)} {receipt.code}".rstrip()
        clock = _clock(receipt.done, zone)
        yield (
            receipt.received_at,
            tr("receipt: {told}, at {clock} by the carrier's clock", told=told, clock=clock)
            if clock
            else tr("receipt: {told}", told=told),
        )
        if full_numbers and receipt.raw:
            yield None, receipt.raw
    state, why = state_word(part.state), reason_word(part.reason)
    yield part.final_at, tr("{state}: {why}", state=state, why=why) if why else state


def _hand_over(part: Piece, *, is_last: bool) -> Iterator[tuple[datetime | None, str]]:
    named = {"gateway": part.gateway, "name": part.provider_id}
    doubt = part.doubt
    if doubt is None or doubt.settled_by == "answer":
        if part.submitted_at:
            taken = tr("taken by {gateway}, which calls it {name}", **named)
            yield part.submitted_at, taken if part.provider_id else tr("taken by {gateway}", **named)
        return
    yield doubt.since, tr("left for {gateway}, and no answer came", **named)
    if doubt.settled_at and doubt.settled_by != "receipt":
        yield from _decided(part, doubt, is_last=is_last)
    if part.provider_id:
        yield None, tr("as was told later, {gateway} calls it {name}", **named)


def _decided(part: Piece, doubt: InDoubt, *, is_last: bool) -> Iterator[tuple[datetime | None, str]]:
    who, is_open = actor_word(doubt.settled_by), part.state == State.UNKNOWN.word
    if is_last and not is_open:
        yield doubt.settled_at, tr("{who} counted it as sent", who=who)
    elif is_open and not is_last:
        yield doubt.settled_at, tr("{who} had it sent again", who=who)
    elif not is_open:
        # a receipt that came since has told what they did not know
        yield doubt.settled_at, tr("{who} decided on it", who=who)
    # else the person is forgotten, and nobody decided


def _name(part: Piece) -> str:
    return str(part.number) if part.attempt == 1 else tr("{n}, attempt {attempt}", n=part.number, attempt=part.attempt)


def _clock(done: str, zone: ZoneInfo) -> str:
    """The carrier's time. Nearly all tell minutes only: seconds that nobody told are left out."""
    return _second(datetime.fromisoformat(done), zone).removesuffix(":00") if done else ""


def _second(instant: datetime | None, zone: ZoneInfo) -> str:
    """An instant in the paper's own time, to the second: who asks a carrier has to name it."""
    return instant.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") if instant else ""
