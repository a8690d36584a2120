"""How a verb is tried: by every role, on a thing inside of its part of the tree and on one outside."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from subscribers.actor import Actor
from tests.rights.world import Side


@dataclass(frozen=True)
class Probe:
    """A call of one verb on the things of one side.

    `shows`: its answer tells of the side's own things. `echoes`: it repeats what was typed, which is no leak. `makes`:
    it writes something of the actor's own, whatever is named; all that was there must be as before all the same.
    `blind`: why naming the other side is no question here.
    """

    call: Callable[[Session, Actor, Side], object]
    shows: bool = False
    echoes: bool = False
    makes: bool = False
    blind: str = ""
    #: what must be there first, done by somebody of that side
    ready: Callable[[Session, Side], object] | None = None


def probes() -> dict[str, Probe]:
    """All of them: each file `*_probes.py` of this folder has those of one area."""
    found: dict[str, Probe] = {}
    for file in sorted(Path(__file__).parent.glob("*_probes.py")):
        of_area: dict[str, Probe] = importlib.import_module(f"tests.rights.{file.stem}").PROBES
        twice = found.keys() & of_area.keys()
        assert not twice, f"{file.name} has what another file has: {twice}"
        found |= of_area
    return found
