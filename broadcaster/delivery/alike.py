"""Receipts that say the same of all parts of a message: nearly all do, and these are not read one by one.

The database puts together what they have in common; their ids come as texts and go back as they came. A receipt is a
row of the inbox, by its id, or one of a lot, by its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Executable,
    FromClause,
    Integer,
    Select,
    Subquery,
    Table,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import Session

from broadcaster.delivery.lots import STATE_OF, Kind
from broadcaster.delivery.models import Message, Part, ReceiptInbox, Submission
from broadcaster.delivery.states import State
from subscribers.db import Joined, id_list, is_sqlite, named, one_of_ids, text_list

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
    #: the parts are in the state that is told of them: it says no more than is known
    is_known: bool = False


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


def find_named(session: Session, gateway: str, kind: Kind, provider_ids: Sequence[str]) -> list[Told]:
    """What receipts of one kind say that one gateway has sent for these ids: each by its place among them, from 1.

    Every one is in the answer, once, unless the carrier has given an id to several parts: then it is empty.
    """
    given = {"names": text_list(session, provider_ids), "gateway": gateway, "told": STATE_OF[kind.state]}
    rows = session.execute(_found_named(is_sqlite(session)), given).all()
    if sum(row.n for row in rows) != len(provider_ids):
        return []
    return [
        Told(
            bool(row.is_whole),
            row.campaign_id,
            gateway,
            kind.state,
            kind.code,
            kind.reason,
            kind.permanent,
            row.parts_each,
            Joined(row.receipts, row.n),
            Joined(row.parts or "", row.n),
            Joined(row.messages or "", row.n_messages),
            row.msisdns.split(",") if row.msisdns else [],
            bool(row.is_known),
        )
        for row in rows
    ]


def _joined(source: FromClause, gateway: ColumnElement[str], *columns: Any) -> Select[Any]:
    s, p, m = _SUBMISSION.c, _PART.c, _MESSAGE.c
    return select(*columns).select_from(
        source.outerjoin(_SUBMISSION, (s.provider_id == source.c.provider_id) & (s.gateway == gateway))
        .outerjoin(_PART, p.id == s.part_id)
        .outerjoin(_MESSAGE, m.id == p.message_id)
    )


@cache
def _of_several_parts(sqlite: bool) -> Executable:
    i = _INBOX.c
    each = _joined(_INBOX, i.gateway, i.id).where(one_of_ids(i.id, sqlite=sqlite))
    return each.group_by(i.id).having(func.count() > 1)


def _is_plain() -> ColumnElement[bool]:
    """As far as can be seen before the messages are locked; who moves them looks again, also for parts named twice."""
    p, m = _PART.c, _MESSAGE.c
    return and_(p.state == State.SUBMITTED, m.state == State.SUBMITTED, p.attempt == m.attempt)


@cache
def _found(sqlite: bool) -> Executable:
    i, p, m = _INBOX.c, _PART.c, _MESSAGE.c
    permanent = cast(i.permanent, Integer)
    words = (i.state, i.code, i.reason, cast(permanent, Text))
    told: Any = words[0]
    for each in words[1:]:
        told = told + literal(_UNIT) + func.coalesce(each, _UNIT)
    special = or_(i.unknown_number, i.opted_out)
    is_whole = and_(
        func.min(case((and_(_is_plain(), ~special), 1), else_=0)) == 1,
        func.count() == func.min(m.parts),
        func.min(told) == func.max(told),
    )
    its = (
        _joined(
            _INBOX,
            i.gateway,
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
    return _by_what_is_alike(
        its, t.is_whole, t.campaign_id, t.gateway, t.state, t.code, t.reason, t.permanent, t.parts_each
    )


@cache
def _found_named(sqlite: bool) -> Executable:
    named_here, p, m = named(sqlite=sqlite), _PART.c, _MESSAGE.c
    # beside each name, and not taken out again: a planner that sees one gateway for all reads all that has gone there
    gateway = bindparam("gateway", type_=Text).label("gateway")
    names = select(named_here.c.place, named_here.c.provider_id, gateway).offset(0).subquery()
    is_whole = and_(func.min(case((_is_plain(), 1), else_=0)) == 1, func.count() == func.min(m.parts))
    is_known = func.min(case((p.state == bindparam("told", type_=p.state.type), 1), else_=0)) == 1
    its = (
        _joined(
            names,
            names.c.gateway,
            case((is_whole, 1), else_=0).label("is_whole"),
            case((is_known, 1), else_=0).label("is_known"),
            func.min(m.campaign_id).label("campaign_id"),
            func.min(m.parts).label("parts_each"),
            _ids(names.c.place).label("receipts"),
            _ids(p.id).label("parts"),
            m.id.label("message_id"),
            func.min(m.msisdn).label("msisdn"),
            func.count().label("n"),
        )
        .group_by(m.id)
        .subquery()
    )
    t = its.c
    return _by_what_is_alike(its, t.is_whole, t.is_known, t.campaign_id, t.parts_each)


def _by_what_is_alike(its: Subquery, *alike: ColumnElement[Any]) -> Executable:
    t = its.c
    return select(
        *alike,
        func.aggregate_strings(t.receipts, ",").label("receipts"),
        func.aggregate_strings(t.parts, ",").label("parts"),
        _ids(t.message_id).label("messages"),
        func.aggregate_strings(t.msisdn, ",").label("msisdns"),
        cast(func.sum(t.n), Integer).label("n"),
        func.count().label("n_messages"),
    ).group_by(*alike)


def _ids(column: ColumnElement[int]) -> Any:
    return func.aggregate_strings(cast(column, Text), ",")
