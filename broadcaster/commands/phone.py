"""A text as it stands on the phone: its real parts, one bubble each, and why it costs what it costs."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from broadcaster.commands.output import clean
from broadcaster.language import in_a_row, ntr, tr, translated
from broadcaster.sms import Encoding, Split, Why

#: columns of a bubble: 20 Chinese characters a line, as on a small phone
WIDTH = 44

_UNITS = {Encoding.GSM7: "GSM-7", Encoding.ASCII: "ASCII", Encoding.LATIN1: "Latin-1", Encoding.UCS2: "UCS-2"}


def phone(name: str, split: Split, why: Why) -> RenderableType:
    """The bubbles of a text, a line under each that counts it, and the reason for the number of parts."""
    drawn: list[RenderableType] = [Text(name, style="bold")]
    total = len(split.parts)
    for number, part in enumerate(split.parts, start=1):
        drawn.append(Panel(Text(clean(part), overflow="fold"), box=box.ROUNDED, width=WIDTH, padding=(0, 1)))
        counted = tr(
            "part {number} of {total} · {characters} · {encoding}",
            number=number,
            total=total,
            characters=ntr("{n} character", "{n} characters", len(part)),
            encoding=_UNITS[split.encoding],
        )
        drawn.append(Text(f"  {counted}", style="dim"))
    drawn.append(Text(clean(_because(why))))
    return Group(*drawn)


def _because(why: Why) -> str:
    fields = dict(why.fields)
    fields["encoding"] = _UNITS[why.encoding]
    told = translated(why.because).format(**fields)
    if why.surplus:
        fewer = ntr(
            "With {n} character less it would be one part less.",
            "With {n} characters less it would be one part less.",
            why.surplus,
        )
        return in_a_row(told, fewer)
    return told
