"""Where a saved segment is named in the paper: whoever removes it, or puts another rule in its place, shall know."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Text, cast, or_, select
from sqlalchemy.orm import Session

from broadcaster.newspaper.models import Edition, Item, ItemState, Variant
from broadcaster.newspaper.places import at_or_under
from subscribers import rules
from subscribers.actor import Actor, Right, needs
from subscribers.errors import Invalid
from subscribers.rules import Saved

#: editions, and items, that are looked at: the newest
_MOST = 200


@dataclass(frozen=True, slots=True)
class SegmentUses:
    """Numbers of editions that have a variant for it, and headlines of items for it; the newest first."""

    editions: Sequence[int]
    items: Sequence[str]


@needs(Right.SEE)
def segment_uses(session: Session, actor: Actor, name: str) -> SegmentUses:
    """Who of the actor's part of the tree names a segment; a withdrawn item does not count."""
    editions = (
        select(Edition.number, Variant.name)
        .join(Variant, Variant.edition_id == Edition.id)
        .where(at_or_under(Edition.under, actor.under), Variant.name.contains(name, autoescape=True))
        .order_by(Edition.id.desc())
        .limit(_MOST)
    )
    written = cast(Item.audience, Text)
    # as JSON has it: with its characters, or with their numbers
    forms = {json.dumps(name, ensure_ascii=is_ascii)[1:-1] for is_ascii in (True, False)}
    items = (
        select(Item.headline, Item.audience)
        .where(
            at_or_under(Item.under, actor.under),
            Item.state != ItemState.WITHDRAWN,
            or_(*(written.contains(form, autoescape=True) for form in forms)),
        )
        .order_by(Item.id.desc())
        .limit(_MOST)
    )
    found = [number for number, variant in session.execute(editions) if _names(name, [variant])]
    return SegmentUses(
        list(dict.fromkeys(found)),
        [headline for headline, audience in session.execute(items) if _names(name, audience)],
    )


def _names(name: str, asked: Iterable[str]) -> bool:
    """Whether one of these is the segment, or a rule that names it."""
    for each in asked:
        try:
            meaning = rules.parse(each)
        except Invalid:
            continue
        if any(isinstance(term, Saved) and term.name == name for term in rules.walk(meaning)):
            return True
    return False
