"""Transfers between organisations: asked by one side, accepted by the other, with a time limit and a history.

Until it is accepted the old organisation counts the member, from that day on the new one: never both, never none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from subscribers import audit, member_marks, seen
from subscribers.actor import Actor, Right, needs
from subscribers.errors import Conflict, Invalid, NotFound
from subscribers.holding import Held, hold_anywhere, no_such_member
from subscribers.membership import clean_line, relocate
from subscribers.models import Member, Membership, Organisation, Transfer, TransferState
from subscribers.organisations import clean_path, find_paths, in_subtree, names_of, refuse_closed

#: how long the other side may take
DAYS, MOST_DAYS = 30, 366
REASON_LENGTH = 200


class Side(StrEnum):
    """On which side of a transfer one stands."""

    #: towards us
    IN = "in"
    #: away from us
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Move:
    """A transfer as both sides see it: of the member the name, and nothing else; the id where they belong to us."""

    id: int
    member_id: int | None
    name: str
    from_organisation: str
    to_organisation: str
    state: TransferState
    reason: str
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    effective_on: date | None
    #: whether it waits for this person's side
    ours_to_decide: bool


@needs(Right.REGISTER)
def ask(
    session: Session,
    actor: Actor,
    member_id: int,
    to_path: str,
    *,
    name: str = "",
    reason: str = "",
    days: int = DAYS,
    read: str = "",
    on: date,
    now: datetime,
) -> Transfer:
    """Ask for a member to be moved to the organisation at `to_path` (names), within `days`; `on` is today.

    The side that has the member may ask, or the one that is to get them; the latter gives their name, so that nobody
    learns who is behind a number. `read`: what the form carried. Raises `NotFound`, `Invalid`, `Outdated`, and
    `Conflict` if one is open already.
    """
    if not 1 <= days <= MOST_DAYS:
        raise Invalid("{days} days are no time limit.", hint="Give 1 to {most} days.", days=days, most=MOST_DAYS)
    held = hold_anywhere(session, member_id)
    destination = _destination(session, actor, to_path, on)
    place = held.on(on) if held is not None and held.member.forgotten_at is None else None
    ours = held is not None and held.path.startswith(actor.under)
    asked_for = destination.path.startswith(actor.under) and _same_name(held, name)
    if held is None or place is None or not (ours or asked_for):
        raise no_such_member(member_id)
    if place.organisation_id == destination.id:
        raise Conflict(
            "Member {member} belongs to {path} already.",
            hint="Choose another organisation.",
            member=member_id,
            path=clean_path(to_path),
        )
    places, thing = member_marks.of_places(held.places), f"member {member_id}"
    seen.refuse_outdated(session, read, places, deeds=member_marks.PLACES, thing=thing)
    transfer = Transfer(
        member_id=member_id,
        from_organisation_id=place.organisation_id,
        to_organisation_id=destination.id,
        state=TransferState.ASKED,
        reason=clean_line(reason, REASON_LENGTH) or "",
        asked_by=actor.name,
        by_destination=not ours,
        asked_at=now,
        expires_at=now + timedelta(days=days),
    )
    try:
        with session.begin_nested():
            session.add(transfer)
    except IntegrityError:
        raise Conflict(
            "A transfer of member {member} is open already.",
            hint="It must be accepted, refused or withdrawn first.",
            member=member_id,
        ) from None
    audit.note(session, actor, "transfers.ask", f"transfer {transfer.id}", now=now, member=member_id)
    return transfer


@needs(Right.REGISTER)
def accept(session: Session, actor: Actor, transfer_id: int, *, on: date, now: datetime) -> Transfer:
    """The other side agrees: from the day `on` the new organisation counts the member, in the same standing.

    Raises `NotFound`, and `Conflict` if it is closed, out of time, not theirs to decide, or if the member has left,
    was moved otherwise or forgotten since, or if the new organisation was closed.
    """
    transfer, held = _open(session, actor, transfer_id, answering=True, now=now)
    member = _still_there(transfer, held, on)
    relocate(session, member, transfer.to_organisation_id, on=on)
    transfer.effective_on = on
    return _close(session, actor, transfer, TransferState.ACCEPTED, now)


@needs(Right.REGISTER)
def refuse(session: Session, actor: Actor, transfer_id: int, *, now: datetime) -> Transfer:
    """The other side says no. Errors as `accept`, but for the member's."""
    transfer, _ = _open(session, actor, transfer_id, answering=True, now=now)
    return _close(session, actor, transfer, TransferState.REFUSED, now)


@needs(Right.REGISTER)
def withdraw(session: Session, actor: Actor, transfer_id: int, *, now: datetime) -> Transfer:
    """The side that asked takes it back. Errors as `refuse`."""
    transfer, _ = _open(session, actor, transfer_id, answering=False, now=now)
    return _close(session, actor, transfer, TransferState.WITHDRAWN, now)


def expire(session: Session, *, now: datetime) -> int:
    """Close those whose time is over: how many. The old organisation keeps the member."""
    expired = session.execute(
        update(Transfer)
        .where(Transfer.state == TransferState.ASKED, Transfer.expires_at <= now)
        .values(state=TransferState.EXPIRED, decided_at=now)
        .returning(Transfer.id),
        execution_options={"synchronize_session": False},
    )
    return len(expired.all())


@needs(Right.SEE)
def listing(
    session: Session,
    actor: Actor,
    *,
    side: Side | None = None,
    state: TransferState | None = None,
    member_id: int | None = None,
    limit: int = 100,
    before: int | None = None,
) -> list[Move]:
    """Transfers from or towards the actor's part of the tree, the newest first; of one member if `member_id` is given.

    A member who is not of this part is not asked after by id: of theirs, only what comes towards us is seen.
    """
    source, destination = aliased(Organisation), aliased(Organisation)
    towards, away = in_subtree(destination.path, actor.under), in_subtree(source.path, actor.under)
    seen: dict[Side | None, ColumnElement[bool]] = {Side.IN: towards, Side.OUT: away, None: or_(towards, away)}
    query = (
        select(Transfer, Member.name, source.path, destination.path)
        .join(Member, Member.id == Transfer.member_id)
        .join(source, source.id == Transfer.from_organisation_id)
        .join(destination, destination.id == Transfer.to_organisation_id)
        .where(seen[side])
        .order_by(Transfer.id.desc())
        .limit(limit)
        .execution_options(populate_existing=True)
    )
    if state is not None:
        query = query.where(Transfer.state == state)
    if member_id is not None:
        query = query.where(Transfer.member_id == member_id, Transfer.member_id.in_(_mine(actor)))
    if before is not None:
        query = query.where(Transfer.id < before)
    rows = session.execute(query).all()
    ids = [transfer.member_id for transfer, *_ in rows]
    ours = set(session.scalars(_mine(actor).where(Membership.member_id.in_(ids))))
    names = names_of(session, {path for row in rows for path in row[2:]})
    return [
        _move(actor, transfer, name, (old, new), names, known=transfer.member_id in ours)
        for transfer, name, old, new in rows
    ]


def _destination(session: Session, actor: Actor, to_path: str, on: date) -> Organisation:
    """The organisation at a path of names, which may lie outside of the actor's part of the tree."""
    path = clean_path(to_path)
    chain = find_paths(session, [path]).get(path)
    if chain is None:
        raise NotFound(
            "There is no organisation {path}.",
            hint="Write the names from the top down with a slash between them.",
            path=path,
        )
    node = session.get_one(Organisation, int(chain.rsplit("/", 2)[-2]), populate_existing=True)
    refuse_closed(session, [node.id], on=on)
    return node


def _same_name(held: Held | None, name: str) -> bool:
    return held is not None and bool(name.strip()) and "".join(name.split()) == "".join(held.member.name.split())


def _open(
    session: Session, actor: Actor, transfer_id: int, *, answering: bool, now: datetime
) -> tuple[Transfer, Held | None]:
    """The transfer and its member, held; for the side that answers, or for the one that asked."""
    found = session.get(Transfer, transfer_id, populate_existing=True)
    if found is None:
        raise _no_such_transfer(transfer_id)
    # the member before the transfer, in every verb: two of us must not wait for each other
    held = hold_anywhere(session, found.member_id)
    transfer = session.scalars(
        select(Transfer).where(Transfer.id == transfer_id).with_for_update().execution_options(populate_existing=True)
    ).one()
    old, new = (
        session.get_one(Organisation, id_, populate_existing=True).path.startswith(actor.under)
        for id_ in (transfer.from_organisation_id, transfer.to_organisation_id)
    )
    if not (old or new):
        raise _no_such_transfer(transfer_id)
    asker = new if transfer.by_destination else old
    answerer = old if transfer.by_destination else new
    if transfer.state == TransferState.EXPIRED or (
        transfer.state == TransferState.ASKED and transfer.expires_at <= now
    ):
        raise Conflict("The time for transfer {id} is over.", hint="Ask for a new one.", id=transfer_id)
    if transfer.state != TransferState.ASKED:
        raise Conflict(
            "Transfer {id} was decided already, by {name}.",
            hint="Ask for a new one if the member shall be moved.",
            id=transfer_id,
            name=transfer.decided_by,
        )
    if answering and not answerer:
        raise Conflict(
            "Transfer {id} waits for the other side.",
            hint="You asked for it: you can withdraw it.",
            id=transfer_id,
        )
    if not answering and not asker:
        raise Conflict(
            "Transfer {id} was asked for by the other side.",
            hint="You can accept or refuse it.",
            id=transfer_id,
        )
    return transfer, held


def _still_there(transfer: Transfer, held: Held | None, on: date) -> Held:
    if held is None or held.member.forgotten_at is not None:
        raise Conflict("The member of transfer {id} was forgotten since.", hint="Refuse it.", id=transfer.id)
    place = held.on(on)
    if place is None:
        raise Conflict("The member of transfer {id} has left since.", hint="Refuse it.", id=transfer.id)
    if place.organisation_id != transfer.from_organisation_id:
        raise Conflict(
            "The member of transfer {id} was moved to another organisation since.",
            hint="Refuse it, and ask for a new one if they shall be moved again.",
            id=transfer.id,
        )
    return held


def _close(session: Session, actor: Actor, transfer: Transfer, state: TransferState, now: datetime) -> Transfer:
    transfer.state, transfer.decided_by, transfer.decided_at = state, actor.name, now
    session.flush()
    audit.note(
        session, actor, f"transfers.{state.value}", f"transfer {transfer.id}", now=now, member=transfer.member_id
    )
    return transfer


def _mine(actor: Actor) -> Select[int]:
    """Who belongs to the actor's part of the tree now, or is going to."""
    return (
        select(Membership.member_id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(in_subtree(Organisation.path, actor.under), Membership.valid_until.is_(None))
    )


def _move(
    actor: Actor, transfer: Transfer, name: str, paths: Sequence[str], names: dict[str, str], *, known: bool
) -> Move:
    old, new = paths
    answerer = old if transfer.by_destination else new
    return Move(
        id=transfer.id,
        member_id=transfer.member_id if known else None,
        name=name,
        from_organisation=names[old],
        to_organisation=names[new],
        state=TransferState(transfer.state),
        reason=transfer.reason,
        asked_by=transfer.asked_by,
        asked_at=transfer.asked_at,
        expires_at=transfer.expires_at,
        decided_by=transfer.decided_by,
        decided_at=transfer.decided_at,
        effective_on=transfer.effective_on,
        ours_to_decide=transfer.state == TransferState.ASKED and answerer.startswith(actor.under),
    )


def _no_such_transfer(transfer_id: int) -> NotFound:
    return NotFound("There is no transfer {id}.", hint="`broadsheet transfers list` shows them.", id=transfer_id)
