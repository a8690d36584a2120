"""Receipts that say the same of all parts of a message: nearly all do, and these are not read one by one.

The database puts together what they have in common; their ids come as texts and go back as they came.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Executable,
    Integer,
    Select,
    Table,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import Session

from broadcaster.delivery.models import Message, Part, ReceiptInbox, Submission
from broadcaster.delivery.states import State
from subscribers.db import Joined, id_list, is_sqlite, one_of_ids

_INBOX: Table = ReceiptInbox.__table__  # type: ignore[assignment]
_SUBMISSION: Table = Submission.__table__  # type: ignore[assignment]
_PART: Table = Part.__table__  # type: ignore[assignment]
_MESSAGE: Table = Message.__table__  # type: ignore[assignment]

#: between two values that are compared as one text: a character that nobody writes
_UNIT = "\x1f"


@dataclass(frozen=True, slots=True)
class Told:
    """Receipts of whole messages, all with the same words; or, without `is_whole`, those to be read one by one."""

    is_whole: bool
    campaign_id: int | None
    gateway: str
    #: in the receipts' own terms
    state: str
    code: str | None
    reason: str | None
    permanent: bool | None
    #: of each message
    parts_each: int
    receipts: Joined
    parts: Joined
    messages: Joined
    #: of the messages
    msisdns: list[str]


def find(session: Session, receipts: Joined) -> list[Told]:
    """What these receipts say, by what they have in common. Every one of them is in the answer, once."""
    groups = _groups(session, receipts)
    if sum(group.receipts.count for group in groups) == receipts.count:
        return groups
    # the carrier has given one id to several parts: whose a receipt is shows one by one
    given = {"ids": id_list(session, receipts)}
    doubtful = {*session.scalars(_of_several_parts(is_sqlite(session)), given)}
    others = Joined.of([id_ for id_ in map(int, receipts.told.split(",")) if id_ not in doubtful])
    none = Joined("", 0)
    apart = Told(False, None, "", "", None, None, None, 0, Joined.of(doubtful), none, none, [])
    return [*_groups(session, others), apart]


def _groups(session: Session, receipts: Joined) -> list[Told]:
    if not receipts.count:
        return []
    found = session.execute(_found(is_sqlite(session)), {"ids": id_list(session, receipts)})
    return [_told(*row) for row in found]


def _told(
    is_whole: int,
    campaign_id: int | None,
    gateway: str,
    state: str,
    code: str | None,
    reason: str | None,
    permanent: int | None,
    parts_each: int,
    receipts: str,
    parts: str | None,
    messages: str | None,
    msisdns: str | None,
    n: int,
    n_messages: int,
) -> Told:
    return Told(
        bool(is_whole),
        campaign_id,
        gateway,
        state,
        code,
        reason,
        None if permanent is None else bool(permanent),
        parts_each,
        Joined(receipts, n),
        Joined(parts or "", n),
        Joined(messages or "", n_messages),
        msisdns.split(",") if msisdns else [],
    )


def _joined(*columns: Any) -> Select[Any]:
    i, s, p, m = _INBOX.c, _SUBMISSION.c, _PART.c, _MESSAGE.c
    return select(*columns).select_from(
        _INBOX.outerjoin(_SUBMISSION, (s.provider_id == i.provider_id) & (s.gateway == i.gateway))
        .outerjoin(_PART, p.id == s.part_id)
        .outerjoin(_MESSAGE, m.id == p.message_id)
    )


@cache
def _of_several_parts(sqlite: bool) -> Executable:
    i = _INBOX.c
    return _joined(i.id).where(one_of_ids(i.id, sqlite=sqlite)).group_by(i.id).having(func.count() > 1)


@cache
def _found(sqlite: bool) -> Executable:
    i, p, m = _INBOX.c, _PART.c, _MESSAGE.c
    permanent = cast(i.permanent, Integer)
    words = (i.state, i.code, i.reason, cast(permanent, Text))
    told: Any = words[0]
    for each in words[1:]:
        told = told + literal(_UNIT) + func.coalesce(each, _UNIT)
    # as far as can be seen before the messages are locked; who moves them looks again, also for parts named twice
    plain = and_(p.state == State.SUBMITTED, m.state == State.SUBMITTED, p.attempt == m.attempt)
    special = or_(i.unknown_number, i.opted_out)
    is_whole = and_(
        func.min(case((and_(plain, ~special), 1), else_=0)) == 1,
        func.count() == func.min(m.parts),
        func.min(told) == func.max(told),
    )
    its = (
        _joined(
            case((is_whole, 1), else_=0).label("is_whole"),
            func.min(m.campaign_id).label("campaign_id"),
            func.min(i.gateway).label("gateway"),
            func.min(i.state).label("state"),
            func.min(i.code).label("code"),
            func.min(i.reason).label("reason"),
            func.min(permanent).label("permanent"),
            func.min(m.parts).label("parts_each"),
            _ids(i.id).label("receipts"),
            _ids(p.id).label("parts"),
            m.id.label("message_id"),
            func.min(m.msisdn).label("msisdn"),
            func.count().label("n"),
        )
        .where(one_of_ids(i.id, sqlite=sqlite))
        .group_by(m.id)
        .subquery()
    )
    t = its.c
    alike = (t.is_whole, t.campaign_id, t.gateway, t.state, t.code, t.reason, t.permanent, t.parts_each)
    return select(
        *alike,
        func.aggregate_strings(t.receipts, ","),
        func.aggregate_strings(t.parts, ","),
        _ids(t.message_id),
        func.aggregate_strings(t.msisdn, ","),
        cast(func.sum(t.n), Integer),
        func.count(),
    ).group_by(*alike)


def _ids(column: ColumnElement[int]) -> Any:
    return func.aggregate_strings(cast(column, Text), ",")
