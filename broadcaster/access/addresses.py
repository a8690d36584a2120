"""How often somebody may try from one address: an attacker who goes from account to account is slowed here."""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

from sqlalchemy import case, delete, or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from broadcaster.access.models import SignInTry
from subscribers.db import is_sqlite

#: wrong tries; an office of many has one address
TRIES = 60
SPAN = timedelta(minutes=15)
#: whoever has one address of the sixth version has all of the same 64 bits
_OWN_BITS = 64


def claim_try(session: Session, address: str, *, now: datetime) -> bool:
    """Count a try from here; whether it may go on. A right one is given back."""
    session.execute(delete(SignInTry).where(or_(SignInTry.since <= now - SPAN, SignInTry.since > now)))
    insert = sqlite.insert(SignInTry) if is_sqlite(session) else postgresql.insert(SignInTry)
    tries = session.execute(
        insert.values(address=network_of(address), tries=1, since=now)
        .on_conflict_do_update(
            index_elements=["address"],
            # it stays there: the column is a small one
            set_={"tries": case((SignInTry.tries > TRIES, SignInTry.tries), else_=SignInTry.tries + 1)},
        )
        .returning(SignInTry.tries)
    ).scalar_one()
    return int(tries) <= TRIES


def give_back(session: Session, address: str) -> None:
    """It was somebody who belongs here."""
    mine = (SignInTry.address == network_of(address), SignInTry.tries > 0)
    session.execute(update(SignInTry).where(*mine).values(tries=SignInTry.tries - 1))


def network_of(address: str) -> str:
    """What is counted together: an address, or the part of the network that one household has. Pure."""
    try:
        found = ip_address(address)
    except ValueError:
        return address[:45]
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(IPv6Address(int(found) >> _OWN_BITS << _OWN_BITS))
