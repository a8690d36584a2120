"""Sends that were made of an edition, as pages tell of them: how far they are, and whether their words are older."""

from __future__ import annotations

from typing import Any

from broadcaster.campaigns import anew, compose
from broadcaster.campaigns.models import Campaign
from broadcaster.campaigns.schedule import STARTABLE
from broadcaster.campaigns.stale import Made, is_stale
from broadcaster.campaigns.states import CampaignState
from broadcaster.language import filled
from broadcaster.runtime import Runtime
from broadcaster.web.figures import when
from broadcaster.web.visits import Visit
from broadcaster.words import campaign_state_word
from subscribers.actor import Right
from subscribers.db import Tx


def all_sends(house: Runtime, tx: Tx, visit: Visit, number: int) -> list[dict[str, Any]]:
    """What was made of an edition, the newest first."""
    found = compose.of_edition(tx.session, visit.actor, number)
    made: Made = {}
    old = {each.id for each in found if each.state in STARTABLE and is_stale(tx.session, each, made)}
    return [_told(house, tx, each, is_old=each.id in old) for each in found]


def older_sends(house: Runtime, tx: Tx, visit: Visit, number: int) -> list[dict[str, Any]]:
    """Of these, those that wait and have other words than the edition has by now."""
    found = anew.left_behind(tx.session, visit.actor, [number]).get(number, [])
    return [_told(house, tx, each, is_old=True) for each in found]


def _told(house: Runtime, tx: Tx, send: Campaign, *, is_old: bool) -> dict[str, Any]:
    is_scheduled = send.state == CampaignState.SCHEDULED
    return {
        "id": send.id,
        "state": campaign_state_word(send.state),
        "is_draft": send.state in STARTABLE,
        "is_old": is_old,
        "made": when(send.created_at, tx.now, house.settings.zone),
        # whoever may not send does not take it off its time either
        "needs": Right.SEND if is_scheduled else Right.EDIT,
        "at": when(send.scheduled_for, tx.now, house.settings.zone) if is_scheduled and send.scheduled_for else "",
        "note": filled(send.note, send.note_fields),
    }
