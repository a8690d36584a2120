"""Where everything stands at this moment: what a person sees who looks in for ten seconds."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from broadcaster.campaigns.belonging import is_met_by
from broadcaster.campaigns.models import Campaign
from broadcaster.campaigns.states import CampaignState
from broadcaster.campaigns.went_out import is_rehearsal
from broadcaster.delivery.models import Doubt, Message, Part, ReceiptInbox, ReceiptLot
from broadcaster.delivery.states import State
from broadcaster.newspaper.editions import is_read_at
from broadcaster.newspaper.models import Edition
from broadcaster.replies import inbox
from broadcaster.reports.counting import messages_of
from broadcaster.reports.scope import Scope
from subscribers.actor import Actor, Right, needs
from subscribers.msisdn import mask

#: how many campaigns and letters, the newest first
CAMPAIGNS, LETTERS = 6, 6
#: a gateway without a receipt among so many of the newest is one that has been silent
RECEIPTS = 5000
#: and so many lots of them, which hold no fewer
LOTS = 250

_S = CampaignState
_RUNNING = (_S.PREPARING, _S.SENDING, _S.PAUSED)
_STARTED = (*_RUNNING, _S.SENT, _S.CLOSED, _S.ABORTED, _S.FAILED)


@dataclass(frozen=True, slots=True)
class Standing:
    """One campaign: its messages by state, and why people were skipped. The two add up to everyone looked at."""

    id: int
    title: str
    #: of the edition it sends, if it sends one
    edition: int | None
    state: str
    note: str
    note_fields: Mapping[str, Any]
    #: when it started, else when it is to
    at: datetime | None
    messages: Mapping[str, int]
    skipped: Mapping[str, int]
    #: there will be more of them
    is_being_written_down: bool = False
    #: nothing of it reached a phone
    is_rehearsal: bool = False
    #: its edition is one of the actor's
    has_open_edition: bool = False
    #: it was made in the actor's part of the tree, and not above
    is_own: bool = False

    @property
    def recipients(self) -> int:
        """Everyone who was not skipped."""
        return sum(self.messages.values())

    @property
    def waiting(self) -> int:
        """Those who have still to be sent to."""
        return sum(self.messages.get(state.word, 0) for state in (State.QUEUED, State.HELD))


@dataclass(frozen=True, slots=True)
class LetterLine:
    """A letter without its writer's name; the number is masked."""

    number: str
    text: str
    state: str
    handled_as: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Overview:
    """The campaign that matters most now, the others, the letters, the gateways' last signs of life."""

    current: Standing | None
    others: Sequence[Standing]
    letters: Sequence[LetterLine]
    last_receipts: Mapping[str, datetime]
    #: parts handed over without an answer, still to be settled
    unsure: int


@needs(Right.SEE)
def overview(session: Session, actor: Actor) -> Overview:
    """What stands now. The current campaign is the newest that runs, else the newest that ever started."""
    order = case((Campaign.state.in_(_RUNNING), 0), else_=1)
    current_id = session.scalar(
        select(Campaign.id)
        .where(Campaign.state.in_(_STARTED), is_met_by(actor))
        .order_by(order, Campaign.id.desc())
        .limit(1)
    )
    mine = select(Campaign.id).where(is_met_by(actor))
    newest = session.scalars(mine.order_by(Campaign.id.desc()).limit(CAMPAIGNS + 1)).all()
    shown = [id_ for id_ in newest if id_ != current_id][:CAMPAIGNS]
    standings = _standings(session, actor, [*shown, *([current_id] if current_id else [])])
    return Overview(
        current=standings[current_id] if current_id else None,
        others=[standings[id_] for id_ in shown],
        letters=[
            LetterLine(mask(row[0].msisdn), row[0].text, row[0].state, row[0].handled_as or "", row[0].received_at)
            for row in inbox.listing(session, actor, limit=LETTERS)
        ],
        last_receipts=_last_receipts(session),
        unsure=session.scalar(_doubts(actor)) or 0,
    )


def _doubts(actor: Actor) -> Select[int]:
    query = select(func.count()).select_from(Doubt).where(Doubt.settled_at.is_(None))
    if not actor.under:
        return query
    query = query.join(Part, Part.id == Doubt.part_id).join(Message, Message.id == Part.message_id)
    return query.outerjoin(Campaign, Campaign.id == Message.campaign_id).where(
        Scope(actor.under).holds(Message.member_id)
    )


def _standings(session: Session, actor: Actor, ids: Sequence[int]) -> dict[int, Standing]:
    messages: defaultdict[int, Counter[str]] = defaultdict(Counter)
    skipped: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for cell, n in messages_of(session, ids, Scope(actor.under)).items():
        if cell.state is State.SKIPPED:
            skipped[cell.campaign_id][cell.reason] += n
        else:
            messages[cell.campaign_id][cell.state.word] += n
    rows = session.execute(
        select(Campaign, Edition.number, Edition.under)
        .outerjoin(Edition, Edition.id == Campaign.edition_id)
        .where(Campaign.id.in_(ids))
    )
    return {
        campaign.id: Standing(
            id=campaign.id,
            title=campaign.title,
            edition=number,
            state=campaign.state,
            note=campaign.note,
            note_fields=campaign.note_fields,
            at=campaign.started_at or campaign.scheduled_for,
            messages=messages[campaign.id],
            skipped=skipped[campaign.id],
            is_being_written_down=campaign.is_being_written_down,
            is_rehearsal=campaign.started_at is not None and is_rehearsal(campaign.rehearsed),
            has_open_edition=under is not None and is_read_at(actor.under, under),
            is_own=campaign.under.startswith(actor.under),
        )
        for campaign, number, under in rows
    }


def _last_receipts(session: Session) -> dict[str, datetime]:
    last: dict[str, datetime] = {}
    for table, most in ((ReceiptInbox, RECEIPTS), (ReceiptLot, LOTS)):
        newest = select(table.gateway, table.received_at).order_by(table.id.desc()).limit(most).subquery()
        rows = session.execute(select(newest.c.gateway, func.max(newest.c.received_at)).group_by(newest.c.gateway))
        for gateway, received_at in rows:
            last[gateway] = max(received_at, last.get(gateway, received_at))
    return last
