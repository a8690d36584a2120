"""A checked row against what is known: somebody new, a change, nothing new, or a refusal. No database here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from subscribers.consent import Said, changes, stays_out
from subscribers.errors import Invalid
from subscribers.importing.known import Known, KnownMember, KnownNumber, Place
from subscribers.importing.matching import Circumstances, is_shared, match
from subscribers.importing.rows import CheckedRow, Standing
from subscribers.models import Status, Wish
from subscribers.msisdn import Parsed
from subscribers.organisations import is_within

SOURCE = "import"
AT_HOME = Standing(Status.IN_SERVICE, mobile=False)


@dataclass(slots=True)
class PlaceRow:
    """A membership to write: a new one if it has no id; in `organisation` (names) if given, else where it was."""

    id: int | None
    organisation: str | None
    organisation_id: int | None
    status: str
    mobile: bool
    away_place: str | None
    host_branch: str | None
    valid_from: date
    valid_until: date | None = None


@dataclass(slots=True)
class Decision:
    """What one row does. `before` is None for somebody new, who is all that the row says.

    The rest, but for the wish, is of somebody who was there before; `values` is None if their own data stay.
    """

    row: CheckedRow
    before: KnownMember | None
    values: dict[str, Any] | None = None
    #: numbers to add
    numbers: Sequence[Parsed] = ()
    #: the number that is used from now on, one of those to add or of those they have; None: as before
    prefer: str | None = None
    #: memberships to write, of somebody who was there before
    places: Sequence[PlaceRow] = ()
    #: what the holder of the first number wants, if that is news; `first_word` if nothing was on record of them
    wish: Wish | None = None
    first_word: bool = True
    #: a number is another member's too, and both keep it
    shares: bool = False
    still_out: bool = False

    @property
    def changes_something(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.before is None or self.values or self.numbers or self.prefer or self.places or self.wish)


def decide(row: CheckedRow, known: Known, around: Circumstances) -> Decision:
    """What the row does. Raises `Invalid` if it must be refused."""
    if around.home and row.organisation and not is_within(row.organisation, around.home):
        raise Invalid(
            "{organisation} is outside of your part of the tree.",
            hint="Begin the path with {home}.",
            organisation=row.organisation,
            home=around.home,
        )
    member = match(row, known, around)
    if around.closed:
        _check_open(row, member, known, around)
    shares = is_shared(row, member, known, around)
    decision = Decision(row, None) if member is None else _update(row, member, known, around)
    decision.shares = shares
    decision.wish, decision.still_out = _consent(row, known, around)
    if decision.wish is not None:
        decision.first_word = row.numbers[0].msisdn not in known.wishes
    return decision


def _check_open(row: CheckedRow, member: KnownMember | None, known: Known, around: Circumstances) -> None:
    """Raises `Invalid` if the row puts somebody into a closed organisation who is not there already."""
    if member is not None and row.organisation is None:
        return
    names = row.organisation or around.default_organisation
    path = known.organisations.get(names, "")
    stays = member is not None and member.place is not None and member.place.path == path
    if path in around.closed and not stays:
        raise Invalid(
            "{organisation} is closed since {day}, and takes nobody in.",
            hint="Name another organisation, or open it again.",
            organisation=names,
            day=around.closed[path],
        )


def note(decision: Decision, known: Known, around: Circumstances) -> None:
    """Remember whom the row was about, for the rows after it."""
    row = decision.row
    for number in row.numbers:
        known.rows_by_number.setdefault(number.msisdn, row.row)
        if around.shared and decision.before is None:
            known.rows_by_person.setdefault((number.msisdn, row.name), []).append((row.row, row.external_id))
    if row.numbers:
        known.used_by_rows.add(row.numbers[0].msisdn)
    if row.external_id is not None:
        known.rows_by_external_id[row.external_id] = row.row
    if not row.numbers and not (decision.before and decision.before.numbers):
        known.rows_by_place[row.name, row.organisation or around.default_organisation] = row.row
    if decision.before is not None:
        around.rows[decision.before.id] = row.row
        known.remember(_after(decision, decision.before))
    if decision.wish is not None:
        said = around.first_word(decision.wish)
        known.wishes[row.numbers[0].msisdn] = said if decision.first_word else replace(said, collective=False)


def _after(decision: Decision, before: KnownMember) -> KnownMember:
    """The member as this decision leaves them, as far as others are compared with them."""
    held = [replace(one, preferred=one.msisdn == decision.prefer) if decision.prefer else one for one in before.numbers]
    added = [
        KnownNumber(0, one.msisdn, one.kind, preferred=one.msisdn == decision.prefer, shared=decision.shares)
        for one in decision.numbers
    ]
    values = decision.values or {}
    return replace(
        before,
        name=values.get("name", before.name),
        external_id=values.get("external_id", before.external_id),
        numbers=[*held, *added],
    )


def _consent(row: CheckedRow, known: Known, around: Circumstances) -> tuple[Wish | None, bool]:
    """The wish to write down for the number that is used, if it is news; and whether its holder stays out."""
    if not row.numbers:
        return None, False
    wish = row.wish or (Wish.IN if around.agreed else None)
    if wish is None:
        return None, False
    msisdn = row.numbers[0].msisdn
    present = known.wishes.get(msisdn)
    if msisdn in known.forgotten and wish == Wish.IN and present is None:
        return None, True
    if present is None:
        return wish, False
    if row.wish is None:
        # what is said of everyone is no answer to what was said of one
        return None, present.wish == Wish.OUT
    said = Said(msisdn, wish, SOURCE)
    if stays_out(present, said):
        return None, True
    # of two who share a handset, the one who wants nothing is heard
    out_in_this_file = present.wish == Wish.OUT and wish == Wish.IN and present.import_run_id == around.import_id
    return (wish if changes(present, said) and not out_in_this_file else None), False


def standing_of(row: CheckedRow, otherwise: Standing = AT_HOME) -> Standing:
    """The standing that a row tells, if it tells one. Who lives somewhere else lives away, said twice or not."""
    standing = row.standing or otherwise
    return Standing(standing.status, mobile=True) if row.away_place or row.host_branch else standing


def _update(row: CheckedRow, member: KnownMember, known: Known, around: Circumstances) -> Decision:
    values = {
        "name": row.name,
        "external_id": row.external_id or member.external_id,
        "birthday": row.birthday or member.birthday,
        "tags": list(row.tags) or member.tags,
        "fields": {**member.fields, **row.fields},
    }
    same = all(getattr(member, column) == value for column, value in values.items())
    held = {number.msisdn for number in member.numbers}
    prefer = row.numbers[0].msisdn if row.numbers and not member.uses(row.numbers[0].msisdn) else None
    return Decision(
        row,
        member,
        values=None if same else values,
        numbers=[number for number in row.numbers if number.msisdn not in held],
        prefer=prefer,
        places=_places(row, member, known, around),
    )


def _places(row: CheckedRow, member: KnownMember, known: Known, around: Circumstances) -> tuple[PlaceRow, ...]:
    places = [_row_of(place) for place in member.places]
    if row.joined_on is not None and places:
        places[0] = _joined(row.joined_on, places)
    current = next((place for place in places if place.valid_until is None), None)
    if current is None:
        return (*_changed(places, member.places), _reopened(row, member.places, around))
    path = member.place.path if member.place else None
    moved = row.organisation is not None and known.organisations.get(row.organisation) != path
    standing = standing_of(row, Standing(Status(current.status), current.mobile))
    after = replace(
        current,
        organisation=row.organisation if moved else None,
        status=standing.status.value,
        mobile=standing.mobile,
        away_place=(row.away_place or current.away_place) if standing.mobile else None,
        host_branch=(row.host_branch or current.host_branch) if standing.mobile else None,
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
            "The day of joining is {day}, but the member's status changed on {changed} already.",
            hint="Correct the day, or leave the cell empty.",
            day=joined_on,
            changed=first.valid_until,
        )
    return replace(first, valid_from=joined_on)


def _reopened(row: CheckedRow, places: Sequence[Place], around: Circumstances) -> PlaceRow:
    standing = standing_of(row)
    stays = row.organisation is None and bool(places)
    return PlaceRow(
        None,
        None if stays else row.organisation or around.default_organisation,
        places[-1].organisation_id if stays else None,
        standing.status.value,
        standing.mobile,
        row.away_place,
        row.host_branch,
        max([around.on, *(place.valid_until for place in places if place.valid_until)]),
    )


def _row_of(place: Place) -> PlaceRow:
    return PlaceRow(
        place.id,
        None,
        place.organisation_id,
        place.status,
        place.mobile,
        place.away_place,
        place.host_branch,
        place.valid_from,
        place.valid_until,
    )


def _changed(rows: Sequence[PlaceRow], places: Sequence[Place]) -> tuple[PlaceRow, ...]:
    return tuple(row for row, place in zip(rows, places, strict=True) if row != _row_of(place))
