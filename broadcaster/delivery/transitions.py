"""The one place where messages and parts change their state, and where that is counted.

What is moved is held before: see `holding`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    CursorResult,
    Executable,
    Table,
    bindparam,
    func,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session

from broadcaster.delivery import tally
from broadcaster.delivery.holding import Held, HeldMessage, HeldPart, hold
from broadcaster.delivery.models import Kind, Message, Part
from broadcaster.delivery.states import REACHED_FROM, State
from broadcaster.delivery.tally import Cell
from subscribers.db import Joined, among, id_list, is_sqlite, one_of_ids, unread

_MESSAGE: Table = Message.__table__  # type: ignore[assignment]
_PART: Table = Part.__table__  # type: ignore[assignment]

#: it has not left, and may still be stopped
WAITING = frozenset({State.QUEUED, State.HELD})
#: a carrier said so, in its own words
_TOLD = frozenset({State.IN_NETWORK, State.DELIVERED, State.FAILED, State.REJECTED, State.EXPIRED})


class Move(NamedTuple):
    """Where a part goes, and what the carrier said of it: its code, our words for it, whether it is for good."""

    to: State
    code: str | None = None
    reason: str | None = None
    permanent: bool | None = None


class Alike(NamedTuple):
    """What messages, and all parts of theirs, have in common."""

    campaign_id: int | None
    gateway: str
    state: State
    #: of each message
    parts: int


def move(session: Session, held: Held, moves: Mapping[int, Move], *, now: datetime) -> dict[int, State]:
    """Move parts, by id, as far as the table of states allows, and their messages with them.

    Returns the parts that were moved, each with the state that it had.
    """
    former: dict[int, State] = {}
    groups: dict[Move, list[HeldPart]] = defaultdict(list)
    changed: Counter[tuple[int | None, str, State, State]] = Counter()
    for part_id, to in moves.items():
        part = held.parts.get(part_id)
        if part is None or part.state not in REACHED_FROM[to.to]:
            continue
        former[part_id] = part.state
        groups[to].append(part)
    for to, parts in groups.items():
        changed.update((held.messages[part.message_id].campaign_id, part.gateway, part.state, to.to) for part in parts)
        tells = to.to in _TOLD or to.reason is not None
        for part in parts:
            part.state = to.to
            if tells:
                part.reason = to.reason
            if to.to is State.SUBMITTED:
                part.was_handed_over = True
        _write(session, _PART, [part.id for part in parts], _values(to, now))
    changes: Counter[Cell] = Counter()
    for (campaign_id, gateway, before, after), n in changed.items():
        if campaign_id is not None:
            changes[Cell(campaign_id, Kind.PART, gateway, before)] -= n
            changes[Cell(campaign_id, Kind.PART, gateway, after)] += n
    _refresh(session, held, {held.parts[part_id].message_id for part_id in former}, changes)
    tally.add(session, changes)
    return former


def move_whole(
    session: Session, alike: Alike, to: Move, part_ids: Joined, message_ids: Joined, *, now: datetime
) -> bool:
    """Move messages, and all their parts, without reading them: nearly all of them go this way.

    Who moves more than these must hold all of them before. Returns False, and has done nothing, unless each is what it
    is taken for.
    """
    delivered = alike.parts if to.to is State.DELIVERED else 0
    values = {"state": to.to, "reason": to.reason, "parts": alike.parts, "delivered_parts": delivered}
    changes: Counter[Cell] = Counter()
    if alike.campaign_id is not None:
        for state, reason, sign in ((alike.state, None, -1), (to.to, to.reason, 1)):
            changes[Cell(alike.campaign_id, Kind.PART, alike.gateway, state)] = sign * part_ids.count
            cell = tally.message_cell(alike.campaign_id, alike.gateway, state, reason)
            changes[cell] = sign * message_ids.count
    # the messages first: who waits for one holds no part of it yet
    tables = (_MESSAGE, message_ids, values), (_PART, part_ids, _values(to, now))
    expected = {"old_state": alike.state, "old_gateway": alike.gateway}
    # a later attempt has to be asked of each message; nearly all are in their first
    return any(_move_all(session, tables, expected, changes, in_first=in_first) for in_first in (True, False))


def _move_all(
    session: Session,
    tables: Iterable[tuple[Table, Joined, Mapping[str, Any]]],
    expected: Mapping[str, Any],
    changes: Mapping[Cell, int],
    *,
    in_first: bool,
) -> bool:
    """Change all these rows, or none. Returns whether they were all as expected; one journey to the server if so."""
    sqlite = is_sqlite(session)
    moved: list[tuple[CursorResult[Any], int]] = []
    with unread(session):
        session.execute(_SAVEPOINT)
        for table, ids, told in tables:
            given = {**expected, **{f"new_{name}": value for name, value in told.items()}, "ids": id_list(session, ids)}
            result = session.execute(_changed(table, tuple(told), sqlite, in_first), given)
            moved.append((cast(CursorResult[Any], result), ids.count))
        tally.add(session, changes)
    # the driver knows it once the block is over
    if all(result.context.cursor.rowcount == count for result, count in moved):
        return True
    session.execute(_BACK)
    return False


# not the session's own: it would ask for each by itself
_SAVEPOINT, _BACK = text("SAVEPOINT whole"), text("ROLLBACK TO SAVEPOINT whole")


@cache
def _changed(table: Table, names: tuple[str, ...], sqlite: bool, in_first: bool) -> Executable:
    values = {name: bindparam(f"new_{name}", type_=table.c[name].type) for name in names}
    is_expected = [table.c[name] == bindparam(f"old_{name}", type_=table.c[name].type) for name in ("state", "gateway")]
    if in_first:
        # to a planner whose statistics are older than these parts, the index with the attempt looks better than the key
        is_expected.append(table.c.attempt + 0 == 1)
    elif table is _PART:
        its = select(_MESSAGE.c.attempt).where(_MESSAGE.c.id == table.c.message_id).scalar_subquery()
        is_expected.append(table.c.attempt == its)
    return update(table).where(one_of_ids(table.c.id, sqlite=sqlite), *is_expected).values(**values)


def _values(to: Move, now: datetime) -> dict[str, Any]:
    told: dict[str, Any] = {"state": to.to}
    if to.to in _TOLD:
        told |= {"code": to.code, "reason": to.reason, "permanent": to.permanent}
        told["final_at"] = None if to.to is State.IN_NETWORK else now
    elif to.reason is not None:
        told["reason"] = to.reason
    if to.to is State.SUBMITTED:
        told["submitted_at"] = now
    elif to.to is State.QUEUED:
        told["owner_id"] = None
    return told


def refresh(session: Session, held: Held) -> None:
    """Bring messages up to their parts, where they are not."""
    changes: Counter[Cell] = Counter()
    _refresh(session, held, held.messages, changes)
    tally.add(session, changes)


def _refresh(session: Session, held: Held, message_ids: Iterable[int], changes: Counter[Cell]) -> None:
    """A message is the least of its parts, and says why.

    One whose new attempt has no parts yet stays as it is: a receipt for the old attempt does not move it.
    """
    groups: dict[tuple[State, str | None, int, int], list[HeldMessage]] = defaultdict(list)
    for message in map(held.messages.__getitem__, message_ids):
        mine = [part for part in message.pieces if part.attempt == message.attempt]
        if not mine:
            continue
        worst = mine[0] if len(mine) == 1 else min(mine, key=lambda part: (part.state, part.number))
        delivered = sum([part.state is State.DELIVERED for part in mine])
        after = (worst.state, worst.reason, len(mine), delivered)
        if after != (message.state, message.reason, message.parts, message.delivered_parts):
            groups[after].append(message)
    for (state, reason, parts, delivered), messages in groups.items():
        _count(changes, messages, state, reason)
        for message in messages:
            message.state, message.reason, message.parts, message.delivered_parts = state, reason, parts, delivered
        values = {"state": state, "reason": reason, "parts": parts, "delivered_parts": delivered}
        _write(session, _MESSAGE, [message.id for message in messages], values)


def withdraw(
    session: Session, message_ids: Collection[int], to: State, reason: str | None = None, *, now: datetime
) -> int:
    """Skip or cancel what has not left of these messages. One of which a part has left already is what its parts are.

    Returns how many messages became it.
    """
    held = hold(session, message_ids)
    before = {message.id for message in held.messages.values() if message.state == to}
    going = {part.id: Move(to, reason=reason) for part in held.parts.values() if part.state in WAITING}
    move(session, held, going, now=now)
    changes: Counter[Cell] = Counter()
    bare = [
        message
        for message in held.messages.values()
        if message.state in WAITING and not any(part.attempt == message.attempt for part in message.pieces)
    ]
    _count(changes, bare, to, reason)
    for message in bare:
        message.state, message.reason = to, reason
    _write(session, _MESSAGE, [message.id for message in bare], {"state": to, "reason": reason})
    tally.add(session, changes)
    return sum(message.state == to for message in held.messages.values()) - len(before)


def take_number_off(session: Session, message_ids: Collection[int]) -> None:
    """Whoever these were for is nobody any more: nothing shall lead to them."""
    _write(session, _MESSAGE, message_ids, {"msisdn": None})


def cancel(session: Session, campaign_id: int) -> int:
    """Cancel what waits of a campaign and has no parts yet, in one statement, while the campaign is held.

    Returns how many messages.
    """
    m = _MESSAGE.c
    waiting = (m.campaign_id == campaign_id, m.state.in_(WAITING))
    held = select(m.gateway, m.state).where(*waiting).order_by(m.id).with_for_update().subquery()
    counted = session.execute(
        select(held.c.gateway, held.c.state, func.count()).group_by(held.c.gateway, held.c.state)
    ).all()
    session.execute(update(_MESSAGE).where(*waiting).values(state=State.CANCELLED))
    changes: Counter[Cell] = Counter()
    for gateway, state, n in counted:
        changes[tally.message_cell(campaign_id, gateway, state, None)] -= n
        changes[tally.message_cell(campaign_id, gateway, State.CANCELLED, None)] += n
    tally.add(session, changes)
    return sum(n for _, _, n in counted)


def take(
    session: Session, campaign_id: int | None, gateway: str, message_ids: Collection[int], changes: Counter[Cell]
) -> list[int]:
    """Make queued messages ours by compare-and-set; who comes second gets none. Returns the ids, in order.

    `changes`: differences that the caller adds to the tally; this one is added to them.
    """
    taken = sorted(session.scalars(_taking(is_sqlite(session)), {"ids": id_list(session, sorted(message_ids))}).all())
    if campaign_id is not None:
        cell = Cell(campaign_id, Kind.MESSAGE, gateway, State.QUEUED)
        changes[cell] -= len(taken)
        changes[cell._replace(state=State.SUBMITTING)] += len(taken)
    return taken


@cache
def _taking(sqlite: bool) -> Executable:
    mine = one_of_ids(_MESSAGE.c.id, sqlite=sqlite), _MESSAGE.c.state == State.QUEUED
    return update(_MESSAGE).where(*mine).values(state=State.SUBMITTING).returning(_MESSAGE.c.id)


def take_parts(
    session: Session, owner_id: int, campaign_id: int | None, part_ids: Collection[int], changes: Counter[Cell]
) -> set[int]:
    """Make queued parts of messages that we have taken ours, too. Returns the ids; `changes`: as of `take`."""
    if not part_ids:
        return set()
    taken = session.execute(
        update(_PART)
        .where(among(session, _PART.c.id, sorted(part_ids)), _PART.c.state == State.QUEUED)
        .values(state=State.SUBMITTING, owner_id=owner_id)
        .returning(_PART.c.id, _PART.c.gateway)
    ).all()
    if campaign_id is not None:
        for gateway, n in Counter(row.gateway for row in taken).items():
            changes[Cell(campaign_id, Kind.PART, gateway, State.QUEUED)] -= n
            changes[Cell(campaign_id, Kind.PART, gateway, State.SUBMITTING)] += n
    return {row.id for row in taken}


def try_again(session: Session, messages: Iterable[HeldMessage], *, written: bool = False) -> None:
    """Queue these messages once more: a new attempt, which has no parts yet, or (`written`) as many as the last one."""
    changes: Counter[Cell] = Counter()
    again = list(messages)
    _count(changes, again, State.QUEUED, None)
    values: dict[str, Any] = {"state": State.QUEUED, "reason": None, "delivered_parts": 0}
    values |= {} if written else {"parts": 0}
    _write(session, _MESSAGE, [message.id for message in again], values | {"attempt": _MESSAGE.c.attempt + 1})
    tally.add(session, changes)


def _count(changes: Counter[Cell], messages: Iterable[HeldMessage], state: State, reason: str | None) -> None:
    """That these messages, still as they were, become it."""
    before = Counter((message.campaign_id, message.gateway, message.state, message.reason) for message in messages)
    for (campaign_id, gateway, was, why), n in before.items():
        if campaign_id is not None:
            changes[tally.message_cell(campaign_id, gateway, was, why)] -= n
            changes[tally.message_cell(campaign_id, gateway, state, reason)] += n


def _write(session: Session, table: Table, ids: Collection[int], values: Mapping[str, Any]) -> None:
    if ids:
        session.execute(update(table).where(among(session, table.c.id, sorted(ids))).values(**values))
