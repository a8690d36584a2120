"""Rows of a file that were refused, as they are told and documented."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from broadcaster.language import ntr, tr, translated
from subscribers.importing import RefusedRow

#: refused rows that are shown; the others are counted
SHOWN = 10


def refusals(refused: Sequence[RefusedRow]) -> list[dict[str, object]]:
    """For the document: which row, and why."""
    return [{"row": one.row, "reason": _reason(one)} for one in refused]


def refusal_lines(refused: Sequence[RefusedRow], rejects: Path | None) -> list[str]:
    """The first of them with their reasons, and where all are."""
    if not refused:
        return []
    lines = ["  " + tr("row {row}: {reason}", row=one.row, reason=_reason(one)) for one in refused[:SHOWN]]
    if more := max(0, len(refused) - SHOWN):
        lines.append("  " + ntr("and {n} more", "and {n} more", more))
    if rejects is None:
        return [*lines, tr("--rejects FILE writes them down, to be corrected and imported again.")]
    where = tr("All refused rows, with their reasons, are in {file}: correct them there and import it.", file=rejects)
    return [*lines, where]


def _reason(refused: RefusedRow) -> str:
    sentences = (translated(each).format(**refused.fields) for each in (refused.message, refused.hint) if each)
    return " ".join(sentences)
