"""What an edition would come to over its whole audience: asked for from a page, counted beside it, and kept.

A row for each edition and each part of the tree that it was counted for. Whoever counts says so every second or so;
what nobody has said anything of for a while is begun again. It is kept with the revision that was counted.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from broadcaster.campaigns.check import Check, VariantCheck
from broadcaster.campaigns.dress import Dress
from broadcaster.campaigns.models import EditionCount
from broadcaster.language import msgid
from broadcaster.newspaper import editions
from broadcaster.newspaper.models import Edition
from subscribers.actor import Actor, Right, needs
from subscribers.db import wake
from subscribers.errors import BroadsheetError, Conflict

#: the queue of those who count
COUNT = "counting"
#: after so long without a word, whoever counted is taken for dead
DEAD = timedelta(seconds=120)
#: a hint that was lost is given again after this
FORGOTTEN = timedelta(seconds=5)
_NO_NEWS = (msgid("Something went wrong here."), msgid("It is written in the log of the program."))


class CountState(StrEnum):
    """How far a count is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A count that is ours to do: for whom, and the mark by which we know that it still is."""

    edition_id: int
    number: int
    under: str
    asked_by: str
    runner: str


@needs(Right.EDIT)
def ask(session: Session, actor: Actor, number: int, *, now: datetime) -> None:
    """Have an edition counted, anew if it was before. One that is being counted goes on."""
    edition = editions.get(session, actor, number)
    # of two who ask at once, one comes after the other
    session.execute(select(Edition.id).where(Edition.id == edition.id).with_for_update())
    known = session.get(EditionCount, (edition.id, actor.under))
    if known is None:
        known = EditionCount(edition_id=edition.id, under=actor.under)
        session.add(known)
    elif known.state in (CountState.WAITING, CountState.RUNNING):
        return
    known.state, known.asked_by, known.asked_at = CountState.WAITING, actor.name, now
    known.runner, known.heard_at, known.seen, known.about, known.trouble = "", None, 0, 0, None
    session.flush()
    wake(session, COUNT)


@needs(Right.EDIT)
def cancel(session: Session, actor: Actor, number: int) -> None:
    """Do not count it after all; what was known before stays. Raises `Conflict` if it is over."""
    known = find(session, actor, number)
    if known is None or known.state not in (CountState.WAITING, CountState.RUNNING):
        raise Conflict("It is not being counted any more.", hint="Look at the check again.")
    if known.figures is None:
        session.delete(known)
    else:
        known.state, known.runner = CountState.DONE, ""
    session.flush()


@needs(Right.SEE)
def find(session: Session, actor: Actor, number: int) -> EditionCount | None:
    """What is known of an edition for the actor's part of the tree; None if nobody has asked."""
    edition = editions.get(session, actor, number)
    return session.get(EditionCount, (edition.id, actor.under))


def claim(session: Session, *, now: datetime) -> Claimed | None:
    """Take the oldest that waits, or that somebody has left behind; None if there is none."""
    row = session.scalars(
        select(EditionCount)
        .where(_is_open(now))
        .order_by(EditionCount.asked_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).one_or_none()
    if row is None:
        return None
    row.state, row.runner, row.heard_at, row.seen = CountState.RUNNING, secrets.token_hex(8), now, 0
    session.flush()
    number = session.get_one(Edition, row.edition_id).number
    return Claimed(row.edition_id, number, row.under, row.asked_by, row.runner)


def tell(session: Session, claimed: Claimed, seen: int, about: int, *, now: datetime) -> bool:
    """So many readers have been counted. Whether it is still ours: it may have been called off."""
    return _write(session, claimed, {"seen": seen, "about": about, "heard_at": now})


def leave(session: Session, claimed: Claimed) -> None:
    """Let somebody else do it, from the beginning."""
    _write(session, claimed, {"state": CountState.WAITING, "runner": "", "heard_at": None})


def keep(
    session: Session,
    claimed: Claimed,
    revision: str,
    checked: Check,
    dresses: Mapping[str, Dress],
    unpriced: Sequence[str],
    *,
    now: datetime,
) -> None:
    """It is done: these are the figures of this revision, dressed so for these gateways.

    `unpriced`: gateways of which nobody knows the price.
    """
    more = {"dresses": _plain(dresses), "unpriced": list(unpriced)}
    found = {"state": CountState.DONE, "revision": revision, "figures": _figures(checked) | more}
    _write(session, claimed, found | {"seen": checked.recipients, "counted_at": now})


def is_dressed_so(counted: EditionCount, dresses: Mapping[str, Dress]) -> bool:
    """Whether its figures are of texts with these signatures and opt-out lines; one that did not keep them passes."""
    kept = (counted.figures or {}).get("dresses")
    return kept is None or kept == _plain(dresses)


def fail(session: Session, claimed: Claimed, error: BroadsheetError | None) -> None:
    """It cannot be counted."""
    told: dict[str, Any] = {"message": _NO_NEWS[0], "hint": _NO_NEWS[1], "fields": {}}
    if error is not None:
        fields = {name: value if isinstance(value, list) else str(value) for name, value in error.fields.items()}
        told = {"message": error.message, "hint": error.hint, "fields": fields}
    _write(session, claimed, {"state": CountState.FAILED, "trouble": told})


def wake_forgotten(session: Session, *, now: datetime) -> None:
    """Give the hint again for what waits and nobody has taken."""
    waits = or_(EditionCount.heard_at.is_not(None), EditionCount.asked_at < now - FORGOTTEN)
    if session.scalar(select(EditionCount.edition_id).where(_is_open(now), waits).limit(1)) is not None:
        wake(session, COUNT)


def _is_open(now: datetime) -> ColumnElement[bool]:
    left = and_(EditionCount.state == CountState.RUNNING, EditionCount.heard_at < now - DEAD)
    return or_(EditionCount.state == CountState.WAITING, left)


def _write(session: Session, claimed: Claimed, values: Mapping[str, Any]) -> bool:
    ours = and_(EditionCount.edition_id == claimed.edition_id, EditionCount.runner == claimed.runner)
    written: Any = session.execute(
        update(EditionCount).where(ours, EditionCount.state == CountState.RUNNING).values(**values)
    )
    return bool(written.rowcount)


def _plain(dresses: Mapping[str, Dress]) -> dict[str, list[str]]:
    return {name: [own.signature, own.opt_out, own.place] for name, own in dresses.items()}


def _figures(checked: Check) -> dict[str, Any]:
    return {
        "recipients": checked.recipients,
        "skipped": dict(checked.skipped.most_common()),
        "parts": checked.parts,
        "cost": str(checked.cost),
        "currency": checked.currency,
        "variants": [_variant(each) for each in checked.variants],
        "findings": [
            {
                "message": each.message,
                "hint": each.hint,
                "typed": each.typed,
                "fields": {
                    name: value if isinstance(value, list) else str(value) for name, value in each.fields.items()
                },
                "blocking": each.blocking,
            }
            for each in checked.findings
        ],
    }


def _variant(checked: VariantCheck) -> dict[str, Any]:
    parts = sum(each * readers for each, readers in checked.parts.items())
    return {
        "name": checked.name,
        "recipients": checked.recipients,
        **checked.parts_each,
        "parts": parts,
        "cost": str(checked.cost),
    }
