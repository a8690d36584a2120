"""Transfers between organisations: what waits for us, what we asked for, and what became of the others."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from broadcaster.language import msgid, tr
from broadcaster.newsroom.acting import attempt, read_number
from broadcaster.newsroom.drawing import done, draw, trouble
from broadcaster.newsroom.members import PAGE, Behind, today
from broadcaster.runtime import Runtime
from broadcaster.web.doors import Form, shows, takes
from broadcaster.web.figures import when
from broadcaster.web.house import House
from broadcaster.web.visits import Here, Visit
from broadcaster.words import actor_word, place_words, transfer_state_word
from subscribers import transfers
from subscribers.actor import Right
from subscribers.db import Tx
from subscribers.errors import BroadsheetError, Invalid
from subscribers.models import TransferState
from subscribers.transfers import Move

router = APIRouter()

PATH = "/members/transfers"
_DONE = {
    "accept": msgid("{name} belongs to {place} now."),
    "refuse": msgid("{name} stays where they are."),
    "withdraw": msgid("The transfer of {name} is taken back."),
}


@shows(router, PATH, needs=Right.SEE)
def listing(request: Request, house: House, visit: Here, before: Behind = 0) -> Response:
    """The newest first, fifty at a time."""
    return _draw(request, house, visit, before=before)


@takes(router, PATH, needs=Right.REGISTER)
def answer(request: Request, house: House, visit: Here, form: Form) -> Response:
    """Accept, refuse, or take back what our side asked for."""

    def work(tx: Tx) -> Response:
        number, wanted = read_number(form.text("transfer"), tr("transfer")), form.text("answer")
        match wanted:
            case "accept":
                transfers.accept(tx.session, visit.actor, number, on=today(house, tx), now=tx.now)
            case "refuse":
                transfers.refuse(tx.session, visit.actor, number, now=tx.now)
            case "withdraw":
                transfers.withdraw(tx.session, visit.actor, number, now=tx.now)
            case _:
                raise Invalid("{answer} is no answer to a transfer.", answer=repr(wanted[:20]))
        moved = transfers.listing(tx.session, visit.actor, before=number + 1, limit=1)[0]
        return done(visit, PATH, _DONE[wanted], name=moved.name, place=place_words(moved.to_organisation))

    return attempt(house, work, lambda error: _draw(request, house, visit, error))


def _draw(
    request: Request, house: Runtime, visit: Visit, error: BroadsheetError | None = None, *, before: int = 0
) -> Response:
    with house.reading() as tx:
        # those that wait stand first, however old they are
        waiting = [] if before else transfers.listing(tx.session, visit.view, state=TransferState.ASKED, limit=PAGE)
        found = transfers.listing(tx.session, visit.view, before=before or None, limit=PAGE + 1)
        now = tx.now
    past = [one for one in found[:PAGE] if one.state != TransferState.ASKED]
    return draw(
        request,
        "transfers.html",
        status=422 if error else 200,
        trouble=trouble(error) if error else None,
        waiting=[_line(house, one, now) for one in waiting],
        past=[_line(house, one, now) for one in past],
        onward=urlencode({"before": found[PAGE - 1].id}) if len(found) > PAGE else "",
    )


def _line(house: Runtime, one: Move, now: Any) -> dict[str, Any]:
    zone = house.settings.zone
    return {
        "id": one.id,
        "member": one.member_id,
        "name": one.name,
        "way": f"{place_words(one.from_organisation)} → {place_words(one.to_organisation)}",
        "reason": one.reason,
        "asked": tr("{who}, {time}", who=actor_word(one.asked_by), time=when(one.asked_at, now, zone)),
        "until": when(one.expires_at, now, zone),
        "state": transfer_state_word(one.state),
        "decided": tr("{who}, {time}", who=actor_word(one.decided_by or "—"), time=when(one.decided_at, now, zone))
        if one.decided_at
        else "",
        "is_ours": one.ours_to_decide,
    }
