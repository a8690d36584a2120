"""Words that an editor wants to be warned of: a list per place, which holds for all below it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from broadcaster.newspaper.models import WordList
from broadcaster.newspaper.pasted import clean_line
from broadcaster.newspaper.places import above
from subscribers import audit, seen
from subscribers.actor import Actor, Right, needs
from subscribers.errors import Invalid
from subscribers.organisations import hold_place

MAX_WORDS = 2_000
MAX_WORD = 50


@needs(Right.SEE)
def own(session: Session, actor: Actor) -> Sequence[str]:
    """The list of the actor's place."""
    kept = session.scalar(select(WordList).where(WordList.under == actor.under))
    return kept.words if kept else []


@needs(Right.SEE)
def holding(session: Session, actor: Actor) -> list[str]:
    """All words that are looked for at the actor's place: its own, and those of the places above."""
    where = or_(WordList.under == actor.under, WordList.under.in_(above(actor.under)))
    return sorted({word for kept in session.scalars(select(WordList).where(where)) for word in kept.words})


@needs(Right.EDIT)
def save(session: Session, actor: Actor, words: Sequence[str], *, read: str = "", now: datetime) -> list[str]:
    """Another list for the actor's place. What it was before is told by the answer.

    `read`: what its form carried. Raises `Invalid`, `Outdated`.
    """
    cleaned = list(dict.fromkeys(filter(None, map(clean_line, words))))
    if len(cleaned) > MAX_WORDS:
        raise Invalid("A list has {limit} words at most.", limit=MAX_WORDS)
    if long := next((word for word in cleaned if len(word) > MAX_WORD), ""):
        raise Invalid("“{word}…” is too long for a word.", hint="Write one word in each line.", word=long[:20])
    mine = select(WordList).where(WordList.under == actor.under).execution_options(populate_existing=True)
    kept = session.scalar(mine.with_for_update())
    before: list[str] = list(kept.words) if kept else []
    if kept is not None and seen.is_outdated(read, seen.mark(before), seen.mark(cleaned)):
        raise seen.outdated(kept.changed_by, kept.changed_at)
    if kept is None:
        hold_place(session, actor.under)
        kept = WordList(under=actor.under)
        session.add(kept)
    kept.words, kept.changed_by, kept.changed_at = cleaned, actor.name, now
    audit.note(session, actor, "words.save", people=0, now=now, words=len(cleaned), before=len(before))
    session.flush()
    return before
