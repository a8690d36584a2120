"""The audit: who did what that somebody may have to answer for. It only grows.

It stands on the ground floor, because the registry's own verbs write to it in the transaction of the deed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import insert, or_, select
from sqlalchemy.orm import Session

from subscribers.actor import Actor, Right, needs
from subscribers.models import Audit
from subscribers.organisations import in_subtree

#: deeds since an instant that are looked at
_LOOKED_AT = 2_000


def note(
    session: Session, actor: Actor, deed: str, thing: str = "", *, people: int = 1, now: datetime, **details: object
) -> None:
    """Write down a deed. No numbers and no texts in `thing` and `details`: the audit is kept when these are erased."""
    session.execute(
        insert(Audit).values(
            at=now,
            actor=actor.name,
            under=actor.under,
            deed=deed,
            thing=thing[:200],
            people=people,
            details=details,
        )
    )


def last_by(session: Session, deed: str, thing: str) -> str:
    """Who did this to it last; "" if nobody did. For what was done a moment ago: older deeds take long to find."""
    query = select(Audit.actor).where(Audit.deed == deed, Audit.thing == thing).order_by(Audit.id.desc()).limit(1)
    return session.scalar(query) or ""


def last_since(
    session: Session, deeds: Collection[str], thing: str, since: datetime
) -> tuple[str, datetime] | tuple[str, None]:
    """Who did one of these deeds to it last, and when, if that was since this instant; "" and None if nobody did."""
    query = select(Audit.actor, Audit.at).where(Audit.at >= since, Audit.deed.in_(deeds), Audit.thing == thing)
    found = session.execute(query.order_by(Audit.at.desc(), Audit.id.desc()).limit(1)).one_or_none()
    return (found.actor, found.at) if found else ("", None)


def done_since(session: Session, deeds: Collection[str], under: str, since: datetime) -> bool:
    """Whether one of these deeds was done since in this part of the tree, in one below it, or above.

    The first of the deeds since then are looked at, whatever they are: it costs the same however long ago that was.
    """
    parts = under.split("/")[:-1]
    above = ["", *("/".join(parts[: at + 1]) + "/" for at in range(len(parts)))]
    first = select(Audit.deed, Audit.under).where(Audit.at > since).order_by(Audit.at).limit(_LOOKED_AT).subquery()
    near = or_(first.c.under.in_(above), first.c.under.startswith(under, autoescape=True))
    return session.scalar(select(first.c.deed).where(first.c.deed.in_(deeds), near).limit(1)) is not None


@needs(Right.NUMBERS)
def seen_in_full(
    session: Session, actor: Actor, /, deed: str, thing: str = "", *, people: int, now: datetime, **details: object
) -> None:
    """Write down that somebody is shown the numbers of so many people in full, or takes them away in a file."""
    note(session, actor, deed, thing, people=people, now=now, **details)


@needs(Right.ADMINISTER)
def read(
    session: Session,
    actor: Actor,
    *,
    deed: str = "",
    by: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int | None = 100,
    before: int | None = None,
) -> Sequence[Audit]:
    """The deeds done in the actor's part of the tree, the newest first; `before` is the id to go on from.

    A deed stays where it was done: of a place that was moved since, those read it who were above it at the time.
    `deed` is its beginning: "campaigns" finds "campaigns.send". `until` itself is left out; `limit` None: all of them.
    """
    query = select(Audit).where(in_subtree(Audit.under, actor.under)).order_by(Audit.id.desc()).limit(limit)
    if deed:
        query = query.where(Audit.deed.startswith(deed, autoescape=True))
    if by:
        query = query.where(Audit.actor == by)
    if since is not None:
        query = query.where(Audit.at >= since)
    if until is not None:
        query = query.where(Audit.at < until)
    if before is not None:
        query = query.where(Audit.id < before)
    return session.scalars(query).all()
