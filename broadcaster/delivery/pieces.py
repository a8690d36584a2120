"""Making the pieces that a turn hands over: texts rendered and cut, or parts that were written before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from broadcaster.campaigns import dress, profiles, render
from broadcaster.campaigns.models import Campaign
from broadcaster.delivery import transitions
from broadcaster.delivery.models import Message, Part
from broadcaster.delivery.states import State
from broadcaster.gateways.contract import Capabilities, OutboundPart
from broadcaster.sms import Encoding


@dataclass(frozen=True, slots=True)
class Sender:
    """What a claim has to know of the gateway it claims for."""

    gateway: str
    address: str
    capabilities: Capabilities


@dataclass(frozen=True, slots=True)
class Piece:
    """A part that is not in the ledger yet."""

    message: Any
    number: int
    encoding: Encoding
    text: str


def written_before(session: Session, messages: Sequence[Any]) -> dict[int, list[Any]]:
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


def printed(
    session: Session, campaign: Campaign, messages: Sequence[Any], sender: Sender
) -> tuple[dict[int, list[Piece]], set[int]]:
    """The pieces of each message, and the ids of those that have lost a value since the campaign was checked."""
    if not messages or campaign.audience_on is None:
        return {}, set()
    worn, can = profiles.worn(campaign, sender.gateway, sender.capabilities)
    people = render.readers_of(session, [m.member_id for m in messages], on=campaign.audience_on)
    pieces: dict[int, list[Piece]] = {}
    lacking: set[int] = set()
    for variant in campaign.variants:
        mine = [m for m in messages if m.variant == variant.position]
        lacking |= {mine[x.row].id for x in render.missing_values(variant, [people[m.member_id] for m in mine])}
        whole = [m for m in mine if m.id not in lacking]
        bodies = render.render(variant, [people[m.member_id] for m in whole])
        for message, body in zip(whole, bodies, strict=True):
            cut = dress.cut(worn, dress.dressed(worn, body), can)
            pieces[message.id] = [
                Piece(message, number, cut.encoding, piece)
                for number, piece in enumerate(can.handed_over(dress.leaving(worn, cut)), start=1)
            ]
    return pieces, lacking


def fitting(
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


def mark_submitting(
    session: Session,
    owner_id: int,
    sender: Sender,
    campaign_id: int | None,
    message_ids: Sequence[int],
    ready: Mapping[int, Sequence[Any]],
    pieces: Mapping[int, Sequence[Piece]],
) -> list[Any]:
    """Bring the parts of these messages into the ledger as being handed over by this owner. Returns their rows."""
    before = [row for m in message_ids for row in ready.get(m, ())]
    taken = transitions.take_parts(session, owner_id, campaign_id, [row.id for row in before])
    written = _write(session, owner_id, sender, [piece for m in message_ids for piece in pieces.get(m, ())])
    transitions.wrote_parts(session, campaign_id, sender.gateway, len(written))
    return [*(row for row in before if row.id in taken), *written]


def outbound(
    session: Session, sender: Sender, campaign: Campaign | None, rows: Sequence[Any], msisdns: Mapping[int, str]
) -> list[OutboundPart]:
    """The rows as the gateway wants them; `msisdns` by message id."""
    totals = _totals(session, rows)
    # answers are cut for the width of the configuration: nobody freezes another one for them
    can = sender.capabilities if campaign is None else profiles.worn(campaign, sender.gateway, sender.capabilities)[1]
    return [
        OutboundPart(
            part_id=row.id,
            msisdn=msisdns[row.message_id],
            sender=sender.address,
            text=row.text,
            encoding=Encoding(row.encoding),
            number=row.number,
            total=totals[row.message_id],
            reference=_reference(campaign.id if campaign else None, row, can.reference_bits),
            reference_bits=can.reference_bits,
            client_reference=f"p{row.id}",
        )
        for row in rows
    ]


def _write(session: Session, owner_id: int, sender: Sender, pieces: Sequence[Piece]) -> Sequence[Any]:
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
