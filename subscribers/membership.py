"""Dated membership: where somebody belongs, and in which standing, from a day until another.

A change closes the row before it and opens a new one, so that every count holds as of any day; on the day on which a
row began it is a correction, and changes the row itself. Days may lie ahead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from subscribers import audit, member_marks, seen
from subscribers.actor import Actor, Right, needs
from subscribers.errors import Conflict, Invalid
from subscribers.holding import Held, hold
from subscribers.models import Membership, Organisation, Status
from subscribers.organisations import find_by_path, refuse_closed

PLACE_LENGTH, BRANCH_LENGTH = 100, 200


@dataclass(frozen=True, slots=True)
class Standing:
    """A status, at home or away; of somebody away, where they live and which branch looks after them there."""

    status: Status
    mobile: bool = False
    away_place: str | None = None
    host_branch: str | None = None


@needs(Right.REGISTER)
def update_status(
    session: Session,
    actor: Actor,
    member_id: int,
    *,
    status: Status | None = None,
    mobile: bool | None = None,
    away_place: str | None = None,
    host_branch: str | None = None,
    read: str = "",
    on: date,
    now: datetime,
) -> Standing:
    """Another status from the day `on`; the one before ends with it and stays on record. None: as it is.

    `read`: what the form carried. Raises `NotFound`, `Outdated`, `Invalid`, and `Conflict` if they left before, or if
    a later change is on record already.
    """
    held = hold(session, actor, member_id)
    last = held.last
    _check_last(held, on)
    if last.valid_until is not None and on >= last.valid_until:
        raise _left(member_id, last.valid_until)
    before = standing_of(last)
    after = _changed(before, status, mobile, away_place, host_branch)
    if after == before:
        return after
    _refuse_outdated(session, held, read)
    if on == last.valid_from:
        _give(last, after)
    else:
        session.add(_following(last, last.organisation_id, after, on))
        last.valid_until = on
    session.flush()
    _join_equals(session, member_id)
    audit.note(session, actor, "members.status", f"member {member_id}", now=now, on=on.isoformat())
    return after


@needs(Right.REGISTER)
def leave(session: Session, actor: Actor, member_id: int, *, read: str = "", on: date, now: datetime) -> None:
    """They are a member no more from the day `on`. `read`: what the form carried.

    Raises `Outdated`, and `Conflict` if they left before, or changed after it.
    """
    held = hold(session, actor, member_id)
    _check_last(held, on)
    ended = held.last.valid_until
    if ended is not None and ended <= on:
        raise _left(member_id, ended)
    _refuse_outdated(session, held, read)
    held.last.valid_until = on
    session.flush()
    audit.note(session, actor, "members.leave", f"member {member_id}", now=now, on=on.isoformat())


@needs(Right.REGISTER)
def rejoin(
    session: Session,
    actor: Actor,
    member_id: int,
    *,
    organisation: str | None = None,
    status: Status | None = None,
    read: str = "",
    on: date,
    now: datetime,
) -> None:
    """A member again from the day `on`: where they were if no organisation (a path of names) is given, at home.

    `read`: what the form carried. Raises `Outdated`, and `Conflict` for somebody who is a member, or was one on that
    day, and for an organisation that is closed.
    """
    held = hold(session, actor, member_id)
    last = held.last
    if last.valid_until is None or last.valid_until > on:
        raise Conflict(
            "Member {member} is a member on {day}.",
            hint="Whoever left can come back from the day they left on.",
            member=member_id,
            day=on,
        )
    _refuse_outdated(session, held, read)
    place = find_by_path(session, actor, organisation).id if organisation else last.organisation_id
    # the day may be past, and they stay: it must not be closed by now either
    refuse_closed(session, [place], on=max(on, now.date()))
    after = Standing(status or Status(last.status))
    if last.valid_from == last.valid_until == on:
        last.organisation_id, last.valid_until = place, None
        _give(last, after)
    else:
        new = _following(last, place, after, on)
        new.valid_until = None
        session.add(new)
    session.flush()
    _join_equals(session, member_id)
    audit.note(session, actor, "members.rejoin", f"member {member_id}", now=now, on=on.isoformat())


@needs(Right.REGISTER)
def take_back(session: Session, actor: Actor, member_id: int, *, read: str = "", now: datetime) -> None:
    """Undo the last change of standing, the leaving or the return. `read`: what the form carried.

    Raises `Outdated`, and `Conflict` where there is nothing to undo, and if they would be back in an organisation that
    is closed.
    """
    held = hold(session, actor, member_id)
    _refuse_outdated(session, held, read, is_undo=True)
    last = held.last
    before = held.places[-2] if len(held.places) > 1 else None
    if last.valid_until is not None:
        refuse_closed(session, [last.organisation_id], on=now.date())
        last.valid_until = None
    elif before is None:
        raise Conflict("Nothing about member {member} was changed.", hint="There is nothing to undo.", member=member_id)
    elif _came_from_elsewhere(session, actor, before, last):
        raise Conflict(
            "Member {member} came from another organisation: that is not undone by one side.",
            hint="Ask for a transfer back.",
            member=member_id,
        )
    else:
        if before.valid_until == last.valid_from:
            before.valid_until = None
        session.delete(last)
    session.flush()
    audit.note(session, actor, "members.take_back", f"member {member_id}", now=now)


def relocate(session: Session, held: Held, organisation_id: int, *, on: date) -> None:
    """Belong to another organisation from the day `on`, the standing kept; what is planned for later moves along.

    The member must have a place on that day. Raises `Conflict` if the organisation is closed.
    """
    current = held.on(on)
    if current is None:
        raise ValueError("nobody can be moved who has no place on that day")
    refuse_closed(session, [organisation_id], on=on)
    for place in held.places:
        if place.valid_from > on:
            place.organisation_id = organisation_id
    if current.valid_from == on:
        current.organisation_id = organisation_id
    else:
        session.add(_following(current, organisation_id, standing_of(current), on))
        current.valid_until = on
    session.flush()


def standing_of(place: Membership) -> Standing:
    """The standing that a place stands for."""
    return Standing(Status(place.status), place.mobile, place.away_place, place.host_branch)


def clean_line(text: str, length: int) -> str | None:
    """A short text on one line; None if nothing is in it. Raises `Invalid`."""
    line = " ".join(text.split())
    if len(line) > length or not line.isprintable():
        raise Invalid(
            "{text} is too long, or has signs in it that cannot be printed.",
            hint="Give at most {length} characters.",
            text=repr(line[:30]),
            length=length,
        )
    return line or None


def _refuse_outdated(session: Session, held: Held, read: str, *, is_undo: bool = False) -> None:
    before, deeds = member_marks.of_places(held.places), member_marks.PLACES
    seen.refuse_outdated(session, read, before, deeds=deeds, thing=f"member {held.member.id}", is_undo=is_undo)


def _came_from_elsewhere(session: Session, actor: Actor, before: Membership, last: Membership) -> bool:
    if before.organisation_id == last.organisation_id:
        return False
    moved = before.valid_until == last.valid_from
    return moved or not session.get_one(Organisation, before.organisation_id).path.startswith(actor.under)


def _check_last(held: Held, on: date) -> None:
    if on < held.last.valid_from:
        raise Conflict(
            "The status of member {member} changed on {changed} already, after {day}.",
            hint="Give a day from {changed} on, or undo that change first.",
            member=held.member.id,
            changed=held.last.valid_from,
            day=on,
        )


def _left(member_id: int, day: date) -> Conflict:
    return Conflict(
        "Member {member} left on {day}.",
        hint="Let them join again first, or undo their leaving.",
        member=member_id,
        day=day,
    )


def _changed(
    before: Standing, status: Status | None, mobile: bool | None, away_place: str | None, host_branch: str | None
) -> Standing:
    place = None if away_place is None else clean_line(away_place, PLACE_LENGTH)
    branch = None if host_branch is None else clean_line(host_branch, BRANCH_LENGTH)
    if mobile is False and (place or branch):
        raise Invalid(
            "Whoever lives at home has no place away from it.",
            hint="Say that they live away, or leave place and branch out.",
        )
    away = before.mobile if mobile is None else mobile
    after = replace(before, status=status or before.status, mobile=away or bool(place or branch))
    if not after.mobile:
        return replace(after, away_place=None, host_branch=None)
    return replace(
        after,
        away_place=before.away_place if away_place is None else place,
        host_branch=before.host_branch if host_branch is None else branch,
    )


def _give(place: Membership, standing: Standing) -> None:
    place.status, place.mobile = standing.status, standing.mobile
    place.away_place, place.host_branch = standing.away_place, standing.host_branch


def _following(place: Membership, organisation_id: int, standing: Standing, on: date) -> Membership:
    """A place from the day `on` until the other one ends."""
    return Membership(
        member_id=place.member_id,
        organisation_id=organisation_id,
        status=standing.status,
        mobile=standing.mobile,
        away_place=standing.away_place,
        host_branch=standing.host_branch,
        valid_from=on,
        valid_until=place.valid_until,
    )


def _join_equals(session: Session, member_id: int) -> None:
    """What was changed and changed back is no change: two places alike, one after the other, are one."""
    places: Sequence[Membership] = session.scalars(
        select(Membership)
        .where(Membership.member_id == member_id)
        .order_by(Membership.valid_from.desc(), Membership.id.desc())
        .limit(2)
    ).all()
    if len(places) < 2:
        return
    last, before = places
    alike = (last.organisation_id, standing_of(last)) == (before.organisation_id, standing_of(before))
    if alike and before.valid_until == last.valid_from:
        before.valid_until = last.valid_until
        session.delete(last)
        session.flush()
