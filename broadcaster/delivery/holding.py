"""Messages that are kept for a transaction, and read as they are: whoever moves something holds its message first.

Lowest id first; a message stands for its parts, so nobody locks these. In which order a transaction takes what it
needs: owner, batch or turn, campaign, messages, then everything else.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Select, SmallInteger, Table, select, text, type_coerce
from sqlalchemy.orm import Session

from broadcaster.delivery.models import Message, Part
from broadcaster.delivery.states import STATES, State
from subscribers.db import Joined, id_list, is_sqlite, one_of_ids, unread

_MESSAGE: Table = Message.__table__  # type: ignore[assignment]
_PART: Table = Part.__table__  # type: ignore[assignment]


@dataclass(slots=True)
class HeldPart:
    """A part as it is, while its message is held."""

    id: int
    message_id: int
    attempt: int
    number: int
    state: State
    gateway: str
    reason: str | None
    #: when it was handed over is on record
    was_handed_over: bool


@dataclass(slots=True)
class HeldMessage:
    """A message that nobody else moves before this transaction ends."""

    id: int
    campaign_id: int | None
    msisdn: str | None
    gateway: str | None
    state: State
    attempt: int
    parts: int
    delivered_parts: int
    reason: str | None
    #: of all its attempts
    pieces: list[HeldPart] = field(default_factory=list)


@dataclass(slots=True)
class Held:
    """Messages and all their parts, by id."""

    messages: dict[int, HeldMessage]
    parts: dict[int, HeldPart]


@cache
def _messages_held(sqlite: bool) -> Select[Any]:
    m = _MESSAGE.c
    return (
        select(
            m.id,
            m.campaign_id,
            m.msisdn,
            m.gateway,
            type_coerce(m.state, SmallInteger),
            m.attempt,
            m.parts,
            m.delivered_parts,
            m.reason,
        )
        .where(one_of_ids(m.id, sqlite=sqlite))
        .order_by(m.id)
        .with_for_update()
    )


@cache
def _parts_held(sqlite: bool) -> Select[Any]:
    p = _PART.c
    return select(
        p.id,
        p.message_id,
        p.attempt,
        p.number,
        type_coerce(p.state, SmallInteger),
        p.gateway,
        p.reason,
        p.submitted_at.is_not(None),
    ).where(one_of_ids(p.message_id, sqlite=sqlite))


def hold(session: Session, message_ids: Collection[int]) -> Held:
    """Keep these messages for this transaction, and read them as they are: nobody else moves them before it ends."""
    if not message_ids:
        return Held({}, {})
    given, sqlite = {"ids": id_list(session, sorted(message_ids))}, is_sqlite(session)
    messages = {
        id_: HeldMessage(id_, campaign_id, msisdn, gateway, STATES[state], attempt, parts, delivered, reason)
        for id_, campaign_id, msisdn, gateway, state, attempt, parts, delivered, reason in session.execute(
            _messages_held(sqlite), given
        ).all()
    }
    parts = {}
    # a statement of its own, and after the lock: it sees what those have committed who were waited for
    for id_, message_id, attempt, number, state, gateway, reason, was_handed_over in session.execute(
        _parts_held(sqlite), given
    ).all():
        parts[id_] = part = HeldPart(
            id_, message_id, attempt, number, STATES[state], gateway, reason, bool(was_handed_over)
        )
        messages[message_id].pieces.append(part)
    return Held(messages, parts)


def lock(session: Session, messages: Joined) -> None:
    """Keep these messages for this transaction without reading them."""
    if messages.count and not is_sqlite(session):
        with unread(session):
            session.execute(_LOCK, {"ids": id_list(session, messages)})


# one row: what nobody reads need not travel
_LOCK = text(
    "SELECT count(*) FROM (SELECT FROM message WHERE id = ANY(CAST(:ids AS bigint[])) ORDER BY id FOR UPDATE) AS held"
)
