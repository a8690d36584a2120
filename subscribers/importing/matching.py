"""Whom a checked row means: somebody on record, or nobody yet; and what speaks against it. No database here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from subscribers.consent import Present
from subscribers.errors import Invalid
from subscribers.importing.known import Known, KnownMember
from subscribers.importing.possible import RowsOfMembers
from subscribers.importing.rows import CheckedRow
from subscribers.models import Wish
from subscribers.msisdn import mask

_SEVERAL_HINT = (
    "Leave out one of the rows. If two people share the handset, allow that several share one for the whole list "
    "(--shared)."
)


@dataclass(slots=True)
class Circumstances:
    """What a whole import has in common, and of whom its rows have spoken so far."""

    file: str
    on: date
    now: datetime
    import_id: int
    #: the actor's part of the tree, as a path of names and of ids; empty for all of it
    home: str
    under: str
    default_organisation: str
    shared: bool
    #: how it is known that everyone in the file has agreed, where a row does not say; empty if it is not
    agreed: str = ""
    #: organisations that take nobody in: path of ids -> since when
    closed: Mapping[str, date] = field(default_factory=dict)
    rows: RowsOfMembers = field(default_factory=RowsOfMembers)

    def first_word(self, wish: Wish) -> Present:
        """What is on record of a number whose holder's first word stands in this file."""
        return self._first_words[wish]

    _first_words: dict[Wish, Present] = field(init=False)

    def __post_init__(self) -> None:
        self._first_words = {
            wish: Present(wish, own_word=False, since=self.now, import_run_id=self.import_id, collective=True)
            for wish in Wish
        }


def match(row: CheckedRow, known: Known, around: Circumstances) -> KnownMember | None:
    """By external id, else by number and name; who has neither number nor external id, by name and organisation.

    Raises `Invalid` if the file spoke of this person or this number before, or if they are none of the actor's.
    """
    _check_repeated(row, known, around)
    member = _find(row, known, around)
    if member is not None:
        _check_member(member, row, around)
    return member


def is_shared(row: CheckedRow, member: KnownMember | None, known: Known, around: Circumstances) -> bool:
    """Whether one of the row's numbers is somebody else's too. Raises `Invalid` if that is not expected."""
    shares = False
    for number in row.numbers:
        # who has had it together with others all along may keep it
        news = member is None or all(one.msisdn != number.msisdn for one in member.numbers)
        earlier = known.rows_by_number.get(number.msisdn)
        if earlier is not None and news and not around.shared:
            raise _number_stands(number.msisdn, earlier)
        shares = shares or earlier is not None
        held = known.by_number.get(number.msisdn)
        if held is None:
            continue
        others = [known.members[id_] for id_ in held if member is None or id_ != member.id]
        if news and any(not other.is_under(around.under) for other in others):
            # consent goes by number: who shares one with a stranger could speak for them
            raise _elsewhere()
        if others and news and not around.shared:
            other = others[0]
            if (earlier := around.rows[other.id]) and other.uses(number.msisdn):
                raise _number_stands(number.msisdn, earlier)
            raise Invalid(
                "The number {number} is on record under another name: {name}.",
                hint="Correct the number or the name. If two people share the handset, allow that several share one "
                "for the whole list (--shared).",
                number=mask(number.msisdn),
                name=other.name,
            )
        shares = shares or bool(others)
    return shares


def _check_repeated(row: CheckedRow, known: Known, around: Circumstances) -> None:
    """Against the rows of this portion, who are not on record yet."""
    earlier = known.rows_by_external_id.get(row.external_id) if row.external_id else None
    if earlier is not None:
        raise _external_id_stands(row, earlier)
    if not row.numbers and row.external_id is None:
        earlier = known.rows_by_place.get((row.name, row.organisation or around.default_organisation))
        if earlier is not None:
            raise _same_member(earlier)


def _find(row: CheckedRow, known: Known, around: Circumstances) -> KnownMember | None:
    if row.external_id and row.external_id in known.by_external_id:
        return known.members[known.by_external_id[row.external_id]]
    for number in row.numbers:
        for id_ in known.by_number.get(number.msisdn, ()):
            if _is_namesake(row, known.members[id_].name, known.members[id_].external_id):
                return known.members[id_]
        for earlier, external_id in known.rows_by_person.get((number.msisdn, row.name), ()):
            if _is_namesake(row, row.name, external_id):
                raise _number_stands(number.msisdn, earlier)
    if row.numbers or row.external_id is not None:
        return None
    path = known.organisations.get(row.organisation or around.default_organisation)
    for member in (known.members[id_] for id_ in known.by_name.get(row.name, ())):
        if not member.numbers and member.place is not None and member.place.path == path:
            return member
    return None


def _is_namesake(row: CheckedRow, name: str, external_id: str | None) -> bool:
    """Two of one name on one handset are two people only if both external ids say so."""
    return name == row.name and (row.external_id is None or external_id is None)


def _check_member(member: KnownMember, row: CheckedRow, around: Circumstances) -> None:
    if earlier := around.rows[member.id]:
        if row.external_id == member.external_id and row.name != member.name:
            raise _external_id_stands(row, earlier)
        raise _same_member(earlier)
    if not member.is_under(around.under):
        raise _elsewhere()


def _elsewhere() -> Invalid:
    """One sentence for everybody outside: it must not tell who is there, or under which name."""
    return Invalid(
        "The number or the id is on record in another part of the tree.",
        hint="Correct it. If it is right, ask the organisation above for a transfer, or to import the row.",
    )


def _same_member(earlier: int) -> Invalid:
    return Invalid("This is the same member as in row {earlier}.", hint="Leave out one of the rows.", earlier=earlier)


def _number_stands(msisdn: str, earlier: int) -> Invalid:
    return Invalid(
        "The number {number} stands in row {earlier} already.",
        hint=_SEVERAL_HINT,
        number=mask(msisdn),
        earlier=earlier,
    )


def _external_id_stands(row: CheckedRow, earlier: int) -> Invalid:
    return Invalid(
        "The id {external_id} is that of row {earlier} already.",
        hint="Give each person an id of their own, or leave out one of the rows.",
        external_id=row.external_id,
        earlier=earlier,
    )
