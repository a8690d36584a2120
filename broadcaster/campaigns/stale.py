"""Whether a send that waits is older than what it was made of: its edition has other words, a segment other people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from broadcaster.campaigns.compose import texts_of
from broadcaster.campaigns.models import Campaign
from broadcaster.newspaper.models import Edition
from subscribers import segments
from subscribers.errors import Invalid
from subscribers.segments import SavedSegment

#: those in which the words between items are written
_LANGUAGES = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found out for other sends a moment ago; it is added to."""

    #: by edition, paper, pages and language: what the variants would be, as a send keeps them
    made: dict[tuple[int, str, str, str], list[tuple[str, str, dict[str, Any]]]] = field(default_factory=dict)
    #: by rule and place: the same written out, as a send keeps it; empty for one that cannot be asked any more
    meant: dict[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OtherPeople:
    """A rule of a send that means others by now, both written out, and the segment that was changed."""

    kept: str
    now: str
    segment: SavedSegment


def is_stale(session: Session, campaign: Campaign, seen: Seen | None = None) -> bool:
    """Whether its edition would give other texts now, or other variants, or these in another order.

    Nothing else is compared: to whom it goes, and how it is dressed, is the send's own. One of no edition never is.
    """
    edition = session.get(Edition, campaign.edition_id) if campaign.edition_id else None
    if edition is None or not campaign.variants:
        return False
    kept = [(each.name, each.source, each.context) for each in campaign.variants]
    # the paper's name, its language and the address of its pages may be others by now: that is no change of the edition
    paper = str(kept[0][2].get("paper", ""))
    links = [str(context["link"]) for _, _, context in kept if "link" in context]
    pages = links[0].removesuffix(str(edition.number)) if links else ""
    made = (seen or Seen()).made
    for language in _LANGUAGES:
        key = (edition.id, paper, pages, language)
        if key not in made:
            now = texts_of(session, edition, paper=paper, language=language, pages=pages)
            made[key] = [(text.name, text.source, dict(text.context)) for text in now]
        if made[key] == kept:
            return False
    return True


def other_people(session: Session, campaign: Campaign, seen: Seen | None = None) -> list[OtherPeople]:
    """The rules of a send in which a segment was changed since it was made: it goes to whom they held before.

    Who comes into a segment and leaves it is no change of it. A segment that is gone is none either.
    """
    meant = (seen or Seen()).meant
    # a variant of an edition is called by its segment
    rules = {each.name: each.rule for each in campaign.variants} if campaign.edition_id else {}
    if campaign.asked:
        rules[campaign.asked] = campaign.rule
    found = []
    for asked, kept in rules.items():
        key = (asked, campaign.under)
        if key not in meant:
            try:
                meant[key] = segments.frozen(session, asked, within=campaign.under)
            except Invalid:
                meant[key] = ""
        if meant[key] and meant[key] != kept:
            changed = segments.last_saved(session, asked, within=campaign.under)
            if changed is not None and changed.saved_at >= campaign.created_at:
                found.append(OtherPeople(kept, meant[key], changed))
    # two rules may name one segment
    return list({each.segment.name: each for each in found}.values())
