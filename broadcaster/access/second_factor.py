"""The second factor: six digits from an authenticator (RFC 6238), for those who approve or administer.

Its secret is nowhere kept: it is made from the installation's own and a seed in the user's row, so that a copy of the
database shows nobody's codes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import unicodedata
from dataclasses import dataclass
from datetime import datetime

import pyotp
from sqlalchemy.orm import Session

from broadcaster.access import recovery, sessions
from broadcaster.access.models import User
from subscribers.actor import Actor, Right
from subscribers.audit import note
from subscribers.errors import Conflict, Invalid

STEP = 30
#: steps that a phone's clock may be off
_DRIFT = 1
#: what an authenticator holds: 160 bits
_BYTES = 20
_ASKED_OF = frozenset({Right.APPROVE, Right.ADMINISTER})


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator is told: as letters to type, and as an address to show as a picture."""

    secret: str
    address: str


def is_asked_for(rights: frozenset[Right]) -> bool:
    """Whether these rights are worth a second factor."""
    return bool(_ASKED_OF & rights)


def enrolment(seed: str, secret: bytes, name: str, *, paper: str) -> Enrolment:
    """What an authenticator is told for this seed. Pure."""
    codes = _codes(seed, secret)
    return Enrolment(codes.secret, codes.provisioning_uri(name=name, issuer_name=paper))


def confirm(session: Session, user_id: int, seed: str, secret: bytes, code: str, *, now: datetime) -> None:
    """The first code of an authenticator: from now on the web asks for one.

    Raises `Invalid` if it is not right, `Conflict` for who has a second factor already.
    """
    user = session.get_one(User, user_id, with_for_update=True, populate_existing=True)
    if user.code_since is not None:
        raise Conflict("You have a second factor already.", hint="An administrator can have you set it up anew.")
    user.code_seed = seed
    if not take(session, user, secret, code, now=now):
        raise Invalid(
            "The code is not right.", hint="Type the one that the app shows now, and see that its clock is right."
        )
    user.code_since = now
    note(session, Actor(user.name, frozenset()), "users.code", f"user {user.id}", now=now, name=user.name)


def take(session: Session, user: User, secret: bytes, code: str, *, now: datetime) -> bool:
    """Whether this is a code of the moment that was not used yet; it is used then. The row is the caller's."""
    step = _step_of(user, secret, code, now)
    if step is None:
        return False
    user.code_step = step
    session.flush()
    return True


def drop(session: Session, user: User, *, now: datetime) -> None:
    """The user sets up another authenticator; wherever they are signed in, they are no more."""
    user.code_seed = user.code_since = user.code_step = None
    recovery.drop(session, user.id)
    sessions.end_all(session, user.id, now=now)
    session.flush()


def _step_of(user: User, secret: bytes, code: str, now: datetime) -> int | None:
    if user.code_seed is None:
        return None
    # as phones show it, and as Chinese keyboards write it: 123 456, １２３４５６
    typed = "".join(unicodedata.normalize("NFKC", code[:40]).split())
    codes, at = _codes(user.code_seed, secret), int(now.timestamp()) // STEP
    found = None
    for step in range(at - _DRIFT, at + _DRIFT + 1):
        is_it = hmac.compare_digest(codes.generate_otp(step).encode(), typed.encode("utf-8", "replace"))
        if is_it and (user.code_step is None or step > user.code_step):
            found = step
    return found


def _codes(seed: str, secret: bytes) -> pyotp.TOTP:
    mixed = hmac.digest(secret, b"authenticator " + seed.encode(), hashlib.sha256)[:_BYTES]
    return pyotp.TOTP(base64.b32encode(mixed).decode(), interval=STEP)
