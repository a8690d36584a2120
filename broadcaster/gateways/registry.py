"""Which kinds of gateways are installed, found by their entry points; the built-in ones come through the same door.

A kind that cannot be loaded is listed with the reason, and disturbs no other.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from broadcaster.gateways.contract import Gateway, GatewayContext
from broadcaster.gateways.errors import Misconfigured
from broadcaster.language import listed, tr
from broadcaster.mistakes import tell_mistake

GROUP = "broadsheet.gateways"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
_CHECKOUT = Path(__file__).parents[2] / "pyproject.toml"


class KindStatus(StrEnum):
    """How loading a kind went."""

    LOADED = "loaded"
    MISSING_EXTRA = "missing_extra"
    """It needs a package that is not installed."""
    LOAD_ERROR = "load_error"
    """It is broken, or no gateway."""


@dataclass(frozen=True, slots=True)
class InstalledKind:
    """One kind of gateway, loaded or not."""

    kind: str
    status: KindStatus
    gateway: type[Gateway] | None = None
    reason: str = ""
    """Why it was not loaded, and what to do."""


def installed() -> list[InstalledKind]:
    """All kinds there are, by name."""
    return [_load(entry) for _, entry in sorted(_declared().items())]


def gateway_class(kind: str) -> type[Gateway]:
    """The class of one kind. Raises `Misconfigured`: unknown, its extra is missing, or it does not load."""
    declared = _declared()
    if kind not in declared:
        raise Misconfigured(
            "There is no kind of gateway named {kind}.{nearest} There are: {known}.",
            hint="A kind of your own is installed as a package; see docs/adding_a_gateway.md.",
            kind=kind,
            nearest=_did_you_mean(kind, declared),
            known=listed(sorted(declared)),
        )
    found = _load(declared[kind])
    if found.gateway is None:
        raise Misconfigured("Gateway kind {kind} cannot be used: {reason}", kind=kind, reason=found.reason)
    return found.gateway


def make(name: str, settings: Mapping[str, Any], context: GatewayContext) -> Gateway:
    """The gateway `[gateways.NAME]` as its table says, not yet open.

    Raises `Misconfigured` with a line for each wrong key.
    """
    if not _NAME.fullmatch(name):
        raise Misconfigured(
            "A gateway cannot be called {name}.",
            hint="Its name stands in files, queues and addresses: letters, digits, - and _, at most 40.",
            name=repr(name[:60]),
        )
    kind = settings.get("kind")
    if not isinstance(kind, str):
        raise Misconfigured(
            "[gateways.{name}] does not say its kind. There are: {known}.",
            hint='Write, for example, kind = "simulator".',
            name=name,
            known=listed(sorted(_declared())),
        )
    made = gateway_class(kind)
    try:
        config = made.Config.model_validate(dict(settings))
    except ValidationError as error:
        raise Misconfigured(
            "[gateways.{name}] cannot be used:\n{mistakes}",
            hint="The keys and their meaning are in docs/configuration.md.",
            name=name,
            mistakes="\n".join(
                tell_mistake(mistake, made.Config.model_fields) for mistake in error.errors(include_input=False)
            ),
        ) from None
    return made(name, config, context)


def _declared() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in (*_of_the_checkout(), *entry_points(group=GROUP))}


def _of_the_checkout() -> list[EntryPoint]:
    # a fresh clone runs without being installed, and then nothing has written its entry points down
    if not _CHECKOUT.is_file():
        return []
    project = tomllib.loads(_CHECKOUT.read_text(encoding="utf-8")).get("project", {})
    table = project.get("entry-points", {}).get(GROUP, {})
    return [EntryPoint(name, value, GROUP) for name, value in table.items()]


def _load(entry: EntryPoint) -> InstalledKind:
    try:
        loaded = entry.load()
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] != entry.module.split(".")[0]:
            return InstalledKind(entry.name, KindStatus.MISSING_EXTRA, reason=_missing(entry, error.name))
        return InstalledKind(entry.name, KindStatus.LOAD_ERROR, reason=f"{error}.")
    # anything may go wrong in somebody else's module
    except Exception as error:
        return InstalledKind(entry.name, KindStatus.LOAD_ERROR, reason=f"{type(error).__name__}: {error}.")
    if not (isinstance(loaded, type) and issubclass(loaded, Gateway)):
        return InstalledKind(entry.name, KindStatus.LOAD_ERROR, reason=f"{entry.value} is not a gateway.")
    return InstalledKind(entry.name, KindStatus.LOADED, gateway=loaded)


def _missing(entry: EntryPoint, package: str) -> str:
    # the extra of a gateway bears the name of its kind
    home = entry.dist.name if entry.dist else "broadsheet"
    return f"{package} is not installed; pip install '{home}[{entry.name}]' brings it."


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return " " + tr("Did you mean {nearest}?", nearest=close[0]) if close else ""
