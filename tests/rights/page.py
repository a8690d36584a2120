"""`python -m tests.rights.page` writes docs/rights.md from the code."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from typer.main import get_command_name

from broadcaster.access.models import Role
from broadcaster.access.roles import ONLY_AT_THE_TOP, RIGHTS
from broadcaster.commands.front import NOUNS
from broadcaster.commands.options import DECLARED, Free
from broadcaster.web.doors import DECLARED as DOORS
from broadcaster.words import ROLES
from subscribers.actor import Right
from tests.rules import ROOT

PAGE = ROOT / "docs" / "rights.md"

MEANING = {
    Right.SEE: "look at members, campaigns and reports, with numbers masked",
    Right.NUMBERS: "see numbers in full, and export them; each time is written in the audit",
    Right.REGISTER: "change the registry: import, undo, transfers, consent on someone's behalf",
    Right.WRITE: "write items and drafts",
    Right.EDIT: "put editions and campaigns together, answer letters",
    Right.APPROVE: "say yes to what others prepared, and to strangers who ask for the paper",
    Right.SEND: "start, pause, resume, abort, resend, settle",
    Right.OPERATE: "gateways and the machinery",
    Right.ADMINISTER: "users and their rights, the audit",
}
_TOP = ", ".join(sorted(right.value for right in ONLY_AT_THE_TOP))

HEAD = """\
# Who may do what

*This page is written by `python -m tests.rights.page` from the code; a test compares the two.*

A user has one role, at one organisation, and sees and touches what is there and below: what lies outside does not
exist for them. Without `--under` a user's place is that of whoever adds them. Where an organisation moves, its users
move with it.

As long as there is no administrator of the whole tree, whoever types a command is the operator and may do everything:
somebody has to set it up. From the first such administrator on, everybody signs in with `broadsheet login NAME`
(in a checkout `python3 run.py login NAME`).
"""


def write_page(file: Path = PAGE) -> None:
    """Write it."""
    file.write_text("\n".join(_lines()), encoding="utf-8")


def _lines() -> Iterator[str]:
    yield HEAD
    yield "## Roles\n"
    yield _row(["role", "中文", *(right.value for right in Right)])
    yield _row(["---"] * (2 + len(Right)))
    for role in Role:
        yield _row([role.value, ROLES[role].zh, *("yes" if right in RIGHTS[role] else "" for right in Right)])
    yield f"\nAt an organisation below the top nobody has: {_TOP}. There is one set of machines for everybody.\n"
    yield "## Rights\n"
    yield _row(["right", "lets you"])
    yield _row(["---"] * 2)
    for right in Right:
        yield _row([right.value, MEANING[right]])
    yield "\n## Verbs of the command line\n"
    yield "`--full-numbers` needs `numbers` as well, wherever it is offered. `--as USER` needs `administer`.\n"
    yield _row(["verb", "right"])
    yield _row(["---"] * 2)
    for verb, needs in verbs():
        yield _row([f"`{verb}`", _told(needs)])
    yield "\n## Pages of the newsroom\n"
    yield "GET shows, POST takes a form. What needs no right says who may open it instead.\n"
    yield _row(["page", "right"])
    yield _row(["---"] * 2)
    for (method, path), needed in sorted(DOORS.items(), key=lambda door: (door[0][1], door[0][0])):
        yield _row([f"`{method} {path}`", needed.value if isinstance(needed, Right) else f"none: {needed.value}"])
    yield ""


def verbs() -> Iterator[tuple[str, Right | Free]]:
    """Every verb with what it needs, in the order of the help pages."""
    for noun in NOUNS:
        app = importlib.import_module(f"broadcaster.commands.{noun}").app
        for command in app.registered_commands:
            function = command.callback
            name = command.name or get_command_name(function.__name__)
            alone = len(app.registered_commands) == 1 and app.registered_callback is None
            yield noun if alone else f"{noun} {name}", DECLARED[function.__module__, function.__name__]


def _told(needs: Right | Free) -> str:
    if isinstance(needs, Right):
        return needs.value
    return "none: it works as the machine" if needs is Free.MACHINE else "none"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    write_page()
