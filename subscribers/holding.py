"""Holding a member: whoever changes one holds them first, so that two changes at once come one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from subscribers.actor import Actor, Right, needs
from subscribers.errors import NotFound
from subscribers.models import Member, Membership, Organisation


@dataclass(frozen=True, slots=True)
class Held:
    """A member whom nobody else changes before this transaction ends, with all their places, the oldest first."""

    member: Member
    places: list[Membership]
    #: the path of ids of the organisation they belong to, or belonged to last
    path: str

    @property
    def last(self) -> Membership:
        """The latest place, which may lie ahead, or be over."""
        return self.places[-1]

    def on(self, day: date) -> Membership | None:
        """The place that holds on a day."""
        return next((place for place in self.places if _holds(place, day)), None)


@needs(Right.REGISTER)
def hold(session: Session, actor: Actor, member_id: int) -> Held:
    """A member of the actor's part of the tree, to be changed. Raises `NotFound`, of forgotten people too."""
    held = hold_anywhere(session, member_id)
    if held is None or not held.path.startswith(actor.under) or held.member.forgotten_at is not None:
        raise no_such_member(member_id)
    return held


def hold_anywhere(session: Session, member_id: int) -> Held | None:
    """A member wherever they are, forgotten or not; None if there never was one."""
    member = session.scalar(
        select(Member)
        .where(Member.id == member_id)
        # messages may refer to the member meanwhile
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    rows = session.execute(
        select(Membership, Organisation.path)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(Membership.member_id == member_id)
        .order_by(Membership.valid_from, Membership.id)
        .execution_options(populate_existing=True)
    ).all()
    return Held(member, [place for place, _ in rows], rows[-1][1]) if member is not None and rows else None


def no_such_member(member_id: int) -> NotFound:
    """What is told of members who are not there, and of those who are not for this person."""
    return NotFound("There is no member {member} here.", hint="Look for them by name or number.", member=member_id)


def _holds(place: Membership, day: date) -> bool:
    return place.valid_from <= day and (place.valid_until is None or place.valid_until > day)
