"""Help pages in the reader's language, also where the sentence is Typer's own."""

from __future__ import annotations

from typing import Any

import typer.rich_utils
from rich.text import Text
from typer.core import TyperCommand, TyperGroup

from broadcaster.language import msgid, tr, translated

#: what Typer says by itself
_TYPERS_OWN = (
    msgid("Show this message and exit."),
    msgid("Install completion for the current shell."),
    msgid("Show completion for the current shell, to copy it or customize the installation."),
)


class Page(TyperCommand):
    """A verb whose page is in the reader's language."""

    def get_usage(self, ctx: Any) -> str:
        """Its first line."""
        return _headed(super().get_usage(ctx))

    def get_params(self, ctx: Any) -> list[Any]:
        """Its options and arguments, explained in the reader's language."""
        return _told(super().get_params(ctx))


class Room(TyperGroup):
    """A noun whose page is in the reader's language."""

    def get_usage(self, ctx: Any) -> str:
        """Its first line."""
        return _headed(super().get_usage(ctx))

    def get_params(self, ctx: Any) -> list[Any]:
        """Its options, explained in the reader's language."""
        return _told(super().get_params(ctx))


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


def head_pages() -> None:
    """Name the boxes of every page. Read once, when the program starts in a language."""
    theirs: Any = typer.rich_utils
    theirs.Text, theirs.highlighter = _Folded, _Highlighter()
    typer.rich_utils.ARGUMENTS_PANEL_TITLE = tr("Arguments")
    typer.rich_utils.OPTIONS_PANEL_TITLE = tr("Options")
    typer.rich_utils.COMMANDS_PANEL_TITLE = tr("Commands")
    typer.rich_utils.REQUIRED_LONG_STRING = tr("[required]")
    typer.rich_utils.DEFAULT_STRING = tr("[default: {value}]", value="{}")


def _headed(usage: str) -> str:
    return tr("Usage: {line}", line=usage.removeprefix("Usage: "))


def _told(params: list[Any]) -> list[Any]:
    for param in params:
        if getattr(param, "help", None) in _TYPERS_OWN:
            param.help = translated(param.help)
    return params
