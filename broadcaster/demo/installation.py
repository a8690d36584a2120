"""The installation that the demo runs on: embedded, in a folder of its own, with a simulated carrier."""

from __future__ import annotations

import json
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path

from broadcaster.settings import Settings
from subscribers.errors import Unavailable

MEMBERS, READERS, SEED = 3143, 1800, 1


@dataclass(frozen=True, slots=True)
class Plan:
    """What to make, and where."""

    folder: Path
    members: int = MEMBERS
    readers: int = READERS
    seed: int = SEED


class DemoSettings(Settings):
    """Settings that neither a file nor the environment changes: the demo is the same for everyone."""

    heeds_environment = False


#: 300 parts a second, so that there is something to watch, and receipts within seconds
_FILE = """\
# The demo's installation. Every other command works on it as well:
#   broadsheet --config {file} report campaign 1
data = {folder}

[paper]
name = "晨晖手机报"
signature = "【晨晖手机报】"
opt_out = "拒收请回复R"

[gateways.simulator]
kind = "simulator"
sender = "10690000"
price = "0.045"
currency = "CNY"
parts_per_second = 300
window = 50
receipt_timeout = 8
seed = {seed}
delay = [0.3, 2.0]
failed = 0.03
late = 0.02
late_delay = [3.0, 6.0]
never = 0.004
"""


def settings_file(plan: Plan) -> Path:
    """Where the demo's settings stand."""
    return plan.folder / "broadsheet.toml"


def settings_for(plan: Plan) -> Settings:
    """The demo's settings, written to its folder so that other commands can be tried on what it made."""
    file = settings_file(plan)
    text = _FILE.format(file=file, folder=json.dumps(str(plan.folder.absolute())), seed=plan.seed)
    file.write_text(text, encoding="utf-8")
    return DemoSettings(**tomllib.loads(text))


def default_folder(members: int, readers: int, seed: int) -> Path:
    """Where the demo keeps its data: below `$BROADSHEET_DATA`, else here, else where this user may write.

    Another size or seed is another world, and has a folder of its own.
    """
    usual = (members, readers, seed) == (MEMBERS, READERS, SEED)
    name = "demo" if usual else f"demo-{members}-{readers}-{seed}"
    if given := os.environ.get("BROADSHEET_DATA"):
        return Path(given) / name
    here = Path("data")
    if os.access(here if here.exists() else Path(), os.W_OK):
        return here / name
    cache = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return cache / "broadsheet" / name


def make_folder(folder: Path) -> None:
    """Make the folder. Raises `Unavailable` with what to do when that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".probe"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise Unavailable(
            "The demo cannot write to {path}: {detail}.",
            hint="Name a folder that you may write to: BROADSHEET_DATA=/some/folder.",
            path=str(folder),
            detail=error.strerror or str(error),
        ) from error
