"""Rows of a file that were refused, as they are told and documented."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from broadcaster.language import filled, in_a_row, ntr, tr
from broadcaster.words import kind_words
from subscribers.errors import Invalid
from subscribers.importing import RefusedRow, kinds_of

#: refused rows that are shown; the others are counted
SHOWN = 10


def check_rejects(rejects: Path | None, file: Path) -> None:
    """Raise `Invalid`, before anything is written, if the refused rows could not be written down, or over the file."""
    if rejects is None:
        return
    if rejects.resolve() == file.resolve():
        raise Invalid("The refused rows would replace {file} itself.", hint="Name another file.", file=file.name)
    if not rejects.resolve().parent.is_dir():
        raise Invalid("There is no folder {folder}.", hint="Make it first.", folder=rejects.resolve().parent)


def refusals(refused: Sequence[RefusedRow]) -> list[dict[str, object]]:
    """For the document: which row, and why."""
    return [{"row": one.row, "reason": reason(one)} for one in refused]


def refusal_lines(refused: Sequence[RefusedRow], rejects: Path | None) -> list[str]:
    """The first of them with their reasons, and where all are."""
    if not refused:
        return []
    lines = [tr("Refused rows:"), *(map("  ".__add__, _kinds(refused)) if len(refused) > SHOWN else ())]
    lines += ["  " + tr("row {row}: {reason}", row=one.row, reason=reason(one)) for one in refused[:SHOWN]]
    if more := max(0, len(refused) - SHOWN):
        lines.append("  " + ntr("and {n} more", "and {n} more", more))
    if rejects is None:
        return [*lines, tr("--rejects FILE writes them down, to be corrected and imported again.")]
    where = tr("All refused rows, with their reasons, are in {file}: correct them there and import it.", file=rejects)
    return [*lines, where]


def _kinds(refused: Sequence[RefusedRow]) -> list[str]:
    """How many rows have which kind of fault: what decides whether to mend the file or the columns."""
    return [
        kind_words(n, filled(one.message, one.fields), is_example=is_example)
        for n, one, is_example in kinds_of(refused)
    ]


def reason(refused: RefusedRow) -> str:
    """Why a row was refused, and what to do, in the reader's language."""
    return in_a_row(*(filled(each, refused.fields) for each in (refused.message, refused.hint)))
