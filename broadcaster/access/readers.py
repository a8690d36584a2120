"""Members who show that they are: a code to their own number, for one browser and one try at a time.

Whoever asks is answered alike, member or not: what is written down is the same, and a worker finds out who it is. A
number is kept only until then; afterwards its mark, which nobody can turn back without the installation's secret.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from broadcaster.access import tries
from broadcaster.access.models import ReaderCode, ReaderDevice
from broadcaster.access.sessions import digest
from broadcaster.logs import get
from subscribers.db import wake
from subscribers.errors import Denied
from subscribers.models import Number

#: the queue of what readers ask for
ASKED = "readers"
#: for which a code is good, and what may be typed meanwhile
LASTS, TYPED = timedelta(minutes=10), 5
#: codes for one number in an hour and in a day, and from one network in a quarter of an hour: a village may share one
HOUR, CODES, OF_NETWORK = timedelta(hours=1), 3, 120
#: who is asked for by others all day long gets no more than these
DAY, OF_DAY = timedelta(days=1), 8
#: for which a browser is known
KNOWN_FOR = timedelta(days=90)
#: browsers of one number; the oldest is forgotten
BROWSERS = 10
_DIGITS = 6
#: what the column of tries holds
_LARGEST = 30_000

log = get(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """A code that somebody waits for. `msisdn`: where to, if it is a member's."""

    id: int
    msisdn: str
    code: str


def ask(session: Session, msisdn: str, address: str, secret: bytes, *, most: int, now: datetime) -> str:
    """Have a code sent to this number, if it is a member's: a token for the browser that asked.

    Too many for one number are not sent, and nobody is told; too many from one network, and more than `most` from all
    of them within an hour, raise `Denied`. Once half of these are gone, a provider's share of the other half is small.
    """
    if tries.claim(session, f"reader {tries.network_of(address)}", most=OF_NETWORK, now=now) is None:
        raise tries.too_often()
    # whoever has many networks of one provider leaves others their half; the share is small, so that what comes in
    # the five spans that an hour touches is less than the other half
    share = tries.claim(
        session, f"readers of {tries.provider_of(address)}", most=min(max(1, most // 10), _LARGEST), now=now
    )
    # those who ask take turns at this row, so that the counts below are right
    tries.claim(session, "readers", most=OF_NETWORK, now=now)
    if share:
        _refuse_too_many(session, most, HOUR, now)
    else:
        _refuse_too_many(session, max(1, most // 2), tries.SPAN, now)
    mark = mark_of(msisdn, secret)
    session.execute(delete(ReaderCode).where(ReaderCode.asked_at <= now - DAY))
    known = select(func.count()).select_from(ReaderCode).where(ReaderCode.mark == mark)
    of_hour = session.scalar(known.where(ReaderCode.asked_at > now - HOUR)) or 0
    is_enough = of_hour >= CODES or (session.scalar(known) or 0) >= OF_DAY
    token = secrets.token_urlsafe(32)
    session.add(
        ReaderCode(token_digest=digest(token), mark=mark, msisdn="" if is_enough else msisdn, members=[], asked_at=now)
    )
    session.flush()
    wake(session, ASKED)
    return token


def _refuse_too_many(session: Session, most: int, wait: timedelta, now: datetime) -> None:
    of_hour = ReaderCode.asked_at > now - HOUR
    last = session.scalar(
        select(ReaderCode.asked_at).where(of_hour).order_by(ReaderCode.asked_at.desc()).offset(most - 1).limit(1)
    )
    if last is None:
        return
    log.warning("readers get no more codes within this hour", most=most)
    raise Denied(
        "Very many readers have asked for a code within this hour.",
        hint="Try again in {minutes} minutes. What is for everyone opens without a code.",
        minutes=-(-int(min(last + HOUR - now, wait).total_seconds()) // 60),
    )


def next_asked(session: Session, secret: bytes, *, now: datetime) -> Asked | None:
    """A code that waits to be sent; its number is not kept any longer. What is too old for it is passed over."""
    row = session.scalars(
        select(ReaderCode)
        .where(ReaderCode.msisdn != "")
        .order_by(ReaderCode.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).one_or_none()
    if row is None:
        return None
    asked = Asked(row.id, row.msisdn if now - row.asked_at < LASTS else "", _code(row, secret))
    row.msisdn = ""
    session.flush()
    return asked


def is_asked(session: Session) -> bool:
    """Whether a code waits to be sent."""
    return session.scalar(select(ReaderCode.id).where(ReaderCode.msisdn != "").limit(1)) is not None


def sent_to(session: Session, asked: Asked, members: Sequence[int]) -> None:
    """Whose number it is: the code is worth something from now on."""
    session.execute(update(ReaderCode).where(ReaderCode.id == asked.id).values(members=list(members)))


def confirm(session: Session, token: str, typed: str, secret: bytes, *, now: datetime) -> str | None:
    """A token for a browser that is known from now on, if this is the code that it waits for; None if not.

    A wrong one counts, so the transaction has to be kept.
    """
    row = session.scalars(
        select(ReaderCode)
        .where(ReaderCode.token_digest == digest(token), ReaderCode.tries < TYPED, ReaderCode.used_at.is_(None))
        .with_for_update()
    ).one_or_none()
    if row is None or not timedelta(0) <= now - row.asked_at < LASTS:
        return None
    row.tries += 1
    said = "".join(unicodedata.normalize("NFKC", typed[:40]).split()).encode("utf-8", "replace")
    is_right = hmac.compare_digest(_code(row, secret).encode(), said) and bool(row.members)
    if not is_right:
        session.flush()
        return None
    row.used_at = now
    session.execute(delete(ReaderDevice).where(ReaderDevice.since <= now - KNOWN_FOR))
    own = select(ReaderDevice.token_digest).where(ReaderDevice.mark == row.mark).order_by(ReaderDevice.since.desc())
    old = session.scalars(own.offset(BROWSERS - 1)).all()
    session.execute(delete(ReaderDevice).where(ReaderDevice.token_digest.in_(old)))
    made = secrets.token_urlsafe(32)
    session.add(ReaderDevice(token_digest=digest(made), mark=row.mark, members=row.members, since=now))
    session.flush()
    return made


def known(session: Session, token: str, secret: bytes, *, now: datetime) -> list[int]:
    """The members whose browser this is: those who still have the number that it was shown by."""
    device = session.get(ReaderDevice, digest(token)) if token else None
    if device is None or not timedelta(0) <= now - device.since < KNOWN_FOR:
        return []
    numbers = session.execute(select(Number.member_id, Number.msisdn).where(Number.member_id.in_(device.members)))
    return sorted({id_ for id_, msisdn in numbers if hmac.compare_digest(mark_of(msisdn, secret), device.mark)})


def forget_browser(session: Session, token: str) -> None:
    """Whoever comes with this token is nobody from now on."""
    session.execute(delete(ReaderDevice).where(ReaderDevice.token_digest == digest(token)))


def mark_of(msisdn: str, secret: bytes) -> str:
    """What is kept of a number. Pure."""
    return hmac.new(secret, f"reader {msisdn}".encode(), hashlib.sha256).hexdigest()


def _code(row: ReaderCode, secret: bytes) -> str:
    told = f"reader code {row.token_digest} {row.mark}"
    return f"{int.from_bytes(hmac.digest(secret, told.encode(), hashlib.sha256)[:8]) % 10**_DIGITS:0{_DIGITS}d}"
