"""What can be wrong with a whole file, in words."""

from __future__ import annotations

from pathlib import Path

from subscribers.errors import Invalid


def unreadable(path: Path, error: OSError) -> Invalid:
    """The system does not hand it out."""
    return Invalid(
        "{file} cannot be read: {reason}.",
        hint="Check the name and the rights of the file.",
        file=str(path),
        reason=error.strerror or type(error).__name__,
    )


def changed(path: Path) -> Invalid:
    """It is no longer the file that was checked."""
    return Invalid(
        "{file} changed while it was read.",
        hint="Wait until the other program is done with it, then try again.",
        file=path.name,
    )


def too_large(path: Path, size: int, most: int) -> Invalid:
    """More bytes than are taken in."""
    return Invalid(
        "{file} is too large: {size} bytes, at most {most}.",
        hint="Split it into several files.",
        file=path.name,
        size=size,
        most=most,
    )


def too_wide(path: Path, columns: int, row: int, most: int) -> Invalid:
    """More columns than any list has."""
    return Invalid(
        "{file} has {columns} columns in row {row}, at most {most}.",
        hint="Leave out the columns that are not needed.",
        file=path.name,
        columns=columns,
        row=row,
        most=most,
    )


def too_many_rows(file: str, most: int) -> Invalid:
    """More rows than are taken in."""
    return Invalid("{file} has more than {most} rows.", hint="Split it into several files.", file=file, most=most)
