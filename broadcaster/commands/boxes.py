"""The boxes of help pages, as Typer and Rich draw them: read only when a page is shown, for they take long to read."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import typer.rich_utils
from rich.text import Text

from broadcaster.commands.options import MOST
from broadcaster.commands.wrapping import between_characters
from broadcaster.language import tr

#: characters of a line that says what an option takes
_WIDTH = 24
#: what stands for a value whose kind the parser names in a way of its own
_KINDS = {"int": "N", "float": "N", "path": "FILE"}


class _Folded(Text):
    """Chinese has no blanks to break at: what is wider than its box goes on below, where Typer would cut it off."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **{"overflow": "fold", **named})


class _Highlighter(typer.rich_utils.OptionHighlighter):
    """Through its hands go sentences, and names of options, too, which have to be read to be typed."""

    def __call__(self, text: str | Text) -> Text:
        told = super().__call__(text)
        told.overflow = "fold"
        return told


def head() -> None:
    """Name the boxes of the next page, in the language that is spoken."""
    between_characters()
    theirs: Any = typer.rich_utils
    theirs.Text, theirs.highlighter = _Folded, _Highlighter()
    typer.rich_utils.ARGUMENTS_PANEL_TITLE = tr("Arguments")
    typer.rich_utils.OPTIONS_PANEL_TITLE = tr("Options")
    typer.rich_utils.COMMANDS_PANEL_TITLE = tr("Commands")
    typer.rich_utils.REQUIRED_LONG_STRING = tr("[required]")
    typer.rich_utils.DEFAULT_STRING = tr("[default: {value}]", value="{}")


def say_what_it_takes(param: Any) -> None:
    """Have the page say what can be typed: nothing behind a switch, no ends of a range that nobody reaches."""
    is_switch, ends = getattr(param, "is_flag", False), param._get_number_range_help_str() or ""
    ends = {f"x<={MOST}": "", f"1<=x<={MOST}": "x>=1"}.get(ends, ends)
    param.display_type_rich = partial(_told, param, param.display_type_rich, is_switch=is_switch)
    param._get_number_range_help_str = lambda: "" if is_switch else ends


def _told(param: Any, own: Callable[..., Any], *, is_switch: bool, ctx: Any) -> str | None:
    told = str(own(ctx=ctx))
    if is_switch or (param.param_type_name == "argument" and "|" not in told):
        # an argument stands there by its name
        return None
    kind = re.fullmatch(r"<(\w+)(?: range)?>(\.*)", told)
    if kind:
        return _KINDS.get(kind[1], "TEXT") + kind[2]
    lines = [""]
    for each in told.split("|"):
        if len(lines[-1]) + len(each) >= _WIDTH:
            lines.append("")
        lines[-1] += f"{each}|"
    return "\n".join(lines).removesuffix("|")
