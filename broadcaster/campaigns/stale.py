"""Whether a send that was made of an edition has other words than the edition by now."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from broadcaster.campaigns.compose import texts_of
from broadcaster.campaigns.models import Campaign
from broadcaster.newspaper.models import Edition

#: those in which the words between items are written
_LANGUAGES = ("zh", "en")

#: by edition, paper, pages and language: what the variants would be, as a send keeps them
Made = dict[tuple[int, str, str, str], list[tuple[str, str, dict[str, Any]]]]


def is_stale(session: Session, campaign: Campaign, made: Made | None = None) -> bool:
    """Whether its edition would give other texts now, or other variants, or these in another order.

    Nothing else is compared: to whom it goes, and how it is dressed, is the send's own. One of no edition never is.
    `made`: what was found out for other sends a moment ago; it is added to.
    """
    edition = session.get(Edition, campaign.edition_id) if campaign.edition_id else None
    if edition is None or not campaign.variants:
        return False
    kept = [(each.name, each.source, each.context) for each in campaign.variants]
    # the paper's name, its language and the address of its pages may be others by now: that is no change of the edition
    paper = str(kept[0][2].get("paper", ""))
    links = [str(context["link"]) for _, _, context in kept if "link" in context]
    pages = links[0].removesuffix(str(edition.number)) if links else ""
    made = {} if made is None else made
    for language in _LANGUAGES:
        key = (edition.id, paper, pages, language)
        if key not in made:
            now = texts_of(session, edition, paper=paper, language=language, pages=pages)
            made[key] = [(text.name, text.source, dict(text.context)) for text in now]
        if made[key] == kept:
            return False
    return True
