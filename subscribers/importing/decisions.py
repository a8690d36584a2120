"""A checked row against what is known: somebody new, a change, nothing new, or a refusal. No database here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from subscribers.consent import OWN_WORD, Present, Said, changes, stays_out
from subscribers.errors import Invalid
from subscribers.importing.known import Known, KnownMember, Place
from subscribers.importing.rows import CheckedRow, Standing
from subscribers.models import Status, Wish
from subscribers.msisdn import Parsed, mask
from subscribers.organisations import is_within

SOURCE = "import"
AT_HOME = Standing(Status.IN_SERVICE, mobile=False)


@dataclass(slots=True)
class Circumstances:
    """What a whole import has in common, and of whom its rows have spoken so far (number, id or member -> row)."""

    file: str
    on: date
    now: datetime
    #: the actor's part of the tree, as a path of names and of ids; empty for all of it
    home: str
    under: str
    default_organisation: str
    shared: bool
    #: how it is known that everyone in the file has agreed, where a row does not say; empty if it is not
    agreed: str = ""
    numbers: dict[str, int] = field(default_factory=dict)
    people: dict[tuple[str, str], int] = field(default_factory=dict)
    external_ids: dict[str, int] = field(default_factory=dict)
    members: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """A membership to write: a new one if it has no id; in `organisation` (names) if given, else where it was."""

    id: int | None
    organisation: str | None
    organisation_id: int | None
    status: str
    mobile: bool
    valid_from: date
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What one row does. `before` is None for somebody new, `values` for a member whose own data stay."""

    row: CheckedRow
    before: KnownMember | None = None
    values: dict[str, Any] | None = None
    number: Parsed | None = None
    prefer: int | None = None
    places: tuple[PlaceRow, ...] = ()
    said: Said | None = None
    #: the number is another member's too, and both keep it
    shares: bool = False
    still_out: bool = False

    @property
    def changes_something(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.values or self.number or self.prefer or self.places or self.said)


def decide(row: CheckedRow, known: Known, around: Circumstances) -> Decision:
    """What the row does. Raises `Invalid` if it must be refused."""
    if row.organisation and not is_within(row.organisation, around.home):
        raise Invalid(
            "{organisation} is outside of your part of the tree.",
            hint="Begin the path with {home}.",
            organisation=row.organisation,
            home=around.home,
        )
    _check_repeated(row, around)
    member = _match(row, known, around)
    if member is not None:
        _check_member(member, around)
    shares = _check_shared(row, member, known, around)
    said, still_out = _consent(row, known, around)
    decision = _create(row, around) if member is None else _update(row, member, known, around)
    return replace(decision, said=said, still_out=still_out, shares=shares)


def note(decision: Decision, known: Known, around: Circumstances) -> None:
    """Remember whom the row was about, for the rows after it."""
    row = decision.row
    if row.number is not None:
        around.numbers.setdefault(row.number.msisdn, row.row)
        around.people[row.number.msisdn, row.name] = row.row
    if row.external_id is not None:
        around.external_ids[row.external_id] = row.row
    if decision.before is not None:
        around.members[decision.before.id] = row.row
    if decision.said is not None:
        said = decision.said
        known.wishes[said.msisdn] = Present(said.wish, said.source in OWN_WORD, around.now)


def _check_repeated(row: CheckedRow, around: Circumstances) -> None:
    earlier = around.external_ids.get(row.external_id) if row.external_id else None
    if earlier is not None:
        raise Invalid(
            "The external id {external_id} is that of row {earlier} already.",
            hint="Give each person an external id of their own, or leave out one of the rows.",
            external_id=row.external_id,
            earlier=earlier,
        )
    if row.number is None:
        return
    msisdn = row.number.msisdn
    earlier = around.people.get((msisdn, row.name)) if around.shared else around.numbers.get(msisdn)
    if earlier is not None:
        raise Invalid(
            "The number {number} stands in row {earlier} already.",
            hint="Leave out one of the rows. If two people share the handset, import with --shared.",
            number=mask(msisdn),
            earlier=earlier,
        )


def _match(row: CheckedRow, known: Known, around: Circumstances) -> KnownMember | None:
    """By external id, else by number and name; who has neither number nor external id, by name and organisation."""
    if row.external_id and row.external_id in known.by_external_id:
        return known.members[known.by_external_id[row.external_id]]
    if row.number is not None:
        candidates = [known.members[id_] for id_ in known.by_number.get(row.number.msisdn, ())]
    elif row.external_id is None:
        path = known.organisations.get(row.organisation or around.default_organisation)
        candidates = [
            member
            for member in (known.members[id_] for id_ in known.by_name.get(row.name, ()))
            if not member.numbers and member.place is not None and member.place.path == path
        ]
    else:
        candidates = []
    for member in candidates:
        if member.name == row.name and (row.external_id is None or member.external_id is None):
            return member
    return None


def _check_member(member: KnownMember, around: Circumstances) -> None:
    if member.id in around.members:
        raise Invalid(
            "This is the same member as in row {earlier}.",
            hint="Leave out one of the rows.",
            earlier=around.members[member.id],
        )
    place = member.places[-1] if member.places else None
    if around.under and (place is None or not place.path.startswith(around.under)):
        raise Invalid(
            "This member belongs to an organisation outside of your part of the tree.",
            hint="Ask for a transfer, or ask the organisation above to import the row.",
        )


def _check_shared(row: CheckedRow, member: KnownMember | None, known: Known, around: Circumstances) -> bool:
    """Whether the number is somebody else's too. Raises `Invalid` if that is not expected."""
    if row.number is None:
        return False
    msisdn = row.number.msisdn
    others = [id_ for id_ in known.by_number.get(msisdn, ()) if member is None or id_ != member.id]
    if others and not around.shared:
        raise Invalid(
            "The number {number} is on record under another name: {name}.",
            hint="Correct the number or the name. If two people share the handset, import with --shared.",
            number=mask(msisdn),
            name=known.members[others[0]].name,
        )
    return bool(others) or msisdn in around.numbers


def _consent(row: CheckedRow, known: Known, around: Circumstances) -> tuple[Said | None, bool]:
    wish = row.wish or (Wish.IN if around.agreed else None)
    if wish is None or row.number is None:
        return None, False
    place = f"{around.file}, row {row.row}"
    said = Said(row.number.msisdn, wish, SOURCE, place if row.wish else f"{around.agreed} ({place})")
    present = known.wishes.get(said.msisdn)
    if row.wish is None and present is not None:
        # what is said of everyone is no answer to what was said of one
        return None, present.wish == Wish.OUT
    if stays_out(present, said):
        return None, True
    out_in_this_file = (
        said.msisdn in around.numbers and present is not None and present.wish == Wish.OUT and said.wish == Wish.IN
    )
    # of two who share a handset, the one who wants nothing is heard
    return (said if changes(present, said) and not out_in_this_file else None), False


def _create(row: CheckedRow, around: Circumstances) -> Decision:
    standing = row.standing or AT_HOME
    place = PlaceRow(
        id=None,
        organisation=row.organisation or around.default_organisation,
        organisation_id=None,
        status=standing.status,
        mobile=standing.mobile,
        valid_from=row.joined_on or around.on,
    )
    values = {
        "name": row.name,
        "external_id": row.external_id,
        "birthday": row.birthday,
        "tags": list(row.tags),
        "fields": dict(row.fields),
    }
    return Decision(row, values=values, number=row.number, places=(place,))


def _update(row: CheckedRow, member: KnownMember, known: Known, around: Circumstances) -> Decision:
    values = {
        "name": row.name,
        "external_id": row.external_id or member.external_id,
        "birthday": row.birthday or member.birthday,
        "tags": list(row.tags) or member.tags,
        "fields": {**member.fields, **row.fields},
    }
    same = all(getattr(member, column) == value for column, value in values.items())
    number, prefer = _number(row, member)
    return Decision(
        row,
        before=member,
        values=None if same else values,
        number=number,
        prefer=prefer,
        places=_places(row, member, known, around),
    )


def _number(row: CheckedRow, member: KnownMember) -> tuple[Parsed | None, int | None]:
    """A number that is new for the member, or the id of one of theirs that is to be preferred from now on."""
    if row.number is None:
        return None, None
    for held in member.numbers:
        if held.msisdn == row.number.msisdn:
            return None, None if held.preferred else held.id
    return row.number, None


def _places(row: CheckedRow, member: KnownMember, known: Known, around: Circumstances) -> tuple[PlaceRow, ...]:
    places = [_row_of(place) for place in member.places]
    if row.joined_on is not None and places:
        places[0] = _joined(row.joined_on, places)
    current = next((place for place in places if place.valid_until is None), None)
    if current is None:
        return (*_changed(places, member.places), _reopened(row, member.places, around))
    path = member.place.path if member.place else None
    moved = row.organisation is not None and known.organisations.get(row.organisation) != path
    standing = row.standing or Standing(Status(current.status), current.mobile)
    after = replace(
        current,
        organisation=row.organisation if moved else None,
        status=standing.status.value,
        mobile=standing.mobile,
    )
    if after == current:
        return _changed(places, member.places)
    index = places.index(current)
    if current.valid_from >= around.on:
        places[index] = after
        return _changed(places, member.places)
    places[index] = replace(current, valid_until=around.on)
    return (*_changed(places, member.places), replace(after, id=None, valid_from=around.on))


def _joined(joined_on: date, places: Sequence[PlaceRow]) -> PlaceRow:
    first = places[0]
    if first.valid_until is not None and joined_on >= first.valid_until:
        raise Invalid(
            "joined_on is {day}, but the member's standing changed on {changed} already.",
            hint="Correct the day, or leave the cell empty.",
            day=joined_on,
            changed=first.valid_until,
        )
    return replace(first, valid_from=joined_on)


def _reopened(row: CheckedRow, places: Sequence[Place], around: Circumstances) -> PlaceRow:
    standing = row.standing or AT_HOME
    stays = row.organisation is None and bool(places)
    return PlaceRow(
        id=None,
        organisation=None if stays else row.organisation or around.default_organisation,
        organisation_id=places[-1].organisation_id if stays else None,
        status=standing.status.value,
        mobile=standing.mobile,
        valid_from=max([around.on, *(place.valid_until for place in places if place.valid_until)]),
    )


def _row_of(place: Place) -> PlaceRow:
    return PlaceRow(
        id=place.id,
        organisation=None,
        organisation_id=place.organisation_id,
        status=place.status,
        mobile=place.mobile,
        valid_from=place.valid_from,
        valid_until=place.valid_until,
    )


def _changed(rows: Sequence[PlaceRow], places: Sequence[Place]) -> tuple[PlaceRow, ...]:
    return tuple(row for row, place in zip(rows, places, strict=True) if row != _row_of(place))
