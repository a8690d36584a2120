"""The letters that wait for a person: list, answer, close."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Row, Select, SQLColumnExpression, select, true
from sqlalchemy.orm import Session

from broadcaster.replies.answer import Desk, queue_reply
from broadcaster.replies.models import Letter, LetterState
from broadcaster.replies.router import OPT_OUT
from subscribers.actor import Actor, Right, needs
from subscribers.errors import Conflict, Invalid, NotFound
from subscribers.models import Member, Membership, Organisation
from subscribers.organisations import in_subtree


@needs(Right.SEE)
def listing(
    session: Session, actor: Actor, *, state: str | None = None, before: int | None = None, limit: int = 50
) -> Sequence[Row[Letter, str | None]]:
    """The newest letters, each with its writer's name, `limit` at a time; `state` is a `LetterState`."""
    query = _visible(actor).order_by(Letter.id.desc()).limit(limit)
    if state is not None:
        query = query.where(Letter.state == state)
    if before is not None:
        query = query.where(Letter.id < before)
    return session.execute(query).all()


@needs(Right.EDIT)
def reply(session: Session, actor: Actor, desk: Desk, letter_id: int, text: str, *, now: datetime) -> Letter:
    """Send one message back. Someone who has opted out may be answered what they ask, but not their refusal itself."""
    if not text.strip():
        raise Invalid("The answer is empty.", hint="Write what the member should read.")
    letter = _get(session, actor, letter_id)
    if letter.state == LetterState.CLOSED:
        raise Conflict("Letter {id} is closed.", hint="Answer the newest letter of this member instead.", id=letter_id)
    if letter.handled_as == OPT_OUT:
        raise Conflict(
            "Letter {id} refuses the paper; that was confirmed, and nothing more is sent about it.",
            hint="Close it, or answer another letter of this member.",
            id=letter_id,
        )
    queue_reply(session, desk, letter, text)
    letter.state = LetterState.ANSWERED
    letter.handled_at = now
    return letter


@needs(Right.EDIT)
def close(session: Session, actor: Actor, letter_id: int) -> Letter:
    """Nothing more to do about this letter."""
    letter = _get(session, actor, letter_id)
    letter.state = LetterState.CLOSED
    letter.closed_by = actor.name
    return letter


def _get(session: Session, actor: Actor, letter_id: int) -> Letter:
    found = session.execute(_visible(actor).where(Letter.id == letter_id)).first()
    if found is None:
        raise NotFound("There is no letter {id}.", hint="`broadsheet replies list` shows them.", id=letter_id)
    return found[0]


def _visible(actor: Actor) -> Select[Letter, str | None]:
    query = select(Letter, Member.name).outerjoin(Member, Member.id == Letter.member_id)
    return query.where(is_of(actor, Letter.member_id))


def is_of(actor: Actor, member_id: SQLColumnExpression[int | None]) -> ColumnElement[bool]:
    """The condition that a member is of the actor's part of the tree now. Strangers are of the whole tree only."""
    if not actor.under:
        return true()
    mine = (
        select(Membership.member_id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(in_subtree(Organisation.path, actor.under), Membership.valid_until.is_(None))
    )
    return member_id.in_(mine)
