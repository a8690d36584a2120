"""How often something may be tried: counted in the database, for several processes, and forgotten after a while."""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from sqlalchemy import case, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from broadcaster.access.models import SignInTry
from subscribers.db import is_sqlite
from subscribers.errors import Denied

#: of a password or a code; the right one is one of them
OF_ACCOUNT = 10
#: from one address of the network; an office of many has one
OF_ADDRESS = 60
SPAN = timedelta(minutes=15)
#: the way of who is signed in, and is asked for the password that they have
OWN = "own"
#: whoever has one address of the sixth version has all of the same 64 bits
_OWN_BITS = 64
#: of a provider: by the fourth version and by the sixth
_PROVIDER_BITS = {4: 16, 6: 32}


def claim(session: Session, counted: str, *, most: int, now: datetime) -> int | None:
    """Count a try of this: how many there were, this one counted; None if it may not go on.

    Those who count the same take turns at its row: none is lost, however many come at once.
    """
    insert = sqlite.insert(SignInTry) if is_sqlite(session) else postgresql.insert(SignInTry)
    # a span that begins in the future was written by a clock that has been put right since
    is_over = or_(SignInTry.since <= now - SPAN, SignInTry.since > now)
    tries = session.execute(
        insert.values(counted=counted, tries=1, since=now)
        .on_conflict_do_update(
            index_elements=["counted"],
            set_={
                # it stays there: the column is a small one
                "tries": case((is_over, 1), (SignInTry.tries > most, SignInTry.tries), else_=SignInTry.tries + 1),
                "since": case((is_over, now), else_=SignInTry.since),
            },
        )
        .returning(SignInTry.tries)
    ).scalar_one()
    return int(tries) if tries <= most else None


def too_often() -> Denied:
    """What somebody is told who may not go on for a while."""
    return Denied(
        "That was often enough for now.", hint="Wait {minutes} minutes.", minutes=int(SPAN.total_seconds() // 60)
    )


def give_back(session: Session, counted: str) -> None:
    """It was somebody who belongs here."""
    mine = (SignInTry.counted == counted, SignInTry.tries > 0)
    session.execute(update(SignInTry).where(*mine).values(tries=SignInTry.tries - 1))


def forget(session: Session, *counted: str) -> None:
    """What was tried is forgiven."""
    session.execute(delete(SignInTry).where(SignInTry.counted.in_(counted)))


def forget_old(session: Session, *, now: datetime) -> None:
    """Spans that are over are counted no more, and need no row."""
    old = select(SignInTry.counted).where(or_(SignInTry.since <= now - SPAN, SignInTry.since > now))
    # whoever begins a new span in one of them holds it, and may wait for another
    session.execute(delete(SignInTry).where(SignInTry.counted.in_(old.with_for_update(skip_locked=True))))


def of_account(user_id: int, way: str) -> str:
    """What is counted for an account, apart for each way on which somebody gets as far as to try. Pure."""
    return f"{way} {user_id}"


def network_of(address: str) -> str:
    """What is counted together: an address, or the part of the network that one household has. Pure."""
    found = _read(address)
    if isinstance(found, IPv6Address):
        return str(IPv6Address(int(found) >> _OWN_BITS << _OWN_BITS))
    return str(found)


def provider_of(address: str) -> str:
    """The part of the network that a provider has, and whoever rents much of it. Pure."""
    found = _read(address)
    return found if isinstance(found, str) else str(ip_network((found, _PROVIDER_BITS[found.version]), strict=False))


def _read(address: str) -> IPv4Address | IPv6Address | str:
    try:
        found = ip_address(address)
    except ValueError:
        return address[:45]
    return (isinstance(found, IPv6Address) and found.ipv4_mapped) or found
