"""Claiming: which parts go out next. One transaction, committed before the first byte."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, insert, or_, select, true, update
from sqlalchemy.orm import Session

from broadcaster.campaigns import render
from broadcaster.campaigns.audience import SkipReason
from broadcaster.campaigns.models import Campaign, Lane
from broadcaster.campaigns.states import CampaignState
from broadcaster.delivery.models import Batch, Message, Part, Turn
from broadcaster.delivery.recording import ClaimedTurn
from broadcaster.delivery.states import State
from broadcaster.gateways.contract import Capabilities, OutboundPart
from broadcaster.sms import Encoding
from subscribers.models import Subscription, Wish


@dataclass(frozen=True, slots=True)
class Sender:
    """What a claim has to know of the gateway it claims for."""

    gateway: str
    address: str
    capabilities: Capabilities


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part that is not in the ledger yet."""

    message: Any
    number: int
    total: int
    encoding: Encoding
    text: str


def claim(
    session: Session, owner_id: int, sender: Sender, *, parts: int, quiet: bool, now: datetime
) -> ClaimedTurn | None:
    """The next turn for this gateway, marked `submitting` for this owner; None when nothing is due.

    At most `parts` parts, but at least one whole message. Answers come first, then urgent notices, then the rest, which
    waits while it is `quiet`. The state of the campaign and the wish of every recipient are read here, in the same
    transaction: what was paused or refused before it commits is not sent.
    """
    while (batch := _next_batch(session, sender.gateway, quiet=quiet, now=now)) is not None:
        campaign = _locked_campaign(session, batch)
        if batch.campaign_id is not None and campaign is None:
            # paused between the two reads: the state of the campaign keeps this batch from being chosen again
            continue
        messages = _next_messages(session, batch, limit=parts)
        if not messages:
            batch.done = True
            continue
        turn = _claim_messages(session, owner_id, sender, batch, campaign, messages, parts=parts)
        if turn is not None:
            return turn
    return None


def _next_batch(session: Session, gateway: str, *, quiet: bool, now: datetime) -> Batch | None:
    open_lanes: ColumnElement[bool] = Batch.lane <= Lane.URGENT if quiet else true()
    return session.scalar(
        select(Batch)
        .outerjoin(Campaign, Campaign.id == Batch.campaign_id)
        .where(
            Batch.gateway == gateway,
            Batch.done.is_(False),
            open_lanes,
            or_(Batch.not_before.is_(None), Batch.not_before <= now),
            or_(Batch.campaign_id.is_(None), Campaign.state == CampaignState.SENDING),
        )
        .order_by(Batch.lane, Batch.id)
        .limit(1)
        .with_for_update(of=Batch, skip_locked=True)
    )


def _locked_campaign(session: Session, batch: Batch) -> Campaign | None:
    """The campaign, kept from being paused until this claim has committed."""
    return session.scalar(
        select(Campaign)
        .where(Campaign.id == batch.campaign_id, Campaign.state == CampaignState.SENDING)
        .with_for_update(read=True)
        .execution_options(populate_existing=True)
    )


def _next_messages(session: Session, batch: Batch, *, limit: int) -> Sequence[Any]:
    mine = Message.campaign_id.is_(None) if batch.campaign_id is None else Message.campaign_id == batch.campaign_id
    return session.execute(
        select(Message.id, Message.member_id, Message.msisdn, Message.variant, Message.attempt)
        .where(
            Message.id.between(batch.cursor, batch.high),
            mine,
            Message.gateway == batch.gateway,
            Message.state == State.QUEUED,
        )
        .order_by(Message.id)
        .limit(limit)
    ).all()


def _claim_messages(
    session: Session,
    owner_id: int,
    sender: Sender,
    batch: Batch,
    campaign: Campaign | None,
    messages: Sequence[Any],
    *,
    parts: int,
) -> ClaimedTurn | None:
    refused = _skip_refused(session, [m.id for m in messages]) if campaign is not None else set()
    waiting = [m for m in messages if m.id not in refused]
    ready = _ready_parts(session, waiting)
    fresh = [m for m in waiting if m.id not in ready]
    pieces, lacking = _render(session, campaign, fresh, sender) if campaign is not None else ({}, set())
    _skip(session, lacking, SkipReason.MISSING_VALUE)
    chosen, batch.cursor = _fitting(messages, ready, pieces, parts=parts)
    taken = _mark(session, chosen)
    rows = [
        *_reclaim(session, owner_id, [row for m in taken for row in ready.get(m, ())]),
        *_write(session, owner_id, sender, [piece for m in taken for piece in pieces.get(m, ())]),
    ]
    if not rows:
        return None
    turn = Turn(
        owner_id=owner_id,
        campaign_id=batch.campaign_id,
        gateway=sender.gateway,
        low=min(taken),
        high=max(taken),
        parts=len(rows),
    )
    session.add(turn)
    session.flush()
    numbers = {m.id: m for m in messages}
    totals = _totals(session, rows)
    outbound = [
        OutboundPart(
            part_id=row.id,
            msisdn=numbers[row.message_id].msisdn,
            sender=sender.address,
            text=row.text,
            encoding=Encoding(row.encoding),
            number=row.number,
            total=totals[row.message_id],
            reference=_reference(batch.campaign_id, row, sender.capabilities.reference_bits),
            client_reference=f"p{row.id}",
        )
        for row in rows
    ]
    return ClaimedTurn(
        turn.id, batch.campaign_id, sender.gateway, batch.lane, outbound, [row.message_id for row in rows]
    )


def _skip_refused(session: Session, message_ids: Sequence[int]) -> set[int]:
    """Skip those who have refused since the audience was frozen."""
    refused = session.scalars(
        select(Message.id)
        .join(Subscription, Subscription.msisdn == Message.msisdn)
        .where(Message.id.in_(message_ids), Subscription.wish == Wish.OUT)
    ).all()
    _skip(session, refused, SkipReason.OPTED_OUT)
    return set(refused)


def _skip(session: Session, message_ids: Sequence[int] | set[int], reason: SkipReason) -> None:
    if not message_ids:
        return
    for table, key in ((Part, Part.message_id), (Message, Message.id)):
        session.execute(
            update(table)
            .where(key.in_(message_ids), table.state == State.QUEUED)
            .values(state=State.SKIPPED, reason=reason.value)
            .execution_options(synchronize_session=False)
        )


def _ready_parts(session: Session, messages: Sequence[Any]) -> dict[int, list[Any]]:
    """Parts that are written already: answers, and what a gateway did not take the first time."""
    rows = session.execute(
        select(Part.id, Part.message_id, Part.number, Part.encoding, Part.text, Part.attempt)
        .join(Message, (Message.id == Part.message_id) & (Message.attempt == Part.attempt))
        .where(Part.message_id.in_([m.id for m in messages]), Part.state == State.QUEUED)
        .order_by(Part.message_id, Part.number)
    ).all()
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row.message_id, []).append(row)
    return found


def _render(
    session: Session, campaign: Campaign, messages: Sequence[Any], sender: Sender
) -> tuple[dict[int, list[_Piece]], set[int]]:
    """The pieces of each message, and the ids of those that have lost a value since the campaign was checked."""
    if not messages or campaign.audience_on is None:
        return {}, set()
    people = render.readers_of(session, [m.member_id for m in messages], on=campaign.audience_on)
    pieces: dict[int, list[_Piece]] = {}
    lacking: set[int] = set()
    for variant in campaign.variants:
        mine = [m for m in messages if m.variant == variant.position]
        lacking |= {mine[x.row].id for x in render.missing_values(variant, [people[m.member_id] for m in mine])}
        whole = [m for m in mine if m.id not in lacking]
        texts = render.render(campaign, variant, [people[m.member_id] for m in whole])
        for message, text in zip(whole, texts, strict=True):
            cut = render.cut(campaign, text, sender.capabilities)
            pieces[message.id] = [
                _Piece(message, number, len(cut.parts), cut.encoding, piece)
                for number, piece in enumerate(cut.parts, start=1)
            ]
    return pieces, lacking


def _fitting(
    messages: Sequence[Any], ready: Mapping[int, Sequence[Any]], pieces: Mapping[int, Sequence[Any]], *, parts: int
) -> tuple[list[int], int]:
    """The first messages that fit into a turn of `parts`, and the id at which the next turn goes on."""
    chosen: list[int] = []
    used = 0
    for message in messages:
        size = len(ready.get(message.id, ())) or len(pieces.get(message.id, ()))
        if chosen and used + size > parts:
            return chosen, message.id
        if size:
            chosen.append(message.id)
            used += size
    return chosen, messages[-1].id + 1


def _mark(session: Session, message_ids: Sequence[int]) -> list[int]:
    """Make the messages ours by compare-and-set; who comes second gets none."""
    return sorted(
        session.scalars(
            update(Message)
            .where(Message.id.in_(message_ids), Message.state == State.QUEUED)
            .values(state=State.SUBMITTING)
            .returning(Message.id)
            .execution_options(synchronize_session=False)
        )
    )


def _reclaim(session: Session, owner_id: int, rows: Sequence[Any]) -> Sequence[Any]:
    if rows:
        session.execute(
            update(Part)
            .where(Part.id.in_([row.id for row in rows]))
            .values(state=State.SUBMITTING, owner_id=owner_id)
            .execution_options(synchronize_session=False)
        )
    return rows


def _write(session: Session, owner_id: int, sender: Sender, pieces: Sequence[_Piece]) -> Sequence[Any]:
    if not pieces:
        return []
    return session.execute(
        insert(Part).returning(
            Part.id, Part.message_id, Part.number, Part.encoding, Part.text, Part.attempt, sort_by_parameter_order=True
        ),
        [
            {
                "message_id": piece.message.id,
                "attempt": piece.message.attempt,
                "number": piece.number,
                "state": State.SUBMITTING,
                "gateway": sender.gateway,
                "owner_id": owner_id,
                "encoding": piece.encoding.value,
                "text": piece.text,
            }
            for piece in pieces
        ],
    ).all()


def _totals(session: Session, rows: Sequence[Any]) -> dict[int, int]:
    """Of how many parts each message consists, also when only some of them go out in this turn."""
    highest: dict[int, int] = {}
    for message_id, number in session.execute(
        select(Part.message_id, Part.number)
        .join(Message, (Message.id == Part.message_id) & (Message.attempt == Part.attempt))
        .where(Part.message_id.in_({row.message_id for row in rows}))
    ):
        highest[message_id] = max(number, highest.get(message_id, 0))
    return highest


def _reference(campaign_id: int | None, part: Any, bits: int) -> int:
    """What joins the parts on a handset: it gets one message of a campaign, and consecutive campaigns differ."""
    return int((campaign_id or part.message_id) + part.attempt - 1) % (1 << bits)
