"""The installation's own secret: made once, kept in a file that only its owner may read."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from subscribers.errors import Invalid, Unavailable

#: characters of a configured secret, at least: a shorter one could be tried out
SHORTEST = 16
BYTES = 32


def secret_file(data: Path) -> Path:
    """Where it is kept if the configuration has none."""
    return data / "secret.key"


def secret_key(configured: str, data: Path) -> bytes:
    """The configured secret, else the one in the data directory, made if it is missing (mode 0600).

    It must stay the same, and be the same on every host: with another one, forgotten numbers are not known again.
    Raises `Invalid` for a secret that is too short, `Unavailable` if the file cannot be read or made.
    """
    if configured:
        if len(configured) < SHORTEST:
            raise Invalid(
                "The secret under [access] is too short.",
                hint="Give at least {least} characters, drawn at random.",
                least=SHORTEST,
            )
        return configured.encode()
    file = secret_file(data)
    try:
        if not file.exists():
            _make(file)
        key = bytes.fromhex(file.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise _unusable(file, error) from None
    if len(key) < BYTES:
        raise _unusable(file, ValueError())
    return key


def _make(file: Path) -> None:
    """Write it beside and link it into place: of two processes that start at once, both read the same one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f"{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as opened:
            opened.write(secrets.token_hex(BYTES) + "\n")
            opened.flush()
            os.fsync(opened.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(beside, file)
    finally:
        beside.unlink()


def _unusable(file: Path, error: Exception) -> Unavailable:
    detail = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    return Unavailable(
        "The secret file {path} cannot be used: {detail}.",
        hint="Put its backup in its place; without it, numbers that were forgotten are not known again.",
        path=str(file),
        detail=detail,
    )
