"""The phone of a user: noted by them, and theirs once they have typed the code that went there."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from broadcaster.access import tries
from broadcaster.access.models import OwnPhone, PhoneCode, User
from subscribers.actor import Actor
from subscribers.audit import note
from subscribers.errors import Denied

#: for which a code is good
LASTS = timedelta(minutes=15)
#: codes that are sent to somebody in a quarter of an hour, and what they may type meanwhile
CODES, TYPED = 3, 5
#: codes in a day: to one number, whoever asks for them, and from one user
DAY, OF_NUMBER, OF_USER = timedelta(days=1), 5, 10
#: proofs in a quarter of an hour
PROOFS = 20
_DIGITS = 6


def of_user(session: Session, user_id: int) -> OwnPhone | None:
    """Their phone, whether or not they have shown that it is theirs."""
    return session.get(OwnPhone, user_id)


def put(session: Session, user_id: int, msisdn: str, *, now: datetime) -> OwnPhone:
    """Another phone, which nobody has shown to be theirs yet. Raises `Denied` after too many in a short time."""
    if tries.claim(session, tries.of_account(user_id, "phone"), most=CODES, now=now) is None:
        raise tries.too_often()
    user = session.get_one(User, user_id, with_for_update=True)
    phone = session.get(OwnPhone, user_id)
    if phone is None:
        phone = OwnPhone(user_id=user_id)
        session.add(phone)
    phone.msisdn, phone.noted_at, phone.confirmed_at = msisdn, now, None
    tries.forget(session, tries.of_account(user_id, "phone code"))
    note(session, Actor(user.name, frozenset()), "users.phone", f"user {user.id}", now=now, name=user.name)
    session.flush()
    return phone


def claim_code(session: Session, user_id: int, msisdn: str, secret: bytes, *, now: datetime) -> None:
    """Count a code that goes to this number, whether or not it is sent in the end. Raises `Denied` for too many in a
    day: to one number from all users together, or from one user to whatever numbers.
    """
    mark = mark_of(msisdn, secret)
    # those who name one number take turns at this row, so that the count below is right
    tries.claim(session, f"phone {mark[:32]}", most=OF_NUMBER, now=now)
    session.execute(delete(PhoneCode).where(PhoneCode.asked_at <= now - DAY))
    counted = select(func.count()).select_from(PhoneCode)
    if (session.scalar(counted.where(PhoneCode.mark == mark)) or 0) >= OF_NUMBER:
        raise Denied("Codes enough went to this number within a day.", hint="Try again tomorrow.")
    if (session.scalar(counted.where(PhoneCode.user_id == user_id)) or 0) >= OF_USER:
        raise Denied("You had codes enough sent within a day.", hint="Try again tomorrow.")
    session.add(PhoneCode(user_id=user_id, mark=mark, asked_at=now))
    session.flush()


def mark_of(msisdn: str, secret: bytes) -> str:
    """What is kept of a number that a code went to. Pure."""
    return hmac.new(secret, f"own phone {msisdn}".encode(), hashlib.sha256).hexdigest()


def code_for(phone: OwnPhone, secret: bytes) -> str:
    """What goes to the phone: six digits, which nobody has to keep. Pure."""
    told = f"phone {phone.user_id} {phone.msisdn} {phone.noted_at.timestamp()}"
    return f"{int.from_bytes(hmac.digest(secret, told.encode(), hashlib.sha256)[:8]) % 10**_DIGITS:0{_DIGITS}d}"


def confirm(session: Session, user_id: int, code: str, secret: bytes, *, now: datetime) -> bool:
    """Whether this is the code that went to their phone a short time ago; then the phone is theirs.

    A wrong one counts, so the transaction has to be kept. Raises `Denied` after too many.
    """
    if tries.claim(session, tries.of_account(user_id, "phone code"), most=TYPED, now=now) is None:
        raise tries.too_often()
    phone = session.get(OwnPhone, user_id, with_for_update=True)
    typed = "".join(unicodedata.normalize("NFKC", code[:40]).split())
    if phone is None or not timedelta(0) <= now - phone.noted_at <= LASTS:
        return False
    if not hmac.compare_digest(code_for(phone, secret).encode(), typed.encode("utf-8", "replace")):
        return False
    phone.confirmed_at = now
    tries.forget(session, tries.of_account(user_id, "phone code"))
    session.flush()
    return True


def claim_proofs(session: Session, user_id: int, proofs: int, *, now: datetime) -> None:
    """Count proofs that go to a user's phone. Raises `Denied` for too many in a short time."""
    for _ in range(proofs):
        if tries.claim(session, tries.of_account(user_id, "proof"), most=PROOFS, now=now) is None:
            raise tries.too_often()
