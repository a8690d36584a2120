"""The numbers of members: several each, exactly one preferred; which are in use, and which must be verified."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, select, text, update
from sqlalchemy.orm import Session

from subscribers import audit, member_marks, msisdn, seen
from subscribers.actor import Actor, Right, needs
from subscribers.db import among, in_bulk, is_sqlite
from subscribers.errors import Conflict, Invalid, NotFound
from subscribers.holding import hold
from subscribers.models import Member, Membership, Number, NumberKind, Organisation
from subscribers.msisdn import Parsed, mask
from subscribers.operators import BY_PREFIX
from subscribers.organisations import in_subtree

#: so many receipts in a row that say nobody has the number suspend it
UNKNOWN_LIMIT = 3
#: so many digits at its end name a number among those of one member
ENDING = 4
OPERATORS = frozenset(BY_PREFIX.values())


@dataclass(frozen=True, slots=True)
class ToVerify:
    """A suspended number: whose it is, since when, and how often in a row nobody was known to have it."""

    member_id: int
    name: str
    msisdn: str
    suspended_at: datetime
    unknown_in_a_row: int


@needs(Right.REGISTER)
def add_number(
    session: Session,
    actor: Actor,
    member_id: int,
    written: str,
    *,
    region: str = "CN",
    prefer: bool = False,
    shared: bool = False,
    now: datetime,
) -> Number:
    """Give a member one more number, in any way that people write one; their first is the preferred one.

    Raises `Invalid`, and `Conflict` if it is on record under another name and not `shared`.
    """
    hold(session, actor, member_id)
    parsed = msisdn.parse(written, region)
    lock_numbers(session, [parsed.msisdn])
    number = give_number(session, actor, member_id, parsed, prefer=prefer, shared=shared)
    audit.note(session, actor, "members.number", f"member {member_id}", now=now, added=number.id)
    return number


@needs(Right.REGISTER)
def remove_number(
    session: Session, actor: Actor, member_id: int, written: str, *, read: str = "", now: datetime
) -> None:
    """Take a number off a member; the next one is preferred then. What its holder wants stays on record.

    `read`: what the form carried. Raises `NotFound`, `Outdated`.
    """
    hold(session, actor, member_id)
    number = number_of(session, member_id, written)
    _refuse_outdated(session, member_id, read)
    _remove(session, number)
    audit.note(session, actor, "members.number", f"member {member_id}", now=now, removed=1)


@needs(Right.REGISTER)
def prefer_number(
    session: Session, actor: Actor, member_id: int, written: str, *, read: str = "", now: datetime
) -> Number:
    """Use this number of the member's from now on. `read`: what the form carried. Raises `NotFound`, `Outdated`."""
    hold(session, actor, member_id)
    number = number_of(session, member_id, written)
    if not number.preferred:
        _refuse_outdated(session, member_id, read)
        _prefer(session, number)
        audit.note(session, actor, "members.number", f"member {member_id}", now=now)
    return number


@needs(Right.REGISTER)
def set_operator(session: Session, actor: Actor, member_id: int, written: str, operator: str, *, now: datetime) -> None:
    """Whose network a member's number is in, as somebody knows it: numbers are taken along to another operator.

    Raises `Invalid` for an operator that there is not.
    """
    hold(session, actor, member_id)
    number = number_of(session, member_id, written)
    correct_operator(session, {number.msisdn: operator}, now=now)
    audit.note(session, actor, "members.number", f"member {member_id}", now=now, operator=operator)


@needs(Right.SEE)
def to_verify(session: Session, actor: Actor, *, limit: int = 100) -> list[ToVerify]:
    """Suspended numbers of the actor's members, those that wait longest first."""
    mine = (
        select(Membership.member_id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(Membership.valid_until.is_(None), in_subtree(Organisation.path, actor.under))
    )
    rows = session.execute(
        select(Number, Member.name)
        .join(Member, Member.id == Number.member_id)
        .where(Number.suspended_at.is_not(None), Number.member_id.in_(mine))
        .order_by(Number.suspended_at, Number.id)
        .limit(limit)
    )
    return [
        ToVerify(number.member_id, name, mask(number.msisdn), number.suspended_at, number.unknown_in_a_row)
        for number, name in rows
        if number.suspended_at is not None
    ]


@needs(Right.REGISTER)
def verify(session: Session, actor: Actor, member_id: int, written: str, *, ok: bool, now: datetime) -> None:
    """What asking the member told about a suspended number: it is right and used again, or it goes.

    Raises `Conflict` if it is not suspended.
    """
    hold(session, actor, member_id)
    number = number_of(session, member_id, written)
    if number.suspended_at is None:
        raise Conflict(
            "{number} is in use: there is nothing to verify.",
            hint="`broadsheet members verify` lists those that wait.",
            number=mask(number.msisdn),
        )
    if ok:
        number.suspended_at, number.unknown_in_a_row = None, 0
        session.flush()
    else:
        _remove(session, number)
    audit.note(session, actor, "members.verify", f"member {member_id}", now=now, ok=ok)


def give_number(
    session: Session, actor: Actor, member_id: int, parsed: Parsed, *, prefer: bool = False, shared: bool = False
) -> Number:
    """Write a number down for a member who is held. The number must be locked: see `lock_numbers`."""
    others = refuse_taken(session, actor, parsed.msisdn, member_id, shared=shared)
    held = session.scalars(select(Number).where(Number.member_id == member_id).order_by(Number.id)).all()
    number = Number(
        member_id=member_id,
        msisdn=parsed.msisdn,
        kind=parsed.kind,
        preferred=not held,
        shared=bool(others),
        operator=msisdn.operator(parsed.msisdn),
    )
    session.add(number)
    session.flush()
    if others:
        session.execute(
            update(Number).where(Number.id.in_(others)).values(shared=True),
            execution_options={"synchronize_session": False},
        )
    if prefer:
        _prefer(session, number)
    return number


def refuse_taken(session: Session, actor: Actor, number: str, member_id: int | None, *, shared: bool) -> list[int]:
    """The rows of others who have this number, if sharing it is meant. Raises `Conflict` if it is not."""
    rows = session.execute(
        select(Number.id, Number.member_id, Member.name, Organisation.path)
        .join(Member, Member.id == Number.member_id)
        .outerjoin(Membership, (Membership.member_id == Number.member_id) & Membership.valid_until.is_(None))
        .outerjoin(Organisation, Organisation.id == Membership.organisation_id)
        .where(Number.msisdn == number)
        .order_by(Number.id)
    ).all()
    if any(row.member_id == member_id for row in rows):
        raise Conflict("{number} is this member's number already.", number=mask(number))
    if any(not (row.path or "").startswith(actor.under) for row in rows):
        # consent goes by number: who shares one with a stranger could speak for them
        raise Conflict(
            "The number {number} is on record in another part of the tree.",
            hint="Correct the number. If two people share the handset, ask the organisation above both.",
            number=mask(number),
        )
    if rows and not shared:
        raise Conflict(
            "The number {number} is on record under another name: {name}.",
            hint="Correct the number or the name. If two people share the handset, say so (--shared).",
            number=mask(number),
            name=rows[0].name,
        )
    return [row.id for row in rows]


def lock_numbers(session: Session, msisdns: Collection[str]) -> None:
    """Let nobody else decide whose these numbers are before this transaction ends: no row stands for a free number."""
    if not is_sqlite(session):
        lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:number, 3))")
        for number in sorted(msisdns):
            session.execute(lock, {"number": number})


def note_receipts(
    session: Session,
    *,
    delivered: Collection[str],
    unknown: Mapping[str, int],
    limit: int = UNKNOWN_LIMIT,
    now: datetime,
) -> int:
    """What receipts say about numbers: which were reached, and of which nobody is known to have them, how often.

    A number in both was reached first. From `limit` in a row on a number is suspended: how many were.
    """
    # nearly all that are reached were reached the last time, too: nothing is held for these
    before = and_(Number.unknown_in_a_row > 0, among(session, Number.msisdn, sorted(delivered)))
    ids = {*session.scalars(select(Number.id).where(before))}
    if unknown:
        ids |= {*session.scalars(select(Number.id).where(among(session, Number.msisdn, sorted(unknown))))}
    if not ids:
        return 0
    # in one order, and both kinds at once: two that apply receipts must not wait for each other
    rows = session.execute(
        select(Number.id, Number.msisdn, Number.unknown_in_a_row, Number.suspended_at)
        .where(among(session, Number.id, sorted(ids)))
        .order_by(Number.id)
        .with_for_update()
    ).all()
    suspended, changes = 0, []
    for row in rows:
        count = 0 if row.msisdn in delivered else row.unknown_in_a_row
        count = min(count + unknown.get(row.msisdn, 0), 30_000)
        news = count >= limit and row.suspended_at is None
        suspended += news
        changes.append({"id": row.id, "unknown_in_a_row": count, "suspended_at": now if news else row.suspended_at})
    session.execute(update(Number), changes)
    return suspended


def correct_operator(session: Session, told: Mapping[str, str], *, now: datetime) -> int:
    """Number -> operator, as a receipt or a gateway tells it; it overrules the table of ranges. How many were news.

    Raises `Invalid` for an operator that there is not.
    """
    if other := sorted(set(told.values()) - OPERATORS):
        raise Invalid(
            "There is no operator {name}.",
            hint="There are: {known}.",
            name=repr(other[0]),
            known=sorted(OPERATORS),
        )
    news = 0
    for portion in in_bulk(sorted(told)):
        rows = session.execute(
            select(Number.id, Number.msisdn, Number.operator, Number.operator_told_at)
            .where(Number.msisdn.in_(portion))
            .order_by(Number.id)
            .with_for_update()
        ).all()
        changes = [
            {"id": row.id, "operator": told[row.msisdn], "operator_told_at": now}
            for row in rows
            if row.operator != told[row.msisdn] or row.operator_told_at is None
        ]
        if changes:
            session.execute(update(Number), changes)
        news += len(changes)
    return news


def end_sharing(session: Session, msisdns: Collection[str]) -> None:
    """Numbers that one member alone has by now are shared no more."""
    alone = (
        select(Number.msisdn)
        .where(Number.msisdn.in_(msisdns))
        .group_by(Number.msisdn)
        .having(func.count() == 1)
        .scalar_subquery()
    )
    session.execute(
        update(Number).where(Number.msisdn.in_(alone), Number.shared.is_(True)).values(shared=False),
        execution_options={"synchronize_session": False},
    )


def number_of(session: Session, member_id: int, written: str) -> Number:
    """The member's number that is meant: in full, or by the digits at its end."""
    held = session.scalars(
        select(Number).where(Number.member_id == member_id).order_by(Number.id).with_for_update()
    ).all()
    digits = "".join(character for character in written if character in "0123456789")
    meant = [number for number in held if len(digits) >= ENDING and number.msisdn.endswith(digits)]
    # somebody who writes 0086 or +86 before it means the same
    meant = meant or [number for number in held if len(digits) > 7 and digits.endswith(msisdn.national(number.msisdn))]
    if len(meant) != 1:
        raise NotFound(
            "Member {member} has no number {number}, or more than one that ends so.",
            hint="`broadsheet members show {member}` lists them; write the number, or at least its last four digits.",
            member=member_id,
            number=mask(f"+{digits}") if len(digits) >= 7 else digits or repr(written[:20]),
        )
    return meant[0]


def _refuse_outdated(session: Session, member_id: int, read: str) -> None:
    before, deeds = member_marks.of_numbers(session, member_id), member_marks.NUMBERS
    seen.refuse_outdated(session, read, before, deeds=deeds, thing=f"member {member_id}")


def _remove(session: Session, number: Number) -> None:
    session.delete(number)
    session.flush()
    rest: Sequence[Number] = session.scalars(
        select(Number)
        .where(Number.member_id == number.member_id)
        .order_by(Number.suspended_at.is_not(None), (Number.kind == NumberKind.MOBILE).desc(), Number.id)
    ).all()
    if number.preferred and rest:
        _prefer(session, rest[0])
    end_sharing(session, [number.msisdn])


def _prefer(session: Session, number: Number) -> None:
    session.execute(
        update(Number).where(Number.member_id == number.member_id).values(preferred=Number.id == number.id),
        execution_options={"synchronize_session": False},
    )
    session.refresh(number)
