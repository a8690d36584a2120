"""Help pages in the reader's language, also where the sentence is Typer's own."""

from __future__ import annotations

from typing import Any

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

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Show it."""
        _draw_boxes(self.get_params(ctx))
        super().format_help(ctx, formatter)


class Room(TyperGroup):
    """A noun whose page is in the reader's language."""

    def get_usage(self, ctx: Any) -> str:
        """Its first line."""
        return _headed(super().get_usage(ctx))

    def get_params(self, ctx: Any) -> list[Any]:
        """Its options, explained in the reader's language."""
        return _told(super().get_params(ctx))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Show it."""
        _draw_boxes(self.get_params(ctx))
        super().format_help(ctx, formatter)


def _draw_boxes(params: list[Any]) -> None:
    # a sender that runs for weeks shows no page
    from broadcaster.commands import boxes

    boxes.head()
    for param in params:
        boxes.say_what_it_takes(param)


def _headed(usage: str) -> str:
    return tr("Usage: {line}", line=usage.removeprefix("Usage: "))


def _told(params: list[Any]) -> list[Any]:
    for param in params:
        if getattr(param, "help", None) in _TYPERS_OWN:
            param.help = translated(param.help)
    return params
