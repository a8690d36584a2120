"""The pieces that a turn hands over: parts that are written now, or that were written before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from broadcaster.delivery import transitions
from broadcaster.delivery.models import Kind, Part
from broadcaster.delivery.states import State
from broadcaster.delivery.tally import Cell
from broadcaster.gateways.contract import Capabilities, OutboundPart
from broadcaster.sms import Cut, Encoding
from subscribers.db import among, reserve_ids

_PART: Table = Part.__table__  # type: ignore[assignment]
_SUBMITTING = int(State.SUBMITTING)
#: ids of parts that a connection asks for at once: enough for ten turns
_IDS_AHEAD = 5_000


@dataclass(frozen=True, slots=True)
class Sender:
    """What a claim has to know of the gateway it claims for."""

    gateway: str
    address: str
    capabilities: Capabilities
    #: nothing that goes this way reaches a phone
    rehearses: bool
    #: of each campaign, the parts of the shortest message in the last claim: what does not fit is not made in vain
    shortest: dict[int, int] = field(default_factory=dict, compare=False)


@dataclass(slots=True, eq=False)
class Waiting:
    """A queued message, and what it goes out as: `cut`, if nothing of it was written yet, else `written`."""

    id: int
    member_id: int
    msisdn: str
    variant: int
    attempt: int
    #: of this attempt, written before
    parts: int
    #: what its recipient wants now
    wish: str | None
    cut: Cut | None = None
    written: Sequence[Any] = ()

    @property
    def size(self) -> int:
        """The parts that it goes out as."""
        return len(self.cut.parts if self.cut else self.written)


def find_written(session: Session, messages: Sequence[Waiting]) -> None:
    """Find what waits of parts that are written already: answers, and what a gateway did not take the first time."""
    begun = {m.id: m for m in messages if m.parts}
    if not begun:
        return
    p = _PART.c
    for part in session.execute(
        select(p.id, p.message_id, p.attempt, p.number, p.encoding, p.text)
        .where(among(session, p.message_id, list(begun)), p.state == State.QUEUED)
        .order_by(p.message_id, p.number)
    ).all():
        message = begun[part.message_id]
        if part.attempt == message.attempt:
            message.written = (*message.written, part)


def fitting(messages: Sequence[Waiting], *, parts: int) -> tuple[list[Waiting], int]:
    """The first messages that fit into a turn of `parts`, and the id at which the next turn goes on."""
    chosen: list[Waiting] = []
    used = 0
    for message in messages:
        size = message.size
        if chosen and used + size > parts:
            return chosen, message.id
        if size:
            chosen.append(message)
            used += size
    return chosen, messages[-1].id + 1


def take_up(
    session: Session,
    owner_id: int,
    sender: Sender,
    campaign_id: int | None,
    messages: Sequence[Waiting],
    *,
    reference_bits: Any,
    changes: Counter[Cell],
) -> tuple[list[OutboundPart], list[int], list[dict[str, Any]]]:
    """Make the parts of these messages this owner's, to be handed over.

    Returns them as the gateway wants them, the message of each, and the rows of those that the ledger does not have
    yet: the caller inserts them. `changes`: as of `transitions.take`.
    """
    before = [part.id for message in messages for part in message.written]
    ours = transitions.take_parts(session, owner_id, campaign_id, before, changes)
    new = sum(len(message.cut.parts) for message in messages if message.cut)
    ids = iter(reserve_ids(session, Part, new, ahead=_IDS_AHEAD))
    rows: list[dict[str, Any]] = []
    going: list[OutboundPart] = []
    message_ids: list[int] = []
    gateway, address = sender.gateway, sender.address
    for message in messages:
        id_, msisdn, attempt = message.id, message.msisdn, message.attempt
        # joins the parts on a handset, which gets one message of a campaign; consecutive campaigns differ
        reference = ((campaign_id or id_) + attempt - 1) % (1 << reference_bits)
        if message.cut:
            encoding, texts = message.cut
            total = len(texts)
            pieces = [(next(ids), number, encoding, text) for number, text in enumerate(texts, start=1)]
            for part_id, number, _, text in pieces:
                rows.append(
                    {
                        "id": part_id,
                        "message_id": id_,
                        "attempt": attempt,
                        "number": number,
                        "state": _SUBMITTING,
                        "gateway": gateway,
                        "owner_id": owner_id,
                        "encoding": encoding.value,
                        "text": text,
                    }
                )
        else:
            total = message.parts
            pieces = [(p.id, p.number, Encoding(p.encoding), p.text) for p in message.written if p.id in ours]
        for part_id, number, encoding, text in pieces:
            message_ids.append(id_)
            going.append(
                OutboundPart(
                    part_id,
                    msisdn,
                    address,
                    text,
                    encoding,
                    number,
                    total,
                    reference,
                    f"p{part_id}",
                    reference_bits,
                )
            )
    if campaign_id is not None:
        changes[Cell(campaign_id, Kind.PART, gateway, State.SUBMITTING)] += len(rows)
    return going, message_ids, rows
