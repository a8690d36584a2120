"""The audit: who did what that somebody may have to answer for. It is read, and never changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from broadcaster.campaigns import compose
from broadcaster.deeds import (
    campaign_noted,
    deed_words,
    detail_word,
    edition_word,
    noted_words,
    things_words,
    value_word,
)
from broadcaster.language import tr
from broadcaster.newsroom.drawing import draw
from broadcaster.newsroom.items import segment_words
from broadcaster.newsroom.members import PAGE, Behind
from broadcaster.web.doors import shows
from broadcaster.web.figures import when
from broadcaster.web.house import House
from broadcaster.web.visits import Here
from broadcaster.words import ITEM_STATES, ROLES, actor_word, item_state_word, place_words, role_word
from subscribers import audit
from subscribers.actor import OPERATOR, SYSTEM, Right
from subscribers.models import Audit

router = APIRouter()

#: details that name an organisation
_PLACES = frozenset({"under", "into", "from", "to", "organisation"})
#: details that name an instant
_TIMES = frozenset({"at", "before_at"})
#: what a line has room for
_LONGEST = 200


@shows(router, "/settings/records", needs=Right.ADMINISTER)
def records(request: Request, house: House, visit: Here, deed: str = "", by: str = "", before: Behind = 0) -> Response:
    """The deeds done in one's part of the tree, the newest first, fifty at a time."""
    with house.reading() as tx:
        found = audit.read(
            tx.session, visit.actor, deed=deed.strip(), by=_name(by.strip()), before=before or None, limit=PAGE + 1
        )
        named = {id_ for each in found if (id_ := campaign_noted(each.thing)) is not None}
        sent = compose.editions_of(tx.session, visit.actor, named)
        now = tx.now
    lines = [
        {
            "at": when(each.at, now, house.settings.zone),
            "exactly": f"{each.at:%Y-%m-%d %H:%M:%S} UTC",
            "who": actor_word(each.actor),
            "words": deed_words(each.deed),
            "what": _what(each, sent, now, house.settings.zone),
            "people": each.people,
        }
        for each in found[:PAGE]
    ]
    more = urlencode({"deed": deed, "by": by, "before": found[PAGE - 1].id}) if len(found) > PAGE else ""
    things = [("", tr("everything")), *things_words()]
    if deed and deed not in dict(things):
        # an address that was kept
        things.append((deed, deed))
    return draw(request, "records.html", lines=lines, things=things, deed=deed, by=by, onward=more)


def _name(typed: str) -> str:
    """What the audit calls somebody, as the page calls them."""
    return {actor_word(each.name): each.name for each in (OPERATOR, SYSTEM)}.get(typed, typed)


def _what(row: Audit, sent: Mapping[int, int], now: datetime, zone: ZoneInfo) -> str:
    told = (
        tr("{name}: {value}", name=detail_word(name), value=_said(name, value, now, zone))
        for name, value in row.details.items()
        if value not in ("", None)
    )
    details = " · ".join(told)
    thing = place_words(row.thing) if row.deed.startswith("organisations.") else row.thing
    edition = sent.get(campaign_noted(row.thing) or 0)
    of_edition = edition_word(edition) if edition else ""
    return " · ".join(filter(None, (noted_words(row.deed, thing), of_edition, details)))[:_LONGEST]


def _said(name: str, value: object, now: datetime, zone: ZoneInfo) -> str:
    told = str(value)
    if name in _TIMES:
        return when(datetime.fromisoformat(told), now, zone)
    if name == "variant":
        return segment_words(told)
    if name in _PLACES:
        return place_words(told)
    if told in ITEM_STATES:
        return item_state_word(told)
    return role_word(told) if told in ROLES and name.startswith("role") else value_word(value)
