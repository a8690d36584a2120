"""The rows of a file of organisations, and where each one belongs: decided without the database."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path

from subscribers.cells import unprotect
from subscribers.errors import BroadsheetError, Conflict, Invalid
from subscribers.importing.rejects import RefusedRow
from subscribers.importing.rows import read_date
from subscribers.organisations import Node, clean_path, is_within
from subscribers.sheets import Limits, Row, data_rows, open_sheet
from subscribers.tree_changes import clean_kind, clean_name

#: field -> headings, as they are compared: without spaces, in small letters
HEADINGS = {
    "path": "path organisation organization organisationpath 组织 路径 组织路径 组织全称 全称",
    "name": "name organisationname 名称 组织名称 单位名称 支部名称",
    "parent": "parent under parentorganisation 上级 上级组织 上级名称 所属上级",
    "kind": "kind type 类别 类型 组织类别 组织类型",
    "opened_on": "openedon opened founded 成立日期 成立时间 建立日期",
}
_FIELDS = {heading: name for name, headings in HEADINGS.items() for heading in headings.split()}


@dataclass(frozen=True, slots=True)
class File:
    """A file whose row of headings was found; `rows` reads it."""

    headings: tuple[str, ...]
    fields: Mapping[str, int]
    rows: Callable[[], Iterator[Row]]


@dataclass(slots=True)
class Entry:
    """One row: an organisation by its path, or by its name and what is above it."""

    row: int
    cells: tuple[str, ...]
    path: str = ""
    name: str = ""
    parent: str = ""
    kind: str = ""
    opened_on: date | None = None


@dataclass(slots=True)
class Placed:
    """What is to be done: path of names -> its row; and the rows that cannot be used."""

    entries: dict[str, Entry] = field(default_factory=dict)
    refused: list[RefusedRow] = field(default_factory=list)

    def refuse(self, entry: Entry, error: BroadsheetError) -> None:
        """Leave a row out, with the reason."""
        self.refused.append(RefusedRow(entry.row, error.message, error.hint, error.fields, entry.cells))


def open_file(path: Path, limits: Limits) -> File:
    """Find the row of headings. Raises `Invalid` for a file that is no list of organisations."""
    sheet = open_sheet(path, limits)
    samples = sheet.samples()
    for sample in samples:
        for number, cells in sample.rows:
            fields = {
                _FIELDS[plain]: at for at, cell in reversed([*enumerate(cells)]) if (plain := _plain(cell)) in _FIELDS
            }
            if "path" in fields or "name" in fields:
                headings = tuple(unprotect(cell.strip()) for cell in cells)
                return File(headings, fields, partial(data_rows, sheet, sample, limits, after=number))
    # a broken quote hides the headings too, and is the better thing to tell
    for _ in sheet.rows(samples[0]):
        pass
    raise Invalid(
        "{file} has no row of headings with organisations.",
        hint="Write path,kind (or 组织,类别), or name,parent,kind (or 名称,上级,类别) over the columns.",
        file=sheet.file,
    )


def read_entries(file: File, placed: Placed) -> list[Entry]:
    """Every row that has something in it; those with faults of their own are refused already."""
    entries = []
    for number, cells in file.rows():
        entry = Entry(number, tuple(cells))
        given = {name: unprotect(cells[at]).strip() for name, at in file.fields.items() if at < len(cells)}
        try:
            entry.path = clean_path(given["path"]) if given.get("path") else ""
            entry.name = clean_name(given["name"]) if given.get("name") else ""
            entry.parent = clean_path(given["parent"]) if given.get("parent") else ""
            entry.kind = clean_kind(given.get("kind", ""))
            entry.opened_on = read_date(given["opened_on"], "opened_on") if given.get("opened_on") else None
            if not entry.path and not entry.name:
                raise Invalid("The row names no organisation.", hint="Give its path, or its name and what is above it.")
        except Invalid as error:
            placed.refuse(entry, error)
        else:
            entries.append(entry)
    return entries


def place(entries: Sequence[Entry], nodes: Iterable[Node], home: str, placed: Placed) -> None:
    """Give every row its path of names, or refuse it. `nodes`: what is there already, of the actor's part, `home`."""
    there = {node.names: node for node in nodes}
    paths = _paths(entries, there, placed)
    implied = {above for entry in entries if entry.path for above in _all_above(entry.path)}
    left_out: dict[str, Entry] = {}
    # from the top down, so that a row under a refused one is told so
    for entry in sorted((entry for entry in entries if entry.row in paths), key=lambda one: paths[one.row].count("/")):
        path = paths[entry.row]
        upper = path.rpartition("/")[0]
        try:
            clean_path(path)
            _refuse_outside(path, home)
            _refuse_closed(path, there)
            if upper in left_out:
                raise _hangs_from_refused(left_out[upper])
            is_known = upper in there or upper in placed.entries or upper in implied
            if entry.parent and not entry.path and not is_known:
                raise _no_such(entry.parent)
            if path in placed.entries:
                raise Conflict(
                    "The organisation {path} is in row {row} already.",
                    hint="Leave one of the rows out.",
                    path=path,
                    row=placed.entries[path].row,
                )
        except BroadsheetError as error:
            if path not in placed.entries:
                left_out[path] = entry
            placed.refuse(entry, error)
        else:
            placed.entries[path] = entry


def _paths(entries: Sequence[Entry], there: Mapping[str, Node], placed: Placed) -> dict[int, str]:
    """Row -> path of names. Rows that hang from one another are followed upwards, each once."""
    known: dict[str, list[str]] = {}
    for names in there:
        known.setdefault(names.rpartition("/")[2], []).append(names)
    by_name: dict[str, list[Entry]] = {}
    for entry in entries:
        by_name.setdefault(entry.path.rpartition("/")[2] or entry.name, []).append(entry)
    paths: dict[int, str] = {}
    refused: set[int] = set()
    for first in entries:
        chain: list[Entry] = []
        inside: set[int] = set()
        here: Entry | None = first
        above: str | BroadsheetError = ""
        while here is not None and here.row not in paths and here.row not in refused and here.row not in inside:
            chain.append(here)
            inside.add(here.row)
            here, above = _step(here, by_name, there, known)
        if here is not None and here.row in inside:
            above = Conflict(
                "{name} would be under itself: the rows go in a circle.",
                hint="Look at the column of what is above, from row {row} on.",
                name=here.name,
                row=here.row,
            )
        elif here is not None:
            above = paths[here.row] if here.row in paths else _hangs_from_refused(here)
        for waiting in reversed(chain):
            if isinstance(above, BroadsheetError):
                refused.add(waiting.row)
                placed.refuse(waiting, above)
                # all of a circle are told so; who hangs from a refused row is told which it is
                is_circle = isinstance(above, Conflict) and waiting is not here
                above = above if is_circle else _hangs_from_refused(waiting)
            else:
                above = waiting.path or (f"{above}/{waiting.name}" if above else waiting.name)
                paths[waiting.row] = above
    return paths


def _step(
    entry: Entry,
    by_name: Mapping[str, list[Entry]],
    there: Mapping[str, Node],
    known: Mapping[str, list[str]],
) -> tuple[Entry | None, str | BroadsheetError]:
    """One step up: the row that is above this one, or the path of names that is, or why there is none."""
    if entry.path or not entry.parent:
        return None, ""
    if "/" in entry.parent:
        return None, entry.parent
    rows = by_name.get(entry.parent, [])
    if len({(row.path, row.parent) for row in rows}) == 1:
        return rows[0], ""
    names = known.get(entry.parent, [])
    if not rows and len(names) == 1:
        return None, names[0]
    if not rows and entry.parent in there:
        return None, entry.parent
    if rows or names:
        return None, Invalid(
            "{parent} is the name of {number} organisations.",
            hint="Write its path from the top down, like City/Branch.",
            parent=entry.parent,
            number=len(rows) or len(names),
        )
    return None, _no_such(entry.parent)


def _no_such(parent: str) -> Invalid:
    return Invalid(
        "There is no organisation {parent}, here or in the file.",
        hint="Give it a row of its own, or correct the name.",
        parent=parent,
    )


def _hangs_from_refused(entry: Entry) -> Invalid:
    return Invalid("What is above it, in row {row}, is refused.", hint="Correct row {row} first.", row=entry.row)


def _refuse_outside(path: str, home: str) -> None:
    if not is_within(path, home):
        raise Invalid("{path} lies outside of {home}.", hint="Begin the path with {home}.", path=path, home=home)


def _refuse_closed(path: str, there: Mapping[str, Node]) -> None:
    """What is there already may be told about, closed or not; nothing new comes under what is closed."""
    if path in there:
        return
    for above in _all_above(path):
        if above in there:
            if there[above].closed_on is not None:
                raise Conflict("{path} is closed.", hint="Open it again first, or choose another.", path=above)
            return


def _all_above(path: str) -> Iterator[str]:
    """The paths of names of what is above, the nearest first."""
    while path := path.rpartition("/")[0]:
        yield path


def _plain(heading: str) -> str:
    return re.sub(r"[\s_*:\ufeff-]", "", unicodedata.normalize("NFKC", unprotect(heading)).casefold())
