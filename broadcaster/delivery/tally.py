"""The figures of campaigns, kept while they happen: differences are added, nothing is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session

from broadcaster.delivery.models import Kind, Tally
from broadcaster.delivery.states import State
from subscribers.db import among, insert_all

#: a message in one of these states is counted by why it is there
TOLD_WHY = frozenset({State.SKIPPED, State.FAILED, State.REJECTED, State.EXPIRED})

#: a campaign with fewer rows is read fast enough as it is
MANY = 200


class Cell(NamedTuple):
    """What is counted together."""

    campaign_id: int
    kind: Kind
    gateway: str
    state: State
    reason: str = ""


def message_cell(campaign_id: int, gateway: str | None, state: State, reason: str | None) -> Cell:
    """Where a message is counted."""
    return Cell(campaign_id, Kind.MESSAGE, gateway or "", state, reason or "" if state in TOLD_WHY else "")


def add(session: Session, changes: Mapping[Cell, int]) -> None:
    """Add differences; in the transaction that makes them, while it holds what they are the differences of."""
    rows = [cell._asdict() | {"n": n} for cell, n in changes.items() if n]
    insert_all(session, Tally, rows)


def figures(session: Session, campaign_ids: Iterable[int]) -> Counter[Cell]:
    """What these campaigns are made of now; in one statement, so that messages and parts are of one moment."""
    rows = session.execute(_summed(session, list(campaign_ids)))
    return Counter({Cell(row[0], Kind(row[1]), row[2], row[3], row[4]): row[5] for row in rows})


def parts_now(session: Session) -> dict[tuple[str, State], int]:
    """The parts of all campaigns, by gateway and state."""
    cell = (Tally.gateway, Tally.state)
    query = select(*cell, func.sum(Tally.n)).where(Tally.kind == Kind.PART).group_by(*cell)
    return {(gateway, state): int(n) for gateway, state, n in session.execute(query)}


def _summed(session: Session, campaign_ids: Sequence[int]) -> Select[int, int, str, State, str, int]:
    cell = (Tally.campaign_id, Tally.kind, Tally.gateway, Tally.state, Tally.reason)
    total = func.sum(Tally.n)
    return (
        select(*cell, total).where(among(session, Tally.campaign_id, campaign_ids)).group_by(*cell).having(total != 0)
    )


def fold(session: Session, campaign_id: int, *, many: int = MANY) -> bool:
    """Make few rows of many. Two who do it at once do not take the same rows. Returns whether there were many."""
    rows = session.execute(
        select(Tally).where(Tally.campaign_id == campaign_id).order_by(Tally.id).with_for_update(skip_locked=True)
    )
    found: Counter[Cell] = Counter()
    ids = []
    for tally in rows.scalars():
        ids.append(tally.id)
        found[Cell(tally.campaign_id, Kind(tally.kind), tally.gateway, tally.state, tally.reason)] += tally.n
    if len(ids) < many:
        return False
    session.execute(delete(Tally).where(among(session, Tally.id, ids)).execution_options(synchronize_session=False))
    add(session, found)
    return True
