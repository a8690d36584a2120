"""Pictures as people hand them in, to what a phone loads. It is done in a process of its own: see `decoder`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from subscribers.errors import Invalid, Unavailable

_PROGRAM = Path(__file__).with_name("decoder.py")
#: seconds: of the processor it may have 20
_PATIENCE = 60.0
#: who waits holds one of the threads that answer everybody
_WAITING = threading.BoundedSemaphore(4)
_ONE_AT_A_TIME = threading.Lock()
_CHOOSE = "Choose another one, or save it anew as JPEG."


@dataclass(frozen=True, slots=True)
class Rendition:
    """A JPEG of this size, without anything that does not belong to what can be seen."""

    content: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Shrunk:
    """What is kept of a picture: at most 20,000 bytes for a page, at most 150,000 for who wants to see more."""

    small: Rendition
    large: Rendition
    #: it was several pictures that play; this is the first one
    moves: bool = False


def shrink(file: IO[bytes]) -> Shrunk:
    """Make a picture small. `file` is a real one, or becomes one when it is asked for its descriptor.

    Raises `Invalid` for what is no picture, or too large a one; `Unavailable` while others are waiting.
    """
    file.flush()
    if not _WAITING.acquire(blocking=False):
        raise Unavailable("Other pictures are being made smaller just now.", hint="Try again in a minute.")
    try:
        with _ONE_AT_A_TIME:
            answer = _decoded(file)
    finally:
        _WAITING.release()
    line, _, rest = answer.partition(b"\n")
    told = json.loads(line)
    if "refused" in told:
        raise _reason(told)
    made = []
    for width, height, size in told["pictures"]:
        made.append(Rendition(rest[:size], width, height))
        rest = rest[size:]
    return Shrunk(made[0], made[1], told["moves"])


def _decoded(file: IO[bytes]) -> bytes:
    # nothing of ours that is called like a module of its; no secret of ours to be read there
    command = [sys.executable, "-P", str(_PROGRAM)]
    known = {name: value for name, value in os.environ.items() if name.startswith(("PATH", "PYTHON", "LD_", "LANG"))}
    try:
        done = subprocess.run(  # noqa: S603 - our own program, and nothing that somebody typed
            command, stdin=file.fileno(), capture_output=True, timeout=_PATIENCE, env=known, check=False
        )
    except subprocess.TimeoutExpired:
        return b'{"refused": "heavy"}'
    # it is ended when it takes too much
    return done.stdout if done.returncode == 0 and done.stdout else b'{"refused": "heavy"}'


def _reason(told: dict[str, object]) -> Invalid:
    refused = told["refused"]
    if refused == "empty":
        return Invalid("The file of the picture is empty.", hint=_CHOOSE)
    if refused == "kind":
        return Invalid("This is no picture that can be used.", hint="Choose a JPEG, PNG, WebP or GIF.")
    if refused == "heic":
        return Invalid(
            "This is a HEIC picture, which few phones can show.",
            hint="Choose it on the phone itself, which makes a JPEG of it, or save it as JPEG first. So that an iPhone "
            "takes JPEG from now on: Settings › Camera › Formats › Most Compatible.",
        )
    if refused == "points":
        return Invalid(
            "The picture has {width} × {height} points; {most} million are the most.",
            hint="Make it smaller first.",
            width=told["width"],
            height=told["height"],
            most=told["most"],
        )
    if refused == "thin":
        return Invalid(
            "Of {width} × {height} points nothing could be seen on a phone.",
            hint="Choose a larger picture, or one that is less long.",
            width=told["width"],
            height=told["height"],
        )
    if refused == "heavy":
        return Invalid("The picture takes too much time or memory to be read.", hint=_CHOOSE)
    return Invalid("The picture cannot be read to its end.", hint=_CHOOSE)
