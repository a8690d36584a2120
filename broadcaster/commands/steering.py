"""The verbs of `broadsheet campaigns` for one that runs: pause, resume, abort, resend, settle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from broadcaster.campaigns import compose
from broadcaster.commands.house import opened
from broadcaster.commands.options import MOST, verb
from broadcaster.commands.output import answer
from broadcaster.delivery import again, control
from broadcaster.delivery.control import Stopped
from broadcaster.language import ntr, tr
from broadcaster.words import campaign_state_word
from subscribers.actor import Right
from subscribers.errors import Invalid

Id = Annotated[int, typer.Argument(max=MOST, metavar="ID", help=tr("The campaign's number."))]
Confirm = Annotated[int, typer.Option(metavar="N", help=tr("How many people it concerns, typed by you."))]


def mount_steering(app: typer.Typer) -> None:
    """Give the noun these verbs."""
    verb(
        app,
        about=tr("Hand over nothing more until it is resumed."),
        example="broadsheet campaigns pause 3",
        needs=Right.SEND,
    )(pause)
    verb(app, about=tr("Go on exactly where it was."), example="broadsheet campaigns resume 3", needs=Right.SEND)(
        resume
    )
    verb(
        app,
        about=tr("Stop it for good: what waits is cancelled."),
        example="broadsheet campaigns abort 3",
        needs=Right.SEND,
    )(abort)
    verb(
        app,
        about=tr("Send again to everyone it failed for."),
        example="broadsheet campaigns resend 3 --failed --confirm 27",
        needs=Right.SEND,
    )(resend)
    verb(
        app,
        about=tr("Decide what to do about those where nobody knows whether it arrived."),
        example="broadsheet campaigns settle 3 --as-sent --confirm 4\n"
        "broadsheet campaigns settle 3 --resend --confirm 4",
        needs=Right.SEND,
    )(settle)


def pause(campaign_id: Id) -> None:
    _steer(campaign_id, control.pause)


def resume(campaign_id: Id) -> None:
    with opened() as house, house.begin() as tx:
        campaign = compose.get(tx.session, house.actor, campaign_id)
        resumed = control.resume(tx.session, house.actor, campaign, house.ways(tx), now=tx.now)
    _tell(campaign_id, resumed)


def abort(campaign_id: Id) -> None:
    _steer(campaign_id, control.abort)


def resend(
    campaign_id: Id,
    confirm: Confirm,
    failed: Annotated[bool, typer.Option("--failed", help=tr("Those it failed or expired for."))] = False,
) -> None:
    if not failed:
        raise Invalid("Say to whom it shall go again.", hint="Write --failed.")
    with opened() as house, house.begin() as tx:
        campaign = compose.get(tx.session, house.actor, campaign_id)
        count = again.resend_failed(tx.session, house.actor, campaign, confirm, house.ways(tx), now=tx.now)
    answer({"id": campaign_id, "resent": count}, told_again(count), then=_watching(campaign_id))


def settle(
    campaign_id: Id,
    confirm: Confirm,
    as_sent: Annotated[bool, typer.Option("--as-sent", help=tr("Count it as sent; nothing goes out."))] = False,
    resend: Annotated[bool, typer.Option("--resend", help=tr("Send it again; some may get it twice."))] = False,
) -> None:
    if as_sent == resend:
        raise Invalid("Say how to settle it.", hint="Write either --as-sent or --resend.")
    with opened() as house, house.begin() as tx:
        campaign = compose.get(tx.session, house.actor, campaign_id)
        given = tx.session, house.actor, campaign, confirm
        if as_sent:
            count = again.settle_as_sent(*given, now=tx.now)
        else:
            count = again.settle_by_resending(*given, house.ways(tx), now=tx.now)
    told = told_as_sent(count) if as_sent else told_again(count)
    answer({"id": campaign_id, "settled": count}, told, then=[] if as_sent else _watching(campaign_id))


def _watching(campaign_id: int) -> list[str]:
    return [f"broadsheet campaigns watch {campaign_id}"]


def told_as_sent(count: int) -> str:
    """What became of what was in doubt."""
    return ntr("{n} message counts as sent. Nothing goes out.", "{n} messages count as sent. Nothing goes out.", count)


def told_again(count: int) -> str:
    """That a new attempt was ordered."""
    return ntr("It goes again to {n} person.", "It goes again to {n} people.", count)


def _steer(campaign_id: int, act: Callable[..., Stopped]) -> None:
    with opened() as house, house.begin() as tx:
        stopped = act(tx.session, house.actor, compose.get(tx.session, house.actor, campaign_id), now=tx.now)
    _tell(campaign_id, stopped)


def _tell(campaign_id: int, stopped: Stopped) -> None:
    told = tr(
        "Campaign {id}: {state}. Parts being handed over: {in_flight}. Messages cancelled: {cancelled}.",
        id=campaign_id,
        state=campaign_state_word(stopped.state),
        in_flight=stopped.in_flight,
        cancelled=stopped.cancelled,
    )
    document = {"state": stopped.state, "in_flight": stopped.in_flight, "cancelled": stopped.cancelled}
    answer({"id": campaign_id} | document, told)
