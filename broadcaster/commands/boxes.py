"""The boxes of help pages, as Typer and Rich draw them: read only when a page is shown, for they take long to read."""

from __future__ import annotations

from typing import Any

import typer.rich_utils
from rich.text import Text

from broadcaster.language import tr


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
    theirs: Any = typer.rich_utils
    theirs.Text, theirs.highlighter = _Folded, _Highlighter()
    typer.rich_utils.ARGUMENTS_PANEL_TITLE = tr("Arguments")
    typer.rich_utils.OPTIONS_PANEL_TITLE = tr("Options")
    typer.rich_utils.COMMANDS_PANEL_TITLE = tr("Commands")
    typer.rich_utils.REQUIRED_LONG_STRING = tr("[required]")
    typer.rich_utils.DEFAULT_STRING = tr("[default: {value}]", value="{}")
