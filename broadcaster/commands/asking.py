"""A question before something is done: answered at the terminal, or beforehand with --yes."""

from __future__ import annotations

from typing import Annotated

import typer

from broadcaster.commands.options import asked
from broadcaster.commands.output import aside
from broadcaster.language import tr
from subscribers.errors import Invalid

Yes = Annotated[bool, typer.Option("--yes", help=tr("Do not ask whether it is meant."))]


def make_sure(what: str, question: str) -> None:
    """Say what would come of it, and ask. Raises `Invalid` unless the answer is yes; a program is not asked."""
    if asked().json:
        raise Invalid("Nothing was changed: {what}", hint="Write --yes if it is meant.", what=what)
    aside(what)
    try:
        is_meant = typer.confirm(question, err=True)
    except typer.Abort:
        is_meant = False
    if not is_meant:
        raise Invalid("Nothing was changed.", hint="Write --yes if it is meant.")
