"""Sends that were made of an edition, as pages tell of them: how far they are, and whether their words are older."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from broadcaster.campaigns import anew, compose
from broadcaster.campaigns.models import Campaign
from broadcaster.campaigns.schedule import STARTABLE
from broadcaster.campaigns.stale import OtherPeople, Seen, is_stale, other_people
from broadcaster.campaigns.states import CampaignState
from broadcaster.campaigns.went_out import GoneOut, gone_out, was_rehearsed
from broadcaster.delivery import tally
from broadcaster.delivery.models import Kind
from broadcaster.delivery.states import State
from broadcaster.language import filled, tr
from broadcaster.newsroom.counts import size_words
from broadcaster.newsroom.members import today
from broadcaster.runtime import Runtime
from broadcaster.web.figures import count, share, when
from broadcaster.web.visits import Visit
from broadcaster.words import actor_word, campaign_state_word
from subscribers import segments
from subscribers.actor import Right
from subscribers.db import Tx

#: it is being sent, or will be
_GOING = frozenset({CampaignState.PREPARING, CampaignState.SENDING, CampaignState.PAUSED})


def all_sends(house: Runtime, tx: Tx, visit: Visit, number: int) -> list[dict[str, Any]]:
    """What was made of an edition, the newest first."""
    seen = Seen()
    found = compose.of_edition(tx.session, visit.actor, number)
    figures = _figures(tx, [each.id for each in found if each.started_at])
    return [
        _told(house, tx, visit, each, seen) | {"figures": _reached(figures.get(each.id, Counter()))} for each in found
    ]


def older_sends(house: Runtime, tx: Tx, visit: Visit, number: int) -> list[dict[str, Any]]:
    """Of these, those that wait and have other words, or go to other people, than the edition by now."""
    seen = Seen()
    found = anew.left_behind(tx.session, visit.actor, [number], seen=seen).get(number, [])
    return [_told(house, tx, visit, each, seen) for each in found]


def times_out(house: Runtime, tx: Tx, visit: Visit, numbers: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """By the number of an edition, that it has gone out, or was rehearsed: in words, and briefly for a list."""
    zone = house.settings.zone
    found = gone_out(tx.session, visit.actor, numbers)
    return {number: [_gone(each, tx.now, zone) for each in sends] for number, sends in found.items()}


def _gone(sent: GoneOut, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    at, state = when(sent.at, now, zone), campaign_state_word(sent.state)
    if sent.is_rehearsal:
        words = tr("Rehearsed {time}, as send {id} ({state}): nothing reached a phone.", **_named(sent, at, state))
    elif sent.state in _GOING:
        words = tr("It is going out: send {id} ({state}), started {time}.", **_named(sent, at, state))
    else:
        words = tr("Went out {time}, as send {id} ({state}).", **_named(sent, at, state))
    is_done = sent.state in (CampaignState.SENT, CampaignState.CLOSED)
    brief = [at, *([] if is_done else [state]), *([tr("rehearsal")] if sent.is_rehearsal else [])]
    again = tr("Whoever has it already gets it once more by another send.")
    return {
        "id": sent.campaign_id,
        "words": words,
        "again": "" if sent.is_rehearsal else again,
        "brief": " · ".join(brief),
        "is_rehearsal": sent.is_rehearsal,
        "is_own": sent.is_own,
    }


def _named(sent: GoneOut, at: str, state: str) -> dict[str, object]:
    return {"id": sent.campaign_id, "time": at, "state": state}


def _figures(tx: Tx, sends: Sequence[int]) -> dict[int, Counter[State]]:
    """The messages of sends by state, as they were kept: nothing is counted."""
    found = {each: Counter[State]() for each in sends}
    for cell, n in tally.figures(tx.session, sends).items() if sends else ():
        if cell.kind is Kind.MESSAGE:
            found[cell.campaign_id][cell.state] += n
    return found


def _reached(states: Counter[State]) -> str:
    """How many it was delivered to, and how many were skipped."""
    skipped = states[State.SKIPPED]
    recipients, delivered = states.total() - skipped, states[State.DELIVERED]
    if not states.total():
        return ""
    return tr(
        "Delivered to {delivered} of {recipients} people ({share}); {skipped} skipped.",
        delivered=count(delivered),
        recipients=count(recipients),
        share=share(delivered, recipients),
        skipped=count(skipped),
    )


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
        "is_rehearsal": was_rehearsed(send),
        "started": when(send.started_at, tx.now, house.settings.zone) if send.started_at else "",
        "by": actor_word(send.started_by or ""),
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
        "by": actor_word(other.segment.saved_by),
        "time": when(other.segment.saved_at, tx.now, house.settings.zone),
        "before": size_words(before),
        "now": size_words(after),
    }
