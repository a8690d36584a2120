"""What a verb answers: one JSON document for programs, or tables and sentences for people."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich import box
from rich.cells import cell_len
from rich.console import Console, JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from broadcaster.commands.options import asked
from broadcaster.commands.program import typed_again
from broadcaster.commands.wrapping import between_characters
from broadcaster.language import tr
from subscribers.sheets import write_sheet

#: cells that are left for each column that is folded
_LEAST = 10
#: control characters of somebody else's text must not reach the terminal: they are shown as pictures
_PICTURES = {code: 0x2400 + code for code in range(32) if chr(code) != "\n"} | {0x7F: 0x2421}
_UNSEEN = [*range(0x80, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A)]
_PICTURES |= dict.fromkeys(_UNSEEN, 0xFFFD)


def answer(document: Mapping[str, Any], *shown: RenderableType | None, then: Sequence[str] = ()) -> None:
    """Print the document under --json, else what people read; `then` is what to type next."""
    if asked().json:
        sys.stdout.write(json.dumps(document, ensure_ascii=False, default=_plain) + "\n")
        sys.stdout.flush()
        return
    out = console()
    for each in shown:
        if isinstance(each, str):
            _print(out, Text(clean(typed_again(each))))
        elif isinstance(each, Text):
            _print(out, each)
        elif each is not None:
            out.print(each)
    if then:
        out.print(Text(tr("Next:"), style="bold"))
    for line in then:
        out.print(Text(f"  {typed_again(line)}", style="cyan"), soft_wrap=True)


def _print(out: Console, text: Text) -> None:
    """A line that goes on under its beginning where it is too long."""
    indent = len(text.plain) - len(text.plain.lstrip(" "))
    for line in text[indent:].wrap(out, max(20, out.width - indent)) or [Text()]:
        out.print(Text(" " * indent) + line)


def show(line: RenderableType) -> None:
    """A line of what people read, before the whole answer is there."""
    console().print(line)


def console(*, stderr: bool = False) -> Console:
    """Where people read. No colour where NO_COLOR is set, nothing but text where it is not a terminal."""
    between_characters()
    return Console(stderr=stderr, markup=False, highlight=False, emoji=False)


def aside(sentence: str) -> None:
    """A sentence beside the answer: on standard error."""
    screen = console(stderr=True)
    if screen.is_terminal:
        # broken between words, not where the line happens to end
        screen.print(Text(clean(typed_again(sentence))))
    else:
        sys.stderr.write(clean(typed_again(sentence)) + "\n")


def clean(text: str) -> str:
    """The text with control characters made visible."""
    return text.translate(_PICTURES)


def table(*headings: str, rows: Iterable[Sequence[object]], right: Sequence[int] = ()) -> Table:
    """Rows under headings; the columns in `right` hold figures, and the first one the name of the row."""
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    cells = [[_cell(cell, is_figure=at > 0 and at in right) for at, cell in enumerate(row)] for row in rows]
    whole = _whole([max(map(cell_len, column)) for column in zip(headings, *cells, strict=True)], console().width)
    for at, heading in enumerate(headings):
        justify: JustifyMethod = "right" if at in right else "left"
        drawn.add_column(Text(heading), justify=justify, overflow="fold", no_wrap=at in whole)
    for row in cells:
        drawn.add_row(*map(Text, row))
    return drawn


def _cell(cell: object, *, is_figure: bool) -> str:
    return f"{cell:,}" if is_figure and isinstance(cell, int) else clean(str(cell))


def _whole(widths: Sequence[int], room: int) -> set[int]:
    """The columns that are not folded, the narrowest first: a number or a date in two lines is hard to read."""
    # between two columns are three cells, before the first and behind the last one
    room -= 3 * len(widths) - 1 + _LEAST * len(widths)
    whole = set()
    for at in sorted(range(len(widths)), key=widths.__getitem__):
        room -= widths[at] - _LEAST
        if room < 0:
            break
        whole.add(at)
    return whole


def facts(*pairs: tuple[str, object]) -> Table:
    """Names and what stands for them, one below the other; what is empty is left out."""
    drawn = Table(box=None, show_header=False, pad_edge=False)
    drawn.add_column(style="dim", no_wrap=True)
    drawn.add_column(overflow="fold")
    for name, value in pairs:
        if value not in ("", None):
            drawn.add_row(Text(name), Text(clean(str(value))))
    return drawn


def verdict(ok: bool, found: str, to_do: str) -> Table:
    """What was looked at: well or not, what was found, and what to do; long lines go on under their beginning."""
    drawn = Table.grid()
    drawn.add_column(no_wrap=True)
    drawn.add_column(overflow="fold")
    mark = Text("ok   " if ok else "FAIL ", style="green" if ok else "bold red")
    drawn.add_row(mark, Text(clean(typed_again(found))))
    if to_do:
        drawn.add_row(Text(), Text(clean(typed_again(to_do))))
    return drawn


def local(instant: datetime | None, zone: ZoneInfo) -> str:
    """An instant in the paper's own time, to the minute."""
    return instant.astimezone(zone).strftime("%Y-%m-%d %H:%M") if instant else ""


def write_csv(path: Path, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Write rows as a file that a spreadsheet shows as it is: how many. Raises `Unavailable`."""
    return write_sheet(path, headings, rows)


def plain(value: Any) -> dict[str, Any]:
    """A frozen dataclass as a document."""
    return dataclasses.asdict(value)


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no place in a document")
