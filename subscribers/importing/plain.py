"""The rows of a portion against which nothing speaks, read a column at a time.

Nearly every row of a list is plain: its name is letters, its number a mobile number as it is written every day, its
other cells are what many rows say, and nobody of that number or id is on record. Such rows need no decision. Python
is slow where it touches a row, and fast where it maps a column: four times, here. Whatever is not plain goes the long
way, over `rows`, `matching` and `decisions`, and comes to the same: tests/subscribers/importing/test_portions.py.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from itertools import compress
from typing import Any

from sqlalchemy.orm import Session

from subscribers.bulk import Cell, Loader
from subscribers.cells import unprotect
from subscribers.errors import Invalid
from subscribers.importing.columns import Columns
from subscribers.importing.decisions import AT_HOME
from subscribers.importing.matching import Circumstances
from subscribers.importing.possible import Possible
from subscribers.importing.rows import NAME_LENGTH, TOTALS, CheckedRow, Reader
from subscribers.models import Wish
from subscribers.msisdn import chinese_mobile_form
from subscribers.organisations import find_paths, is_within
from subscribers.sheets import Row

#: a cell that needs the long way
ODD: Any = object()

_LATIN_NAME = re.compile(r"[A-Za-z]{1,40}(?:[ '-][A-Za-z]{1,40}){0,1}").fullmatch
_EXTERNAL_ID = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]{0,99}|").fullmatch


@dataclass(slots=True)
class Plain:
    """Plain rows, as columns of equal length: cells as the database takes them, unless said otherwise."""

    #: their numbers in the file
    rows: list[int]
    names: list[str]
    #: E.164, each once
    msisdns: list[str]
    #: paths of names
    organisations: list[str]
    #: status and whether they live away
    standings: list[tuple[str, str]]
    joined: list[str]
    birthdays: list[Cell]
    #: what the holder of the number wants, and whether the row itself says so; None if nobody says anything
    wishes: list[tuple[Wish, bool] | None]
    tags: list[str]
    #: each once; "" for none
    external_ids: list[str]
    own_fields: list[str]

    def without(self, keep: Sequence[bool]) -> Plain:
        """Only those to be kept."""
        return Plain(*(list(compress(getattr(self, field.name), keep)) for field in fields(self)))


def nothing() -> Plain:
    """No rows."""
    return Plain(*([] for _ in fields(Plain)))


class Told(dict[str, Any]):
    """Cell -> what it comes to, or `ODD`; worked out once, and asked in C."""

    _MOST = 200_000

    def __init__(self, come_to: Callable[[str], Any], limit: int) -> None:
        super().__init__()
        self._come_to = come_to
        self._limit = limit

    def __missing__(self, cell: str) -> Any:
        try:
            value = self._come_to(cell.strip()) if len(cell) <= self._limit else ODD
        except Invalid:
            value = ODD
        if len(self) == self._MOST:
            self.clear()
        self[cell] = value
        return value


class PlainReader:
    """Reads the plain rows of one file."""

    def __init__(
        self, columns: Columns, reader: Reader, around: Circumstances, loader: Loader, *, region: str, limit: int
    ) -> None:
        self._columns = columns
        self._width = len(columns.headings)
        self._limit = limit
        self._number = chinese_mobile_form(region)
        default_wish = (Wish.IN, False) if around.agreed else None
        text, null = loader.cell, loader.null

        def organisation(cell: str) -> str:
            names = reader.organisations[cell] or around.default_organisation
            return names if is_within(names, around.home) else ODD

        def standing(cell: str) -> tuple[str, str]:
            told = reader.standings[cell] or AT_HOME
            return told.status.value, "1" if told.mobile else "0"

        def wish(cell: str) -> tuple[Wish, bool] | None:
            said = reader.wishes[cell]
            return (said, True) if said else default_wish

        def birthday(cell: str) -> Cell:
            return str(day) if (day := reader.birthdays[cell]) else null

        def joined(cell: str) -> str:
            return str(reader.joined[cell] or around.on)

        def tags(cell: str) -> str:
            return text(json.dumps(reader.tags[cell], ensure_ascii=False)) if cell else "[]"

        self._told = [
            (field, Told(come_to, limit))
            for field, come_to in (
                ("organisation", organisation),
                ("status", standing),
                ("joined_on", joined),
                ("birthday", birthday),
                ("subscribed", wish),
                ("tags", tags),
            )
        ]
        self._text = text

    def read(self, portion: Sequence[Row]) -> tuple[Plain, list[Row]]:
        """The plain rows, and the others."""
        even = [row for row in portion if len(row[1]) == self._width]
        without = not {"name", "msisdn"} <= self._columns.fields.keys() or self._limit < NAME_LENGTH
        if without or not even:
            return nothing(), list(portion)
        columns = list(zip(*[cells for _, cells in even], strict=True))
        empty = ("",) * len(even)

        def cells(field: str) -> Sequence[str]:
            index = self._columns.fields.get(field)
            return empty if index is None else columns[index]

        names, external_ids = cells("name"), cells("external_id")
        matches = list(map(self._number, cells("msisdn")))
        told = [list(map(meaning.__getitem__, cells(field))) for field, meaning in self._told]
        own = self._own_fields(columns, len(even))
        # what is as good as all of a column costs no step per row
        good: list[list[bool]] = [] if _all_letters(names) else [_letters(names)]
        if None in matches:
            good.append([match is not None for match in matches])
        # who lives somewhere else lives away, whatever the standing says: the long way knows
        for field in ("other_numbers", "away_place", "host_branch"):
            good += [[not cell for cell in cells(field)]] if any(cells(field)) else []
        if any(external_ids) and None in (ids := list(map(_EXTERNAL_ID, external_ids))):
            good.append([match is not None for match in ids])
        good += [[value is not ODD for value in values] for values in (*told, own) if ODD in values]
        organisations, standings, joined, birthdays, wishes, tags = told
        made = Plain(
            [number for number, _ in even],
            list(names),
            [f"+86{match[1]}" if match else "" for match in matches],
            organisations,
            standings,
            joined,
            birthdays,
            wishes,
            tags,
            list(external_ids),
            own,
        )
        plain = made.without([all(flags) for flags in zip(*good, strict=True)]) if good else made
        if len(plain.rows) == len(portion):
            return plain, []
        taken = set(plain.rows)
        return plain, [row for row in portion if row[0] not in taken]

    def _own_fields(self, columns: Sequence[Sequence[str]], count: int) -> list[Any]:
        """The columns that the registry has no name for, as JSON."""
        others = self._columns.others.items()
        if not others:
            return ["{}"] * count
        headings = [heading for heading, _ in others]
        rows = zip(*(columns[index] for _, index in others), strict=True)
        return [self._own_field(headings, cells) for cells in rows]

    def _own_field(self, headings: Sequence[str], cells: Sequence[str]) -> Any:
        if max(map(len, cells)) > self._limit:
            return ODD
        kept = {heading: unprotect(cell) for heading, cell in zip(headings, map(str.strip, cells), strict=True) if cell}
        return self._text(json.dumps(kept, ensure_ascii=False))


def _all_letters(names: Sequence[str]) -> bool:
    return (
        all(map(str.isalpha, names))
        and max(map(len, names)) <= NAME_LENGTH
        and TOTALS.isdisjoint(map(str.casefold, names))
    )


def _letters(names: Sequence[str]) -> list[bool]:
    return [
        (name.isalpha() or _LATIN_NAME(name) is not None) and len(name) <= NAME_LENGTH and name.casefold() not in TOTALS
        for name in names
    ]


def sort_out(
    session: Session,
    loader: Loader,
    plain: Plain,
    checked: Sequence[CheckedRow],
    around: Circumstances,
    organisations: dict[str, str],
    maybe: Possible,
) -> tuple[Plain, list[int]]:
    """Those of the plain rows that nobody on record and no other row has to do with, and the rows of the others."""
    keys = [*plain.msisdns, *filter(None, plain.external_ids)]
    doubtful = maybe.among(keys)
    doubtful.update(number.msisdn for row in checked for number in row.numbers)
    doubtful.update(row.external_id for row in checked if row.external_id)
    if len(set(keys)) < len(keys):
        doubtful.update(key for key, times in Counter(keys).items() if times > 1)
    shut: set[str] = set()
    if around.closed:
        loader.wait()
        if missing := set(plain.organisations) - organisations.keys():
            organisations |= find_paths(session, missing)
        shut = {names for names in set(plain.organisations) if organisations.get(names) in around.closed}
    if doubtful.isdisjoint(keys) and not shut:
        return plain, []
    keep = [
        msisdn not in doubtful and external_id not in doubtful and names not in shut
        for msisdn, external_id, names in zip(plain.msisdns, plain.external_ids, plain.organisations, strict=True)
    ]
    return plain.without(keep), [row for row, kept in zip(plain.rows, keep, strict=True) if not kept]
