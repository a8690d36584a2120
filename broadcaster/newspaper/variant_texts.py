"""Texts of variants that editors write themselves, and variants that have the full texts of their items."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from broadcaster.newspaper import own_words
from broadcaster.newspaper.editions import get, variant_names
from broadcaster.newspaper.making import hold
from broadcaster.newspaper.models import EarlierText, Edition, VariantText
from subscribers import audit, seen
from subscribers.actor import Actor, Right, needs
from subscribers.errors import Invalid, NotFound, Outdated

#: earlier texts that are kept of a variant
EARLIER = 10
_FORM = "editions.form"


@needs(Right.EDIT)
def write(
    session: Session, actor: Actor, number: int, name: str, body: str, *, composed: str, version: int, now: datetime
) -> VariantText:
    """A text of its own for a variant; `composed` is what its items give now, `version` the one that was read.

    Raises `Invalid` for a text that cannot be used, `Outdated` if somebody else was faster.
    """
    edition = hold(session, actor, number)
    kept, body = _kept(session, actor, edition, name, now), own_words.checked(body)
    _refuse_outdated(kept, version)
    if kept.body is not None and kept.changed_by != actor.name:
        _put_aside(session, kept)
    kept.body, kept.composed = body, composed
    _changed(session, actor, number, kept, now)
    return kept


@needs(Right.EDIT)
def make_anew(session: Session, actor: Actor, number: int, name: str, *, version: int, now: datetime) -> int | None:
    """The text is made of the items again. Returns the id of the one that it had, to be taken back; None: it had none.

    Raises `Outdated` if somebody has written another one since `version` was read.
    """
    edition = hold(session, actor, number)
    kept = _kept(session, actor, edition, name, now)
    if kept.body is None:
        return None
    _refuse_outdated(kept, version)
    earlier = _put_aside(session, kept)
    kept.body, kept.composed = None, ""
    _changed(session, actor, number, kept, now)
    return earlier.id


@needs(Right.EDIT)
def earlier(session: Session, actor: Actor, number: int, name: str) -> Sequence[EarlierText]:
    """What was written by hand for a variant and stands there no more, the newest first."""
    edition = get(session, actor, number)
    found = session.scalars(_earlier_of(edition.id, name)).all()
    own = session.get(VariantText, (edition.id, name))
    return [each for each in found if own is None or each.body != own.body]


@needs(Right.EDIT)
def take_back(
    session: Session, actor: Actor, number: int, name: str, earlier_id: int, *, version: int, now: datetime
) -> None:
    """An earlier text is the variant's again; one that was written since is put aside in its turn.

    Raises `NotFound`, and `Outdated` if somebody has written another one since `version` was read.
    """
    edition = hold(session, actor, number)
    kept = _kept(session, actor, edition, name, now)
    found = session.scalar(_earlier_of(edition.id, name).where(EarlierText.id == earlier_id))
    if found is None:
        raise NotFound("This text is not kept any more.", hint="Those that are stand below the text of the variant.")
    if kept.body == found.body:
        return
    _refuse_outdated(kept, version)
    body, composed = found.body, found.composed
    if kept.body is not None:
        _put_aside(session, kept)
    kept.body, kept.composed = body, composed
    _changed(session, actor, number, kept, now)


@needs(Right.EDIT)
def set_form(
    session: Session,
    actor: Actor,
    number: int,
    name: str,
    *,
    in_full: bool,
    with_link: bool,
    pages: str,
    read: str = "",
    now: datetime,
) -> None:
    """Whether the items of a variant stand in it with their full texts, for phones that open no page; and whether it
    ends with the address of the reading page, for those that do.

    `pages`: where those stand; `read`: what the form carried. Raises `Outdated`, and `Invalid` where there is no
    address, for a text that did not end with it before.
    """
    edition = hold(session, actor, number)
    kept = _kept(session, actor, edition, name, now)
    if with_link and not (pages or kept.with_link):
        raise Invalid(
            "There is no address of reading pages yet: no text can end with it.",
            hint="Ask the operator to set it, or choose that nothing more stands at its end.",
        )
    before, thing = form_mark(kept), f"edition {number}"
    kept.in_full, kept.with_link = in_full, with_link
    seen.refuse_outdated(session, read, before, form_mark(kept), deeds={_FORM}, thing=thing)
    audit.note(session, actor, _FORM, thing, people=0, now=now, variant=name)
    session.flush()


def form_mark(kept: VariantText | None) -> str:
    """The mark of what stands in the text of a variant, and at its end; None: as it is when nobody has chosen."""
    return seen.mark(bool(kept and kept.in_full), bool(kept and kept.with_link))


def _kept(session: Session, actor: Actor, edition: Edition, name: str, now: datetime) -> VariantText:
    if name not in variant_names(session, edition):
        raise NotFound(
            "Edition {number} has no variant {name}.", hint="Load it again.", number=edition.number, name=name[:100]
        )
    kept = session.get(VariantText, (edition.id, name))
    if kept is None:
        kept = VariantText(edition_id=edition.id, name=name, composed="", version=0, in_full=False)
        kept.changed_by, kept.changed_at = actor.name, now
        session.add(kept)
    return kept


def _refuse_outdated(kept: VariantText, version: int) -> None:
    if version != kept.version:
        raise Outdated(
            "{who} has changed this text since you opened it.",
            hint="Theirs is below: copy from it what you need, and save.",
            who=kept.changed_by,
        )


def _put_aside(session: Session, kept: VariantText) -> EarlierText:
    """Keep a text that gives way; the same one is kept once, and the oldest of too many is given up."""
    aside = list(session.scalars(_earlier_of(kept.edition_id, kept.name)))
    for each in [each for each in aside if each.body == kept.body] or aside[EARLIER - 1 :]:
        session.delete(each)
    made = EarlierText(edition_id=kept.edition_id, name=kept.name, body=kept.body, composed=kept.composed)
    made.written_by, made.written_at = kept.changed_by, kept.changed_at
    session.add(made)
    session.flush()
    return made


def _earlier_of(edition_id: int, name: str) -> Select[EarlierText]:
    mine = select(EarlierText).where(EarlierText.edition_id == edition_id, EarlierText.name == name)
    return mine.order_by(EarlierText.id.desc())


def _changed(session: Session, actor: Actor, number: int, kept: VariantText, now: datetime) -> None:
    kept.version, kept.changed_by, kept.changed_at = kept.version + 1, actor.name, now
    audit.note(session, actor, "editions.text", f"edition {number}", people=0, now=now, variant=kept.name)
    session.flush()
