"""Decisions -> rows of the database, a portion at a time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import repeat

from sqlalchemy.orm import Session

from subscribers.actor import Actor
from subscribers.bulk import Cell, Ids, Loader, Rows
from subscribers.consent import said_of_many
from subscribers.importing.changing import write_changes
from subscribers.importing.decisions import SOURCE, Decision, standing_of
from subscribers.importing.matching import Circumstances
from subscribers.importing.plain import Plain
from subscribers.models import ImportSpan, Member, Membership, Number, NumberKind, Subscription, Wish
from subscribers.msisdn import operator
from subscribers.names import search_key
from subscribers.organisations import ensure_paths, find_paths

_MEMBER = ("id", "external_id", "name", "search_key", "birthday", "tags", "fields", "created_at")
_NUMBER = ("id", "member_id", "msisdn", "kind", "preferred", "shared", "operator")
_MEMBERSHIP = (
    "id",
    "member_id",
    "organisation_id",
    "status",
    "mobile",
    "away_place",
    "host_branch",
    "valid_from",
    "valid_until",
)
_SUBSCRIPTION = ("msisdn", "wish", "since", "consent_id")
#: rows of a portion after which another one like it is to be expected
_MANY = 1000


@dataclass(slots=True)
class Writer:
    """What the writing of one file needs, and what it keeps for the end."""

    session: Session
    actor: Actor
    loader: Loader
    around: Circumstances
    #: paths of names -> paths of ids, of all organisations met so far
    organisations: dict[str, str]
    members: Ids
    numbers: Ids
    memberships: Ids
    #: the wish, and whether the row itself said so -> the evidence that such wishes rest on
    evidence: dict[tuple[Wish, bool], str] = field(default_factory=dict)
    #: first and last ids of the members that this file made, ascending; refused rows leave holes in them
    runs: list[tuple[int, int]] = field(default_factory=list)
    #: paths of names of organisations that were not there before
    made: list[str] = field(default_factory=list)
    #: ids of these, and of what had to be made above them
    places: list[int] = field(default_factory=list)
    #: the beginning of a Chinese mobile number, which tells its operator -> the operator
    _operators: _Operators = field(init=False)
    _search_keys: _SearchKeys = field(default_factory=lambda: _SearchKeys())

    _last_member: int = 0
    _last_number: int = 0
    #: for the plain rows of the portion, and for rows that are written later
    _plain_ids: list[int] = field(default_factory=list)
    _reserved: dict[int, int] = field(default_factory=dict)
    #: rows that wait to be written, and how many of their members were plain
    _tables: tuple[Rows, Rows, Rows, Rows] = field(init=False)
    _plain: int = 0

    def __post_init__(self) -> None:
        self._tables = _empty()
        self._operators = _Operators(self.loader.null)

    def reserve(self, rows: Sequence[int], later: Sequence[int]) -> None:
        """Have ids for these rows of a portion, so that members stand in the registry in the order of the file.

        `later`: those of them that are not plain, and may be written after rows that follow them.
        """
        self._have_ids(members=len(rows))
        block = self.members.take_all(len(rows))
        self._add_runs(block)
        if later:
            ids = dict(zip(rows, block, strict=True))
            self._reserved.update((row, ids.pop(row)) for row in later)
            block = list(ids.values())
        self._plain_ids = block

    def forget_reserved(self) -> None:
        """No row waits any more: ids that nobody needed are left out."""
        self._reserved.clear()

    @property
    def spans(self) -> list[ImportSpan]:
        """Which members this file made; a number that one of them gets later has a greater id than the last one."""
        return [
            ImportSpan(
                import_run_id=self.around.import_id,
                first_id=first,
                # SQLite gives ids behind the last member away again
                last_id=min(last, self._last_member),
                last_number_id=self._last_number,
            )
            for first, last in self.runs
            if first <= self._last_member
        ]

    def add_plain(self, plain: Plain) -> None:
        """Put plain rows together, to be written by the next `write`; their ids are reserved."""
        count = len(plain.rows)
        self._have_places(set(plain.organisations))
        self._have_evidence({wish for wish in set(plain.wishes) if wish is not None})
        self._have_ids(numbers=count, memberships=count)
        self._add_plain(plain, self._plain_ids)
        self._plain = count

    def write(self, decisions: Sequence[Decision]) -> None:
        """Write the plain rows, and what was decided of others. New members may still be on their way at its end."""
        new = [decision for decision in decisions if decision.before is None]
        members, numbers = len(new), sum([len(decision.row.numbers) for decision in new])
        if decisions:
            self._have_places(
                {decision.row.organisation or self.around.default_organisation for decision in new}
                | {place.organisation for decision in decisions for place in decision.places if place.organisation}
            )
            self._have_evidence(
                {(d.wish, d.row.wish is not None) for d in decisions if d.wish is not None and d.first_word}
            )
            self._have_ids(members, numbers, members)
            self._add(new)
        tables, self._tables = self._tables, _empty()
        self.loader.wait()
        if self._plain >= _MANY:
            # now, while nothing is being written: the next portion need not wait for its ids
            rows = self._plain + members
            self._have_ids(rows, self._plain + numbers, rows)
        self._plain = 0
        self.loader.write(tables)
        changed = [decision for decision in decisions if decision.before is not None or not decision.first_word]
        sharing = [decision for decision in new if decision.shares]
        if changed or sharing:
            self.loader.wait()
            write_changes(
                self.session,
                self.actor,
                changed,
                sharing,
                self.organisations,
                numbers=self.numbers,
                memberships=self.memberships,
                around=self.around,
            )

    def _have_places(self, named: set[str]) -> None:
        """Have these organisations; those that are missing are made."""
        if missing := named - self.organisations.keys():
            self.loader.wait()
            self.organisations |= find_paths(self.session, missing)
            if new := missing - self.organisations.keys():
                self.made += sorted(new)
                ensure_paths(self.session, self.actor, new, now=self.around.now)
                found = find_paths(self.session, new)
                self.places += [
                    int(path.rsplit("/", 2)[-2]) for names, path in found.items() if names not in self.organisations
                ]
                self.organisations |= found

    def _have_evidence(self, said: set[tuple[Wish, bool]]) -> None:
        for wish, by_row in said - self.evidence.keys():
            self.loader.wait()
            self.evidence[wish, by_row] = str(self._said(wish, by_row=by_row))

    def _have_ids(self, members: int = 0, numbers: int = 0, memberships: int = 0) -> None:
        needed = ((self.members, members), (self.numbers, numbers), (self.memberships, memberships))
        if not all(ids.holds(count) for ids, count in needed):
            self.loader.wait()
            for ids, count in needed:
                ids.provide(count)

    def _said(self, wish: Wish, *, by_row: bool) -> int:
        around = self.around
        return said_of_many(
            self.session,
            self.actor,
            wish,
            source=SOURCE,
            wording=around.file if by_row else f"{around.agreed} ({around.file})",
            import_run_id=around.import_id,
            now=around.now,
        )

    def _add_plain(self, plain: Plain, member_ids: Sequence[int]) -> None:
        count = len(plain.rows)
        members, numbers, memberships, subscriptions = self._tables
        null, at = self.loader.null, self.loader.instant(self.around.now)
        number_ids = self.numbers.take_all(count)
        ids = list(map(str, member_ids))
        members.cells += zip(
            ids,
            [external_id or null for external_id in plain.external_ids],
            plain.names,
            map(self._search_keys.__getitem__, plain.names),
            plain.birthdays,
            plain.tags,
            plain.own_fields,
            repeat(at, count),
            strict=True,
        )
        operators = [self._operators[msisdn[:7]] for msisdn in plain.msisdns]
        each = [repeat(cell, count) for cell in (NumberKind.MOBILE.value, "1", "0")]
        numbers.cells += zip(map(str, number_ids), ids, plain.msisdns, *each, operators, strict=True)
        statuses, away = zip(*plain.standings, strict=True) if count else ((), ())
        memberships.cells += zip(
            map(str, self.memberships.take_all(count)),
            ids,
            [self._organisation_id(names) for names in plain.organisations],
            statuses,
            away,
            repeat(null, count),
            repeat(null, count),
            plain.joined,
            repeat(null, count),
            strict=True,
        )
        subscriptions.cells += [
            (msisdn, wish[0].value, at, self.evidence[wish])
            for msisdn, wish in zip(plain.msisdns, plain.wishes, strict=True)
            if wish is not None
        ]
        self._remember(plain.rows, member_ids, number_ids)

    def _organisation_id(self, names: str) -> str:
        return self.organisations[names].rsplit("/", 2)[-2]

    def _add(self, new: Sequence[Decision]) -> None:
        """The rows of somebody new: who they are, their numbers, their place, their first word."""
        members, numbers, memberships, subscriptions = self._tables
        null, text = self.loader.null, self.loader.cell
        at, today = self.loader.instant(self.around.now), str(self.around.on)
        default = self.around.default_organisation
        member_ids = [self._id_of(decision.row.row) for decision in new]
        place_ids = self.memberships.take_all(len(new))
        number_ids = self.numbers.take_all(sum([len(decision.row.numbers) for decision in new]))
        number_id = iter(map(str, number_ids))
        for decision, member_id, place_id in zip(new, member_ids, place_ids, strict=True):
            row = decision.row
            id_ = str(member_id)
            name, key = row.name, search_key(row.name)
            if (cell := text(name)) is not name:
                name, key = cell, text(key)
            members.cells.append(
                (
                    id_,
                    text(row.external_id) if row.external_id else null,
                    name,
                    key,
                    str(row.birthday) if row.birthday else null,
                    text(json.dumps(row.tags, ensure_ascii=False)) if row.tags else "[]",
                    text(json.dumps(dict(row.fields), ensure_ascii=False)) if row.fields else "{}",
                    at,
                )
            )
            preferred, shared = "1", "1" if decision.shares else "0"
            for number in row.numbers:
                msisdn = number.msisdn
                numbers.cells.append(
                    (next(number_id), id_, msisdn, number.kind, preferred, shared, operator(msisdn) or null)
                )
                preferred = "0"
            standing = standing_of(row)
            memberships.cells.append(
                (
                    str(place_id),
                    id_,
                    self._organisation_id(row.organisation or default),
                    standing.status,
                    "1" if standing.mobile else "0",
                    text(row.away_place) if row.away_place else null,
                    text(row.host_branch) if row.host_branch else null,
                    str(row.joined_on) if row.joined_on else today,
                    null,
                )
            )
            if decision.wish is not None and decision.first_word:
                evidence = self.evidence[decision.wish, row.wish is not None]
                subscriptions.cells.append((row.numbers[0].msisdn, decision.wish, at, evidence))
        self._remember([decision.row.row for decision in new], member_ids, number_ids)

    def _id_of(self, row: int) -> int:
        if (reserved := self._reserved.pop(row, None)) is not None:
            return reserved
        taken = self.members.take()
        self._add_runs([taken])
        return taken

    def _remember(self, rows: Sequence[int], member_ids: Sequence[int], number_ids: Sequence[int]) -> None:
        """Which member came of which row, and the last ids."""
        self._last_member = max([self._last_member, *member_ids])
        for row, member_id in zip(rows, member_ids, strict=True):
            self.around.rows[member_id] = row
        self._last_number = number_ids[-1] if number_ids else self._last_number

    def _add_runs(self, member_ids: Sequence[int]) -> None:
        for first, last in runs_of(member_ids):
            if self.runs and self.runs[-1][1] == first - 1:
                self.runs[-1] = (self.runs[-1][0], last)
            else:
                self.runs.append((first, last))


def _empty() -> tuple[Rows, Rows, Rows, Rows]:
    return (
        Rows(Member, _MEMBER),
        Rows(Number, _NUMBER),
        Rows(Membership, _MEMBERSHIP),
        Rows(Subscription, _SUBSCRIPTION),
    )


class _SearchKeys(dict[str, str]):
    """Names come again and again; so many keys at most are kept."""

    _MOST = 1 << 16

    def __missing__(self, name: str) -> str:
        if len(self) == self._MOST:
            self.clear()
        self[name] = key = search_key(name)
        return key


class _Operators(dict[str, Cell]):
    def __init__(self, null: Cell) -> None:
        super().__init__()
        self._null = null

    def __missing__(self, beginning: str) -> Cell:
        self[beginning] = found = operator(f"{beginning:0<14}") or self._null
        return found


def runs_of(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Ascending numbers -> first and last of each run without a gap.

    >>> runs_of([1, 2, 3, 7, 8, 11])
    [(1, 3), (7, 8), (11, 11)]
    """
    if numbers and numbers[-1] - numbers[0] == len(numbers) - 1:
        return [(numbers[0], numbers[-1])]
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs
