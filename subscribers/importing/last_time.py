"""What was chosen for a list the last time, to be suggested for the next one with the same headings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from subscribers.actor import Actor, Right, needs
from subscribers.cells import unprotect
from subscribers.importing.columns import Columns, is_of_refusal
from subscribers.importing.past import of_members
from subscribers.models import ImportRun
from subscribers.sheets import Limits, open_sheet
from subscribers.sheets.headings import plain_heading

#: imports that are looked through, the newest first
_LOOKED_AT = 200
#: characters of headings and of the sentence, which stay for good: nobody writes more
_MOST = 20_000


@dataclass(frozen=True, slots=True)
class LastTime:
    """One import and what was chosen for it: heading -> field, "" for a column kept under its own heading."""

    file_name: str
    by: str
    at: datetime
    is_undone: bool
    columns: Mapping[str, str]
    shared: bool
    agreed: str

    def was_read_as(self, columns: Mapping[str, str]) -> bool:
        """Whether these headings, those kept as they are left out, are read as they were then."""
        then, now = ({plain_heading(head): field for head, field in each.items()} for each in (self.columns, columns))
        return {head: field for head, field in then.items() if field} == now


def choices(columns: Columns, *, shared: bool, agreed: str) -> dict[str, Any] | None:
    """What an import keeps of them; None where that would be more than anybody chose."""
    read = {columns.headings[index]: field for field, index in columns.fields.items()}
    chosen = {heading: read.get(heading, "") for heading in columns.headings if _plain(heading)}
    if sum(map(len, chosen)) + len(agreed) > _MOST:
        return None
    return {"columns": chosen, "shared": shared, "agreed": agreed}


@needs(Right.REGISTER)
def last_time(session: Session, actor: Actor, path: Path, *, limits: Limits | None = None) -> LastTime | None:
    """The newest import with the headings of this file, in any order, of those that the actor may take back.

    One that was undone counts as well. The columns that a file of refused rows has beside its own do not. Raises
    `Invalid` for a file that cannot be read.
    """
    kept = of_members(actor).where(ImportRun.choices.is_not(None)).limit(_LOOKED_AT)
    known: dict[frozenset[str], LastTime] = {}
    for run in session.scalars(kept):
        chosen = run.choices or {}
        last = LastTime(run.file_name, run.actor, run.at, run.undone_at is not None, **chosen)
        known.setdefault(_headings(last.columns), last)
    if not known:
        return None
    rows = (cells for sample in open_sheet(path, limits or Limits()).samples() for _, cells in sample.rows)
    return next((known[found] for cells in rows if (found := _headings(cells)) in known), None)


def _headings(cells: Iterable[str]) -> frozenset[str]:
    return frozenset(filter(None, map(_plain, cells)))


def _plain(heading: str) -> str:
    """What a heading is told apart by; empty where it says nothing of the list."""
    written = unprotect(heading.strip())
    return "" if is_of_refusal(written) else plain_heading(written)
