"""Where this command line keeps its sign-in: one file per user of the machine and installation, for their eyes only."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import make_url

from broadcaster.language import listed
from broadcaster.settings import Settings
from subscribers.errors import Denied, Unavailable

_TOKEN = re.compile(r"[\w-]{43}", re.ASCII)
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def keep(settings: Settings, token: str) -> Path:
    """Keep the token, in place of the one before. Raises `Unavailable` if it can be written nowhere."""
    forget(settings)
    for file in _places(settings):
        with contextlib.suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            fresh = file.with_name(f"{file.name}.{os.getpid()}")
            fresh.unlink(missing_ok=True)
            # never for one moment readable by others
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
                out.write(token)
            fresh.replace(file)
            return file
    raise Unavailable(
        "The sign-in can be kept nowhere: {places} cannot be written.",
        hint="Set XDG_CONFIG_HOME to a folder of yours.",
        places=listed(str(file.parent) for file in _places(settings)),
    )


def kept(settings: Settings) -> str | None:
    """The token that was kept, or None. Raises `Denied` if others could have read it or put it there."""
    for file in _places(settings):
        try:
            return _read(file)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError):
            continue
        except OSError:
            # a link, above all
            raise _open_to_others(file) from None
    return None


def forget(settings: Settings) -> None:
    """Keep it no more."""
    for file in _places(settings):
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)


def _read(file: Path) -> str | None:
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as source:
        about = os.fstat(source.fileno())
        if about.st_mode & _OTHERS or about.st_uid != os.getuid() or not stat.S_ISREG(about.st_mode):
            raise _open_to_others(file)
        text = source.read(200).decode("ascii", "replace").strip()
    return text if _TOKEN.fullmatch(text) else None


def _open_to_others(file: Path) -> Denied:
    return Denied(
        "The sign-in kept in {path} is open to others, so it is not used.",
        hint="Sign in again: `broadsheet login NAME`.",
        path=str(file),
    )


def _places(settings: Settings) -> Iterator[Path]:
    name = f"sign-in-{_installation(settings)}"
    # as the XDG rules have it: what is not absolute does not count
    if (told := os.environ.get("XDG_CONFIG_HOME", "")).startswith("/"):
        yield Path(told) / "broadsheet" / name
    else:
        with contextlib.suppress(RuntimeError):
            yield Path.home() / ".config" / "broadsheet" / name
    yield settings.data.absolute() / f"sign-ins-{os.getuid()}" / name


def _installation(settings: Settings) -> str:
    """What tells this installation from others: its database, without any password."""
    url = make_url(settings.store_url)
    where = url.set(password=None, query={}).render_as_string()
    if url.get_backend_name() == "sqlite":
        where = str(Path(url.database or "").resolve())
    return hashlib.sha256(where.encode()).hexdigest()[:16]
