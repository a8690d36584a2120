"""Messages of no campaign that nobody knows to have arrived: answers, confirmations, tests of a gateway."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from broadcaster.delivery import again
from broadcaster.delivery.holding import Held
from broadcaster.delivery.models import Doubt, Message, Part
from broadcaster.delivery.states import State
from broadcaster.replies.inbox import is_of
from subscribers.actor import Actor, Right, needs
from subscribers.audit import note
from subscribers.db import among
from subscribers.errors import NotFound, Unavailable
from subscribers.models import Member

#: so many messages are named in the audit
NAMED = 100


@dataclass(frozen=True, slots=True)
class InDoubt:
    """One such message. `msisdn` in full; `text` is that of its first piece in doubt, `name` empty for a stranger."""

    message_id: int
    since: datetime
    gateway: str
    msisdn: str
    name: str
    text: str


@needs(Right.SEE)
def listing(session: Session, actor: Actor, *, limit: int | None = None) -> Sequence[InDoubt]:
    """Those of the actor's part of the tree, the oldest first."""
    query = (
        _visible(actor)
        .outerjoin(Member, Member.id == Message.member_id)
        .add_columns(Doubt.since, Message.gateway, Message.msisdn, Member.name, Part.text)
        .order_by(Message.id, Part.number)
    )
    found: dict[int, InDoubt] = {}
    for id_, since, gateway, msisdn, name, text in session.execute(query):
        if id_ not in found and limit is not None and len(found) == limit:
            break
        found.setdefault(id_, InDoubt(id_, since, gateway, msisdn, name or "", text))
    return list(found.values())


@needs(Right.SEND)
def settle_as_sent(session: Session, actor: Actor, confirmed: int, *, only: Collection[int] = (), now: datetime) -> int:
    """Count them as sent: nothing goes out. `only`: of these messages. Returns how many messages.

    Raises `NotFound` when one of `only` is not in doubt, `Conflict` when `confirmed` is not their number.
    """
    held = _held(session, actor, confirmed, only, how="as sent", now=now)
    again.count_as_sent(session, held, by=actor.name, now=now)
    return confirmed


@needs(Right.SEND)
def settle_by_resending(
    session: Session,
    actor: Actor,
    confirmed: int,
    *,
    gateways: Collection[str],
    only: Collection[int] = (),
    now: datetime,
) -> int:
    """Hand them over once more, ahead of every broadcast: some may get it twice. `only`: of these messages.

    Returns how many messages. Raises as `settle_as_sent`, and `Unavailable` when one of them went by a gateway that is
    none of these.
    """
    held = _held(session, actor, confirmed, only, how="resend", now=now)
    for name in {message.gateway or "" for message in held.messages.values()} - {*gateways}:
        raise Unavailable(
            "The gateway {name} is not configured any more: nothing can be sent again by it.",
            hint="Count these as sent, or configure the gateway again.",
            name=name,
        )
    again.settle(session, held, by=actor.name, now=now)
    again.write_again(session, held)
    return confirmed


def _held(session: Session, actor: Actor, confirmed: int, only: Collection[int], *, how: str, now: datetime) -> Held:
    query = _visible(actor).distinct()
    ids = session.scalars(query.where(among(session, Message.id, only)) if only else query).all()
    for id_ in sorted({*only} - {*ids}):
        raise NotFound(
            "There is no answer {id} in doubt.", hint="`broadsheet replies doubts` shows those there are.", id=id_
        )
    again.confirm(len(ids), confirmed)
    note(session, actor, "replies.settle", "answers", people=confirmed, now=now, how=how, messages=ids[:NAMED])
    held = again.held_in(session, ids, again.DOUBTFUL)
    again.confirm_held(held, confirmed)
    return held


def _visible(actor: Actor) -> Select[int]:
    # from the few open doubts: messages without a campaign may be many
    return (
        select(Message.id)
        .join(Part, (Part.message_id == Message.id) & (Part.attempt == Message.attempt))
        .join(Doubt, Doubt.part_id == Part.id)
        .where(
            Doubt.settled_at.is_(None),
            Part.state == State.UNKNOWN,
            Message.campaign_id.is_(None),
            Message.state == State.UNKNOWN,
            Message.msisdn.is_not(None),
            is_of(actor, Message.member_id),
        )
    )
