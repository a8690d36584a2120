"""Looking on while a campaign goes out; where nobody else sends for the installation, sending it meanwhile."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import typer
from rich.console import RenderableType

from broadcaster.campaigns import compose
from broadcaster.campaigns.models import Campaign
from broadcaster.campaigns.states import EDITABLE, CampaignState
from broadcaster.campaigns.went_out import was_rehearsed
from broadcaster.commands.checked import skipped_table
from broadcaster.commands.house import House
from broadcaster.commands.output import answer, aside, facts, local, table
from broadcaster.commands.progress import Show, following, told_obstacle
from broadcaster.delivery.obstacles import Obstacle, obstacles
from broadcaster.delivery.progress import Progress, progress
from broadcaster.language import filled, retold, retold_hint, tr
from broadcaster.web.figures import count, money
from broadcaster.words import campaign_state_word, state_word
from subscribers.clock import monotonic
from subscribers.db import Tx
from subscribers.errors import Conflict, Invalid

#: seconds between two looks
LOOK = 0.3

_S = CampaignState
#: from here on nothing more happens by itself
_OVER = frozenset({_S.CLOSED, _S.MISSED, _S.FAILED})
#: stopped: receipts may still come, until it is closed
_STOPPED = frozenset({_S.CANCELLED, _S.ABORTED})


def watch_until(house: House, campaign_id: int, *, until: str, timeout: float | None) -> None:
    """Show progress until it is `sent` or `closed`, then the figures. Exit 1 on a time-out, or if it ends otherwise."""
    if until not in ("sent", "closed"):
        raise Invalid("There is no watching until {until}.", hint="Write sent or closed.", until=until)
    with house.reading() as tx:
        campaign = compose.get(tx.session, house.actor, campaign_id)
        _refuse_unstarted(campaign)
        over = campaign.state in _OVER or (campaign.state in _STOPPED and campaign.closed_at is not None)
    with contextlib.nullcontext() if over else _sending(house, campaign), following() as show:
        try:
            reached = _follow(house, campaign_id, until, timeout, show)
        except KeyboardInterrupt:
            aside(
                tr(
                    "Campaign {id} is kept as it is, and goes on when the press runs again: "
                    "`broadsheet campaigns watch {id}`, or `broadsheet up`.",
                    id=campaign_id,
                )
            )
            raise
    with house.reading() as tx:
        campaign = compose.get(tx.session, house.actor, campaign_id)
        figures, held_up = how_far(house, tx, campaign)
    then = [f"broadsheet report campaign {campaign_id}", "broadsheet replies list"] if reached else []
    shown = shown_campaign(campaign, figures, held_up, house.settings.zone)
    answer(campaign_document(campaign, figures, held_up), *shown, then=then)
    if not reached:
        raise typer.Exit(1)


def how_far(house: House, tx: Tx, campaign: Campaign) -> tuple[Progress, Sequence[Obstacle]]:
    """Its figures, and what keeps it from going out."""
    return progress(tx.session, campaign), obstacles(tx.session, house.locks, campaign.id, now=tx.now)


def campaign_document(campaign: Campaign, figures: Progress, held_up: Sequence[Obstacle]) -> dict[str, Any]:
    """A campaign and how far it is."""
    return {
        "id": campaign.id,
        "title": campaign.title,
        "kind": campaign.kind,
        "state": campaign.state,
        "rehearsed": was_rehearsed(campaign),
        "recipients": figures.recipients,
        "skipped": dict(figures.skipped),
        "messages": dict(figures.messages),
        "parts": dict(figures.parts),
        "in_flight": figures.in_flight,
        "cost": figures.cost,
        "currency": figures.currency,
        "scheduled_for": campaign.scheduled_for,
        "started_at": campaign.started_at,
        "sent_at": campaign.sent_at,
        "closed_at": campaign.closed_at,
        "note": filled(campaign.note, campaign.note_fields),
        "held_up": [
            {"gateway": each.gateway, "reason": retold(each.trouble), "hint": retold_hint(each.trouble)}
            for each in held_up
        ],
    }


def shown_campaign(
    campaign: Campaign, figures: Progress, held_up: Sequence[Obstacle], zone: ZoneInfo
) -> list[RenderableType]:
    """The same for people."""
    shown: list[RenderableType] = [
        facts(
            (tr("campaign"), f"{campaign.id} · {campaign.title}"),
            (tr("state"), campaign_state_word(campaign.state, rehearsed=was_rehearsed(campaign))),
            (tr("note"), filled(campaign.note, campaign.note_fields)),
            *((tr("held up"), told_obstacle(each)) for each in held_up),
            (tr("planned for"), local(campaign.scheduled_for, zone)),
            (tr("started"), local(campaign.started_at, zone)),
            (tr("recipients"), count(figures.recipients) if campaign.started_at else ""),
            (tr("being handed over"), count(figures.in_flight) if figures.in_flight else ""),
            (tr("cost so far"), money(figures.cost, figures.currency) if figures.cost else ""),
        )
    ]
    if campaign.is_being_written_down:
        shown.append(tr("The list of recipients is being written."))
    if figures.messages:
        shown.append(_by_state(tr("people are"), figures.messages))
        shown.append(_by_state(tr("parts are"), figures.parts))
    if figures.skipped:
        shown.append(skipped_table(figures.skipped))
    return shown


def _by_state(heading: str, figures: Mapping[str, int]) -> RenderableType:
    """One count; a person is delivered when all of their parts are, so the two counts do not go together by rows."""
    told: Counter[str] = Counter()
    for state, n in figures.items():
        told[state_word(state)] += n
    return table(heading, tr("how many"), rows=[(word, n) for word, n in told.items() if n], right=(1,))


def _refuse_unstarted(campaign: Campaign) -> None:
    if campaign.state in (*EDITABLE, _S.IN_REVIEW, _S.APPROVED):
        raise Conflict(
            "Campaign {id} has not been started: there is nothing to watch.",
            hint="`broadsheet campaigns check {id}` shows the number of recipients, "
            "`broadsheet campaigns send {id} --confirm NUMBER` starts it.",
            id=campaign.id,
        )


@contextlib.contextmanager
def _sending(house: House, campaign: Campaign) -> Iterator[None]:
    """Send from here, if the queue is embedded and no other process serves it."""
    # Celery takes a second to be read, and no other verb of this noun needs it
    from broadcaster.commands.serving import pressing, whole

    if not house.settings.embedded:
        yield
        return
    with whole(house) as mine:
        if not mine:
            yield
            return
        if campaign.state in (*_STOPPED, _S.SENT):
            aside(tr("No `broadsheet up` is running: receipts are taken in from here while you watch."))
        else:
            aside(tr("No `broadsheet up` is running: it is sent from here while you watch."))
        with pressing(house):
            yield


def _follow(house: House, campaign_id: int, until: str, timeout: float | None, show: Show) -> bool:
    """Whether it got so far in time."""
    wanted = {_S.CLOSED} if until == "closed" else {_S.SENT, _S.CLOSED}
    deadline = None if timeout is None else monotonic() + timeout
    while True:
        with house.reading() as tx:
            campaign = compose.get(tx.session, house.actor, campaign_id)
            show(campaign, *how_far(house, tx, campaign))
        if campaign.state in wanted:
            return True
        if campaign.state in _OVER or (campaign.state in _STOPPED and (until == "sent" or campaign.closed_at)):
            return False
        if deadline is not None and monotonic() >= deadline:
            aside(tr("Not {until} within {seconds:g} seconds; it goes on.", until=until, seconds=timeout or 0))
            return False
        house.stopping.wait(LOOK)
