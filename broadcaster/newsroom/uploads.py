"""Files that were handed in and are being looked at: one person's own, for an hour."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import unicodedata
from datetime import datetime
from pathlib import Path

from starlette.datastructures import UploadFile

from broadcaster.runtime import Runtime
from subscribers.errors import Invalid, NotFound

#: seconds after which what nobody took in is gone
KEPT = 3600
_NAME = re.compile(r"[0-9a-f]{32}")
_ENDINGS = (".csv", ".xlsx", ".txt")


def keep(house: Runtime, user_id: int, upload: UploadFile, *, now: datetime) -> str:
    """Keep a file for this user; the name by which only they find it. Raises `Invalid` for what is no list."""
    name = _clean(upload.filename or "")
    folder = _folder(house, user_id)
    for each in folder.parent.glob("*"):
        _forget_old(each, now)
    token = secrets.token_hex(16)
    place = folder / token
    place.mkdir(parents=True, mode=0o700)
    with (place / name).open("wb") as file:
        shutil.copyfileobj(upload.file, file)
    os.utime(place, (now.timestamp(), now.timestamp()))
    return token


def find(house: Runtime, user_id: int, token: str) -> Path:
    """The file of that name. Raises `NotFound` once it is gone, and for somebody else's."""
    place = _folder(house, user_id) / token
    with house.reading() as tx:
        _forget_old(place.parent, tx.now)
    if _NAME.fullmatch(token) and place.is_dir():
        for file in place.iterdir():
            return file
    raise NotFound(
        "The file is not here any more.",
        hint="Lists taken in are under Members, Lists taken in. If it is not among them, hand it in again.",
    )


def forget(house: Runtime, user_id: int, token: str) -> None:
    """It was taken in."""
    if _NAME.fullmatch(token):
        shutil.rmtree(_folder(house, user_id) / token, ignore_errors=True)


def _folder(house: Runtime, user_id: int) -> Path:
    return house.settings.data / "uploads" / str(user_id)


def _forget_old(folder: Path, now: datetime) -> None:
    for place in folder.glob("*"):
        if place.stat().st_mtime < now.timestamp() - KEPT:
            shutil.rmtree(place, ignore_errors=True)


def _clean(name: str) -> str:
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    kept = "".join(sign for sign in last if sign.isprintable())[-80:].lstrip(".")
    if not kept.lower().endswith(_ENDINGS):
        raise Invalid("This is no list that can be read: {name}.", hint="Save it as CSV or XLSX.", name=kept or "-")
    return kept
