"""Passwords as they come in: typed without echo, or read from a file; never from the command line itself."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Annotated

import typer

from broadcaster.access.passwords import LONGEST
from broadcaster.language import tr
from subscribers.errors import Invalid

PasswordFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help=tr("Read the password there; - is standard input."))
]


def read_password(file: Path | None, prompt: str) -> str:
    """The password from a file (its first line), from standard input (-), or typed. Raises `Invalid`."""
    if file is None:
        return _typed(prompt)
    # no password is longer, in whatever letters
    most = 4 * LONGEST + 2
    if str(file) == "-":
        data = sys.stdin.buffer.readline(most)
    else:
        with file.open("rb") as source:
            data = source.readline(most)
    try:
        password = data.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise Invalid("The password in {file} is not written in UTF-8.", file=str(file)) from None
    if not password:
        raise Invalid("There is no password in {file}.", hint="Write it in the first line.", file=str(file))
    return password


def read_new_password(file: Path | None) -> str:
    """A password to be kept: typed twice, if it is typed. Raises `Invalid`."""
    password = read_password(file, tr("New password"))
    if file is None and _typed(tr("The same again")) != password:
        raise Invalid("The two are not the same.", hint="Nothing was changed; try again.")
    return password


def _typed(prompt: str) -> str:
    if not sys.stdin.isatty():
        raise Invalid(
            "There is no terminal to ask for the password at.",
            hint="Give it in a file: --password-file FILE, or - for standard input.",
        )
    try:
        return getpass.getpass(f"{prompt}: ", stream=sys.stderr)
    except EOFError:
        raise Invalid("No password was typed.") from None
