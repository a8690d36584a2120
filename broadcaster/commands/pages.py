"""Help pages in the reader's language, also where the sentence is Typer's own."""

from __future__ import annotations

from typing import Any

import typer.rich_utils
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

    def get_params(self, ctx: Any) -> list[Any]:
        """Its options and arguments, explained in the reader's language."""
        return _told(super().get_params(ctx))


class Room(TyperGroup):
    """A noun whose page is in the reader's language."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Its options, explained in the reader's language."""
        return _told(super().get_params(ctx))


def head_pages() -> None:
    """Name the boxes of every page. Read once, when the program starts in a language."""
    typer.rich_utils.ARGUMENTS_PANEL_TITLE = tr("Arguments")
    typer.rich_utils.OPTIONS_PANEL_TITLE = tr("Options")
    typer.rich_utils.COMMANDS_PANEL_TITLE = tr("Commands")
    typer.rich_utils.REQUIRED_LONG_STRING = tr("[required]")
    typer.rich_utils.DEFAULT_STRING = tr("[default: {value}]", value="{}")


def _told(params: list[Any]) -> list[Any]:
    for param in params:
        if getattr(param, "help", None) in _TYPERS_OWN:
            param.help = translated(param.help)
    return params
