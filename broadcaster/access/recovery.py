"""Recovery codes: each opens the second step once, for who has no phone at hand.

They are shown once, when they are made, and kept as passwords are. Their first letters differ, so that one hash tells
whether one is right.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from broadcaster.access import passwords
from broadcaster.access.models import RecoveryCode

#: of a user at a time
CODES = 8
#: letters of one, in groups: 54 bits beside the first
_LETTERS, _GROUP = 12, 4


def generate() -> list[str]:
    """Other ones, as they are shown: `abcd-efgh-jkmn`."""
    firsts = secrets.SystemRandom().sample(passwords.ALPHABET, CODES)
    return [
        _shown(first + "".join(secrets.choice(passwords.ALPHABET) for _ in range(_LETTERS - 1))) for first in firsts
    ]


def hashes(codes: list[str]) -> dict[str, str]:
    """By the first letter of each, how it is kept. It takes a second: no transaction waits for it."""
    return {plain(code)[0]: passwords.hashed(plain(code)) for code in codes}


def plain(typed: str) -> str:
    """What was typed, without what stands between its groups; as phones and Chinese keyboards write it. Pure."""
    text = unicodedata.normalize("NFKC", typed[:60]).lower()
    return "".join(each for each in text if each.isalnum())


def is_one(typed: str) -> bool:
    """Whether it may be one, and is no code of an authenticator. Pure."""
    return len(plain(typed)) == _LETTERS


def replace(session: Session, user_id: int, kept: Mapping[str, str], *, now: datetime) -> None:
    """From now on these are a user's codes, by `hashes`, and no others."""
    drop(session, user_id)
    rows = [{"user_id": user_id, "mark": mark, "code_hash": each, "made_at": now} for mark, each in kept.items()]
    session.execute(insert(RecoveryCode), rows)


def drop(session: Session, user_id: int) -> None:
    """None opens anything any more."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))


def kept_of(session: Session, user_id: int, typed: str) -> RecoveryCode | None:
    """The one that this may be, if it was not used yet."""
    mine = (RecoveryCode.user_id == user_id, RecoveryCode.mark == plain(typed)[:1], RecoveryCode.used_at.is_(None))
    return session.scalar(select(RecoveryCode).where(*mine))


def use(session: Session, code_id: int, *, now: datetime) -> bool:
    """Whether it could still be used: of two at once, one is."""
    mine = (RecoveryCode.id == code_id, RecoveryCode.used_at.is_(None))
    used = session.execute(update(RecoveryCode).where(*mine).values(used_at=now).returning(RecoveryCode.id))
    return used.first() is not None


def left(session: Session, user_id: int) -> int:
    """How many a user can still use."""
    mine = (RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    return session.scalar(select(func.count()).select_from(RecoveryCode).where(*mine)) or 0


def _shown(code: str) -> str:
    return "-".join(code[at : at + _GROUP] for at in range(0, len(code), _GROUP))
