"""What every verb understands beside its own options, before the verb or after it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import typer
from rich.markup import escape

from broadcaster.commands.pages import Page, Room
from broadcaster.language import tr
from broadcaster.program import typed
from subscribers.actor import Right

#: no row of any database has a greater number
MOST = 2**63 - 1

Function = TypeVar("Function", bound=Callable[..., None])


class Free(Enum):
    """What a verb that needs no right is there for."""

    #: it works as the machine: it serves, sets up or looks at the installation itself, whoever types it
    MACHINE = "the machine"
    #: it is how a person comes in, or goes
    DOOR = "everybody"


Needs = Right | Free


@dataclass(frozen=True, slots=True)
class Asked:
    """How this run shall behave."""

    config: Path | None = None
    json: bool = False
    debug: bool = False
    #: the verb that was typed, and the right that it declares
    verb: str = ""
    needs: Needs | None = None
    #: --as: the user in whose place an administrator acts
    stand_in: str = ""


_asked: ContextVar[Asked] = ContextVar("asked", default=Asked())  # noqa: B039 - frozen
_PANEL = tr("Everywhere")

Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help=tr("The configuration to use."), rich_help_panel=_PANEL),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json", help=tr("Print exactly one JSON document, and nothing else, on stdout."), rich_help_panel=_PANEL
    ),
]
Lang = Annotated[
    Literal["zh", "en"] | None,
    typer.Option("--lang", help=tr("The language to answer in."), rich_help_panel=_PANEL),
]
Debug = Annotated[bool, typer.Option("--debug", help=tr("Show where an error came from."), rich_help_panel=_PANEL)]

StandIn = Annotated[
    str,
    typer.Option("--as", metavar="USER", help=tr("Act as this user; for administrators."), rich_help_panel=_PANEL),
]

_EVERYWHERE = {
    "config": (Config, None),
    "json": (Json, False),
    "lang": (Lang, None),
    "stand_in": (StandIn, ""),
    "debug": (Debug, False),
}


def asked() -> Asked:
    """What was asked for in this run."""
    return _asked.get()


def begin_anew() -> None:
    """Forget the run before this one."""
    _asked.set(Asked())


def take(given: Mapping[str, Any]) -> None:
    """Remember these options; what was said before the verb still counts after it."""
    now = asked()
    _asked.set(
        replace(
            now,
            config=given["config"] or now.config,
            json=given["json"] or now.json,
            debug=given["debug"] or now.debug,
            stand_in=given["stand_in"] or now.stand_in,
        )
    )


#: every mounted verb, as (module, function) -> the right it needs
DECLARED: dict[tuple[str, str], Needs] = {}


def verb(
    app: typer.Typer, *, about: str, example: str, needs: Needs, name: str | None = None
) -> Callable[[Function], Function]:
    """Mount a function as a verb: its own options, and those that every verb has. `example` is a line or several.

    `needs`: what who types it must have the right to; it is looked at when the house is opened, before anything else.
    """

    def mount(function: Function) -> Function:
        DECLARED[function.__module__, function.__name__] = needs

        @functools.wraps(function)
        def called(**given: Any) -> None:
            take({option: given.pop(option) for option in _EVERYWHERE})
            _asked.set(
                replace(asked(), needs=needs, verb=f"{function.__module__.rpartition('.')[2]}.{function.__name__}")
            )
            function(**given)

        signature = inspect.signature(function, eval_str=True)
        everywhere = [
            inspect.Parameter(option, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
            for option, (annotation, default) in _EVERYWHERE.items()
        ]
        called.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=[*signature.parameters.values(), *everywhere]
        )
        lines = "\n\n".join(f"$ {typed(line)}" for line in example.splitlines())
        app.command(name, cls=Page, help=about, epilog=escape(lines))(called)
        return function

    return mount


def noun() -> typer.Typer:
    """An empty room for verbs."""
    return typer.Typer(
        cls=Room, no_args_is_help=True, add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False
    )
