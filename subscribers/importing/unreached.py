"""Whom of a list nothing can be sent to, and why: told before it is taken in.

Told row by row, as the file goes by: where people who share a handset contradict each other, a campaign may name
another of the reasons.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from subscribers.importing.decisions import Decision
from subscribers.importing.known import Known, KnownMember, KnownNumber
from subscribers.importing.matching import Circumstances
from subscribers.models import NumberKind, Wish

#: rows that are named for a reason
NAMED = 5


class Reason(StrEnum):
    """Why nothing is sent to somebody: the first that holds, in the order in which a campaign asks."""

    NO_NUMBER = "no_number"
    LANDLINE = "landline"
    OPTED_OUT = "opted_out"
    NO_CONSENT = "no_consent"
    SUSPENDED = "suspended"
    DUPLICATE_HANDSET = "duplicate_handset"


@dataclass(slots=True)
class Unreached:
    """How many people there are for one reason, and the first rows of the file that they stand in, ascending."""

    people: int = 0
    rows: list[int] = field(default_factory=list)

    def add(self, people: int, rows: Sequence[int]) -> None:
        """So many more; `rows` ascending, as many as shall be named at least."""
        self.people += people
        self.rows = sorted([*self.rows, *rows[:NAMED]])[:NAMED]

    def remove(self, rows: Sequence[int]) -> None:
        """They are not among these after all, one person for each row."""
        self.people -= len(rows)
        self.rows = [row for row in self.rows if row not in rows]


def reached(people: int, unreached: Iterable[int]) -> int:
    """Of so many people, to how many something can be sent; `unreached`: how many there are for each reason.

    Rows that contradict each other about one handset may have somebody counted twice.
    """
    return max(0, people - sum(unreached))


def reason_of(decision: Decision, known: Known) -> Reason | None:
    """Why nothing would be sent to this person; None if something would. `known`: as before the decision."""
    number = _used(decision)
    if number is None:
        return Reason.NO_NUMBER
    if number.kind == NumberKind.LANDLINE:
        return Reason.LANDLINE
    present = known.wishes.get(number.msisdn)
    wish = decision.wish or (present.wish if present else None)
    if wish == Wish.OUT or decision.still_out:
        return Reason.OPTED_OUT
    if wish is None:
        return Reason.NO_CONSENT
    if number.suspended:
        return Reason.SUSPENDED
    return Reason.DUPLICATE_HANDSET if _is_second(number, decision.before, known) else None


def takes_another_along(decision: Decision, known: Known, around: Circumstances) -> bool:
    """Whether an earlier row wanted the paper on a handset on which this one wants none: nobody gets it there."""
    if decision.wish != Wish.OUT or decision.first_word or decision.row.numbers[0].kind == NumberKind.LANDLINE:
        return False
    present = known.wishes[decision.row.numbers[0].msisdn]
    return present.wish == Wish.IN and present.import_run_id == around.import_id


def heard_along(decision: Decision, known: Known, around: Circumstances) -> list[int]:
    """Earlier rows that said nothing of the paper, about people on whose handset this row is the first to want it."""
    if decision.wish != Wish.IN or not decision.first_word or decision.row.numbers[0].kind == NumberKind.LANDLINE:
        return []
    msisdn = decision.row.numbers[0].msisdn
    users = [one for one in _users(known, msisdn) if decision.before is None or one.id != decision.before.id]
    return sorted({*known.unheard.pop(msisdn, ()), *(row for one in users if (row := around.rows[one.id]))})


def copy_is_theirs(decision: Decision, rows: Sequence[int], known: Known, around: Circumstances) -> bool:
    """Whether one of these gets the one copy for the handset: the first of them, if nobody else has it before."""
    if reason_of(decision, known) != Reason.DUPLICATE_HANDSET:
        return False
    first = min(_users(known, decision.row.numbers[0].msisdn), key=lambda one: one.id, default=None)
    # whoever is new comes after all who were there
    return first is None or around.rows[first.id] in rows


def _used(decision: Decision) -> KnownNumber | None:
    """The number that is used for this person."""
    before = decision.before
    held = before.numbers if before is not None else []
    if decision.row.numbers:
        first = decision.row.numbers[0]
        new = KnownNumber(0, first.msisdn, first.kind, preferred=True, shared=decision.shares)
        return next((number for number in held if number.msisdn == first.msisdn), new)
    return min(held, key=lambda one: (not one.preferred, one.kind != NumberKind.MOBILE, one.id), default=None)


def _is_second(number: KnownNumber, before: KnownMember | None, known: Known) -> bool:
    """Whether somebody who came earlier gets the one copy for this handset."""
    users = _users(known, number.msisdn)
    if before is None or not number.id:
        return number.msisdn in known.used_by_rows or any(before is None or one.id != before.id for one in users)
    return any(one.id < before.id for one in users)


def _users(known: Known, msisdn: str) -> list[KnownMember]:
    """Members on record who would be written to on this handset."""
    holders = (known.members[id_] for id_ in known.by_number.get(msisdn, ()))
    return [one for one in holders if one.place is not None and _may_use(one, msisdn)]


def _may_use(member: KnownMember, msisdn: str) -> bool:
    return any(one.msisdn == msisdn and one.preferred and not one.suspended for one in member.numbers)
