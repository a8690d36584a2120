"""Cells of a spreadsheet that must not become formulas, written and read back unchanged."""

from __future__ import annotations

import re

# what spreadsheets take for a formula, after spaces and in full width too; and a cell that already looks protected
_RISKY = re.compile(r"'*(?:[\t\r\n]|\s*[=+\-@＝＋－＠])")


def protect(cell: str) -> str:
    """The cell with an apostrophe before it, if a spreadsheet might calculate it."""
    return f"'{cell}" if _RISKY.match(cell) else cell


def unprotect(cell: str) -> str:
    """The cell that `protect` was given."""
    return cell[1:] if cell.startswith("'") and _RISKY.match(cell) else cell
