"""The pictures that an edition file names: read from its folder, and made small."""

from __future__ import annotations

from pathlib import Path

from broadcaster.language import tell
from broadcaster.newspaper.edition_file import decode, parse
from broadcaster.newspaper.shrinking import Shrunk, shrink
from subscribers.errors import Invalid


def read_pictures(source: bytes, folder: Path) -> dict[str, Shrunk]:
    """By the names that the file has for them. Raises `Invalid` for a file or a picture that cannot be used.

    It takes its time: no transaction is to be open meanwhile.
    """
    items = (item for column in parse(decode(source)).columns for item in column.items)
    return {name: _read(name, folder / name) for name in dict.fromkeys(item.picture for item in items if item.picture)}


def missing_picture(name: str) -> Invalid:
    """What is to be said where a picture is not beside its edition file."""
    return Invalid(
        "There is no picture {name} beside the edition file.",
        hint="Put it there, or correct the name behind picture.",
        name=name,
    )


def _read(name: str, path: Path) -> Shrunk:
    if not path.is_file():
        raise missing_picture(name)
    try:
        with path.open("rb") as file:
            return shrink(file)
    except OSError as error:
        detail = error.strerror or type(error).__name__
        raise Invalid("The picture {name} cannot be read: {detail}.", name=name, detail=detail) from None
    except Invalid as error:
        what, _ = tell(error)
        told = {**error.fields, "name": name, "what": what}
        raise Invalid("The picture {name} cannot be used. {what}", hint=error.hint, **told) from None
