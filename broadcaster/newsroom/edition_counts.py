"""What an edition comes to over its whole audience: begun here, counted by a worker, and looked at."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from broadcaster.campaigns import compose, counts
from broadcaster.campaigns.check import UNSIGNED
from broadcaster.campaigns.counts import CountState
from broadcaster.campaigns.models import EditionCount
from broadcaster.language import filled, in_a_row, msgid, ntr, tr
from broadcaster.newspaper import making
from broadcaster.newsroom.composer import ONE
from broadcaster.newsroom.drawing import done, draw
from broadcaster.newsroom.editions import PATH
from broadcaster.newsroom.items import variant_words
from broadcaster.newsroom.members import Id
from broadcaster.newsroom.prices import no_price, unpriced
from broadcaster.newsroom.proofs import dresses_of, unsaved
from broadcaster.runtime import Runtime
from broadcaster.web.doors import shows, takes
from broadcaster.web.figures import about, count, money, when
from broadcaster.web.house import House
from broadcaster.web.told import untyped, without_place
from broadcaster.web.visits import Here, Visit
from broadcaster.words import skip_reason_word
from subscribers import audit, consent
from subscribers.actor import Right
from subscribers.db import Tx
from subscribers.errors import Invalid

router = APIRouter()

#: deeds after which others may be meant, or can be sent to; what is said of wishes stands in their own journal
_CHANGE_PEOPLE = (
    *(f"members.{each}" for each in ("add", "change", "forget", "import", "undo", "number", "take_back")),
    *(f"members.{each}" for each in ("leave", "rejoin", "status")),
    *(f"organisations.{each}" for each in ("close", "move", "reopen", "undo")),
    *(f"lists.{each}" for each in ("remove", "save")),
    "transfers.accepted",
    "admissions.accepted",
)


@shows(router, ONE + "/count", needs=Right.SEE)
def look(request: Request, house: House, visit: Here, id: Id, live: bool = False) -> Response:  # noqa: A002
    """It stands on the page of the check; `?live=1` is only that part, for a page that looks again by itself."""
    with house.reading() as tx:
        edition = making.layout(tx.session, visit.actor, id).edition
        panel = count_panel(house, tx, visit, id)
    if not live:
        return RedirectResponse(f"{PATH}/{id}/check#counted", 303)
    return draw(request, "edition_count.html", edition=edition, **panel)


@takes(router, ONE + "/count", needs=Right.EDIT)
def begin(house: House, visit: Here, id: Id) -> Response:  # noqa: A002
    """Have it counted."""
    with house.begin() as tx:
        counts.ask(tx.session, visit.actor, id, now=tx.now)
    # that it is being counted stands there, and goes by itself
    return RedirectResponse(f"{PATH}/{id}/check#counted", 303)


@takes(router, ONE + "/count/cancel", needs=Right.EDIT)
def cancel(house: House, visit: Here, id: Id) -> Response:  # noqa: A002
    """Not after all."""
    with house.begin() as tx:
        counts.cancel(tx.session, visit.actor, id)
    told = msgid("It is not counted any more.")
    return done(visit, f"{PATH}/{id}/check#counted", told, undo=f"{PATH}/{id}/count")


def count_panel(house: Runtime, tx: Tx, visit: Visit, number: int) -> dict[str, Any]:
    """The values of `edition_count.html`."""
    found = counts.find(tx.session, visit.actor, number)
    told: dict[str, Any] = {
        "counting": "",
        "counted": None,
        "count_trouble": "",
        "is_stale": False,
        "is_redressed": False,
        "is_of_others": False,
        "is_priced_since": False,
        "no_price": None,
    }
    told["may_count"] = Right.EDIT in visit.actor.rights
    if found is None:
        return told
    if found.state in (CountState.WAITING, CountState.RUNNING):
        told["counting"] = _progress(found)
    elif found.state == CountState.FAILED and found.trouble:
        told["count_trouble"] = _trouble(found, tx, house)
    if found.figures is not None and found.counted_at is not None:
        at = when(found.counted_at, tx.now, house.settings.zone)
        told["counted"] = _figures(found.figures, is_operator=Right.OPERATE in visit.actor.rights) | {"at": at}
        wanting = found.figures.get("unpriced", [])
        still = unpriced(house, tx, wanting)
        told["no_price"], told["is_priced_since"] = no_price(visit, still), len(still) < len(wanting)
        told |= _outdated(house, tx, visit, found, number)
        told["is_of_others"] = _is_of_others(tx, visit.actor.under, found.counted_at)
    return told


def _trouble(found: EditionCount, tx: Tx, house: Runtime) -> dict[str, str]:
    """Why it could not be counted, for who has typed no rule; and when that was."""
    kept = found.trouble or {}
    what, then = (filled(kept[each], kept["fields"]) for each in ("message", "hint"))
    at = when(found.asked_at, tx.now, house.settings.zone)
    return {"what": without_place(what), "then": untyped(then), "at": at}


def _outdated(house: Runtime, tx: Tx, visit: Visit, found: EditionCount, number: int) -> dict[str, bool]:
    """Whether the figures are older than the edition; than its signature or opt-out line."""
    try:
        draft = unsaved(house, tx, visit.actor, number)
    except Invalid:
        # a segment that a variant names is not there any more
        return {"is_stale": True}
    return {
        "is_redressed": not counts.is_dressed_so(found, dresses_of(house, tx, draft)),
        "is_stale": compose.content_hash(draft) != found.revision,
    }


def _is_of_others(tx: Tx, under: str, counted_at: datetime) -> bool:
    """Whether the records tell of a deed since then that may have changed who is counted, or who can be sent to."""
    said_at = consent.last_said(tx.session)
    if said_at is not None and said_at > counted_at:
        return True
    return audit.done_since(tx.session, _CHANGE_PEOPLE, under, counted_at)


def _progress(found: EditionCount) -> str:
    if found.state == CountState.WAITING:
        return tr("It begins in a moment. What was there before it comes first.")
    return tr("Readers so far: {figure}, of about {n} members.", figure=count(found.seen), n=about(found.about))


def _figures(figures: dict[str, Any], *, is_operator: bool) -> dict[str, Any]:
    skipped = sum(figures["skipped"].values())
    people = ntr("{figure} reader", "{figure} readers", figures["recipients"], figure=count(figures["recipients"]))
    parts = ntr("{figure} part", "{figure} parts", figures["parts"], figure=count(figures["parts"]))
    reasons = [f"{skip_reason_word(reason)} {count(n)}" for reason, n in figures["skipped"].items()]
    return {
        "whole": " · ".join((people, parts, *[_money(figures, figures["cost"])][: bool(Decimal(figures["cost"]))])),
        "skipped": in_a_row(
            ntr("{figure} member is skipped:", "{figure} members are skipped:", skipped, figure=count(skipped)),
            " · ".join(reasons),
        )
        if reasons
        else "",
        "variants": [
            {
                "name": variant_words(each["name"], [one["name"] for one in figures["variants"]]),
                "people": count(each["recipients"]),
                "each": "–".join(dict.fromkeys((str(each["min"]), str(each["max"])))),
                "median": each["median"],
                "parts": count(each["parts"]),
                "cost": _money(figures, each["cost"]),
            }
            for each in figures["variants"]
        ],
        "findings": [
            {
                "words": filled(each["message"], each["fields"]),
                "hint": filled(each["hint"], each["fields"]),
                "typed": filled(each["typed"], each["fields"]) if is_operator and each.get("typed") else "",
                "stops": each["blocking"],
            }
            for each in figures["findings"]
            # the check says it of the signature of now
            if each["message"] != UNSIGNED
        ],
    }


def _money(figures: dict[str, Any], cost: str) -> str:
    # without a price nobody knows what it costs; what was counted earlier does not tell whether there was one
    is_known = Decimal(cost) or not figures.get("unpriced", [""])
    return money(Decimal(cost), figures["currency"]) if is_known else "—"
