"""Texts of variants that editors write themselves, and variants that have the full texts of their items."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.newspaper import own_words
from broadcaster.newspaper.editions import variant_names
from broadcaster.newspaper.items import Outdated
from broadcaster.newspaper.making import hold
from broadcaster.newspaper.models import Edition, VariantText
from subscribers import audit
from subscribers.actor import Actor, Right, needs
from subscribers.errors import NotFound


@needs(Right.EDIT)
def write(
    session: Session, actor: Actor, number: int, name: str, body: str, *, composed: str, version: int, now: datetime
) -> VariantText:
    """A text of its own for a variant; `composed` is what its items give now, `version` the one that was read.

    Raises `Invalid` for a text that cannot be used, `Outdated` if somebody else was faster.
    """
    edition = hold(session, actor, number)
    kept = _kept(session, actor, edition, name, version, now)
    kept.body, kept.composed = own_words.checked(body), composed
    audit.note(session, actor, "editions.text", f"edition {number}", people=0, now=now, variant=name)
    session.flush()
    return kept


@needs(Right.EDIT)
def make_anew(session: Session, actor: Actor, number: int, name: str, *, now: datetime) -> str:
    """The text is made of the items again. Returns the one that it had."""
    edition = hold(session, actor, number)
    kept = _kept(session, actor, edition, name, None, now)
    before, kept.body, kept.composed = kept.body or "", None, ""
    session.flush()
    return before


@needs(Right.EDIT)
def set_form(session: Session, actor: Actor, number: int, name: str, *, in_full: bool, now: datetime) -> None:
    """Whether the items of a variant stand in it with their full texts, for phones that open no page."""
    edition = hold(session, actor, number)
    _kept(session, actor, edition, name, None, now).in_full = in_full
    session.flush()


def _kept(
    session: Session, actor: Actor, edition: Edition, name: str, version: int | None, now: datetime
) -> VariantText:
    if name not in variant_names(session, edition):
        raise NotFound(
            "Edition {number} has no variant {name}.", hint="Load it again.", number=edition.number, name=name[:100]
        )
    kept = session.scalar(select(VariantText).where(VariantText.edition_id == edition.id, VariantText.name == name))
    if kept is None:
        kept = VariantText(edition_id=edition.id, name=name, composed="", version=0, in_full=False)
        session.add(kept)
    elif version is not None and version != kept.version:
        raise Outdated(
            "{who} has changed this text since you opened it.",
            hint="Theirs is below: copy from it what you need, and save.",
            who=kept.changed_by,
        )
    kept.version, kept.changed_by, kept.changed_at = kept.version + 1, actor.name, now
    return kept
