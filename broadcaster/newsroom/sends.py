"""Sends that were made of an edition, as pages tell of them: how far they are, and whether their words are older."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from broadcaster.campaigns import anew, compose
from broadcaster.campaigns.models import Campaign
from broadcaster.campaigns.schedule import STARTABLE
from broadcaster.campaigns.stale import OtherPeople, Seen, is_stale, other_people
from broadcaster.campaigns.states import CampaignState
from broadcaster.language import filled
from broadcaster.newsroom.counts import size_words
from broadcaster.newsroom.members import today
from broadcaster.runtime import Runtime
from broadcaster.web.figures import when
from broadcaster.web.visits import Visit
from broadcaster.words import campaign_state_word
from subscribers import segments
from subscribers.actor import Right
from subscribers.db import Tx


def all_sends(house: Runtime, tx: Tx, visit: Visit, number: int) -> list[dict[str, Any]]:
    """What was made of an edition, the newest first."""
    seen = Seen()
    return [_told(house, tx, visit, each, seen) for each in compose.of_edition(tx.session, visit.actor, number)]


def older_sends(house: Runtime, tx: Tx, visit: Visit, number: int) -> list[dict[str, Any]]:
    """Of these, those that wait and have other words, or go to other people, than the edition by now."""
    seen = Seen()
    found = anew.left_behind(tx.session, visit.actor, [number], seen=seen).get(number, [])
    return [_told(house, tx, visit, each, seen) for each in found]


def _told(house: Runtime, tx: Tx, visit: Visit, send: Campaign, seen: Seen) -> dict[str, Any]:
    is_draft = send.state in STARTABLE
    has_old_words = is_draft and is_stale(tx.session, send, seen)
    changed = other_people(tx.session, send, seen) if is_draft else []
    others = [_changed(house, tx, visit, send, each) for each in changed]
    is_scheduled = send.state == CampaignState.SCHEDULED
    return {
        "id": send.id,
        "state": campaign_state_word(send.state),
        "is_draft": is_draft,
        "is_old": has_old_words or bool(others),
        "has_old_words": has_old_words,
        "others": others,
        "made": when(send.created_at, tx.now, house.settings.zone),
        # whoever may not send does not take it off its time either
        "needs": Right.SEND if is_scheduled else Right.EDIT,
        "at": when(send.scheduled_for, tx.now, house.settings.zone) if is_scheduled and send.scheduled_for else "",
        "note": filled(send.note, send.note_fields),
    }


def _changed(house: Runtime, tx: Tx, visit: Visit, send: Campaign, other: OtherPeople) -> dict[str, str]:
    """A segment that holds others by now, and how many these were and are."""
    # the send is for its own part of the tree, whichever one is looked at
    mine, day = replace(visit.actor, under=send.under), today(house, tx)
    before, after = segments.sizes(tx.session, mine, [other.kept, other.now], on=day)
    return {
        "segment": other.segment.name,
        "by": other.segment.saved_by,
        "time": when(other.segment.saved_at, tx.now, house.settings.zone),
        "before": size_words(before),
        "now": size_words(after),
    }
