"""Places at a gateway: who may send for it now, and with which share of its rate.

Whether the holder of a place lives is told by its lock (`owners`), never by a clock: a place of the dead is free as
soon as they are buried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, Table, bindparam, delete, select, update
from sqlalchemy.orm import Session

from broadcaster.delivery.locks import Locks
from broadcaster.delivery.models import Lease, Owner
from broadcaster.delivery.recording import insert_or_ignore
from broadcaster.language import kept
from subscribers.errors import BroadsheetError, Unavailable

_LEASE: Table = Lease.__table__  # type: ignore[assignment]
_OWNER: Table = Owner.__table__  # type: ignore[assignment]

#: as long as the column
_LONGEST_ERROR = 300


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a place at a gateway, and how the connection there is."""

    gateway: str
    place: int
    owner_id: int
    host: str
    pid: int
    since: datetime
    bound_at: datetime | None
    error: str | None
    """To be told by `language.retold`."""
    error_at: datetime | None


def take(
    session: Session, gateway: str, owner_id: int, *, places: int | None, is_bound: bool = False, now: datetime
) -> tuple[int, bool]:
    """This owner's place at the gateway, counted from 1, and whether it was taken just now; (0, False): all are taken.

    `places`: how many there are; None: as many as are asked for. `is_bound`: whether its connection stands already.
    """
    while True:
        taken = {row.place: row.owner_id for row in session.execute(_of(gateway))}
        mine = next((place for place, holder in taken.items() if holder == owner_id), 0)
        free = next(place for place in range(1, len(taken) + 2) if place not in taken)
        if mine or (places is not None and free > places):
            return mine, False
        bound_at = now if is_bound else None
        row = {"gateway": gateway, "place": free, "owner_id": owner_id, "since": now, "bound_at": bound_at}
        # somebody else may be as quick: then there is nothing to insert, and the next place is looked for
        written = session.execute(insert_or_ignore(session, Lease).returning(Lease.place), [row]).first()
        if written is not None:
            return free, True


def share(session: Session, gateway: str, owner_id: int) -> float | None:
    """This owner's part of the gateway's rate; None when it has no place there.

    Nobody can take it for dead before this transaction ends, so that what is claimed in it will be found. Raises
    `Unavailable` when someone has.
    """
    rows = session.execute(_STANDING, {"way": gateway, "owner": owner_id}).all()
    if any(row.ended_at is not None for row in rows):
        raise Unavailable("This process was taken for dead.", hint="It registers again by itself.")
    holders = [row.owner_id for row in rows]
    return 1 / len(holders) if owner_id in holders else None


# made once: putting a statement together takes as long as sending it
_STANDING = (
    select(_OWNER.c.ended_at, _LEASE.c.owner_id)
    .outerjoin_from(_OWNER, _LEASE, _LEASE.c.gateway == bindparam("way"))
    .where(_OWNER.c.id == bindparam("owner"))
    .with_for_update(of=_OWNER, read=True)
)


def give_back(session: Session, gateway: str, owner_id: int) -> None:
    """Leave the place to others."""
    session.execute(delete(Lease).where(Lease.gateway == gateway, Lease.owner_id == owner_id))


def bound(session: Session, gateway: str, owner_id: int, *, now: datetime) -> None:
    """Write down that the connection stands."""
    _tell(session, gateway, owner_id, bound_at=now)


def unbound(session: Session, gateway: str, owner_id: int, error: BroadsheetError, *, now: datetime) -> None:
    """Write down that there is no connection, and why."""
    _tell(session, gateway, owner_id, bound_at=None, error=kept(error, _LONGEST_ERROR), error_at=now)


def holders(session: Session, locks: Locks) -> Sequence[Holder]:
    """All places that are held, by gateway and number. Whoever is dead and not buried yet holds none."""
    query = select(Lease, Owner.host, Owner.pid).join(Owner, Owner.id == Lease.owner_id)
    found = session.execute(query.order_by(Lease.gateway, Lease.place)).all()
    living = locks.living(session, {lease.owner_id for lease, _, _ in found})
    return [
        Holder(
            lease.gateway,
            lease.place,
            lease.owner_id,
            host,
            pid,
            lease.since,
            lease.bound_at,
            lease.error,
            lease.error_at,
        )
        for lease, host, pid in found
        if lease.owner_id in living
    ]


def _of(gateway: str) -> Select[int, int]:
    return select(Lease.place, Lease.owner_id).where(Lease.gateway == gateway).order_by(Lease.place)


def _tell(session: Session, gateway: str, owner_id: int, **values: object) -> None:
    session.execute(
        update(Lease)
        .where(Lease.gateway == gateway, Lease.owner_id == owner_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
