"""The judge of a run: the carrier's own file against the ledger. It trusts no counter of ours."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.delivery.models import Message, Part, ReceiptLotWaiting, ReceiptOrphan, ReceiptWaiting
from broadcaster.delivery.states import State
from broadcaster.gateways.events import ReceiptState
from broadcaster.gateways.simulator.fates import Behaviour, fate
from broadcaster.gateways.simulator.reasons import REASONS
from broadcaster.replies.models import Letter, LetterState
from tests import tallies

#: what a receipt means for a part, written down once more: the judge does not ask the accused
MEANS = {
    ReceiptState.DELIVERED: State.DELIVERED,
    ReceiptState.FAILED: State.FAILED,
    ReceiptState.EXPIRED: State.EXPIRED,
    ReceiptState.REJECTED: State.REJECTED,
    ReceiptState.CARRIER_UNKNOWN: State.FAILED,
}
AT_REST = {
    State.DELIVERED,
    State.FAILED,
    State.EXPIRED,
    State.REJECTED,
    State.NO_RECEIPT,
    State.UNKNOWN,
    State.SKIPPED,
    State.CANCELLED,
}


@dataclass
class Verdict:
    """What is wrong, and how many parts are in doubt."""

    faults: list[str] = field(default_factory=list)
    in_doubt: int = 0


def judge(session: Session, accepted: Sequence[dict[str, Any]], behaviour: Behaviour, audience: set[str]) -> Verdict:
    """Compare after quiet. `accepted`: the parts in the carrier's file; `audience`: who was to get the campaign."""
    ledger = session.execute(
        select(Part.id, Part.number, Part.text, Part.state, Message.msisdn, Message.campaign_id, Message.attempt).join(
            Message, Message.id == Part.message_id
        )
    ).all()
    messages = session.execute(select(Message.msisdn, Message.campaign_id, Message.state, Message.id)).all()
    faults = [
        *accepted_twice(accepted),
        *_forgotten(messages, audience),
        *_unrest(messages),
        *_strangers(ledger, accepted),
        *_wrong_ends(ledger, accepted, behaviour),
        *_half_sent(session, accepted),
        *_unread(session),
        *tallies.wrong(session),
    ]
    return Verdict(faults, sum(part.state is State.UNKNOWN for part in ledger))


def accepted_twice(accepted: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The same part to the same number, more than once: the one thing that can be seen at any moment."""
    keys = Counter((line["destination"], line["part"], line["total"], line["text"]) for line in accepted)
    yield from (f"accepted {n} times: part {key[1]} to {key[0]}" for key, n in keys.items() if n > 1)


def _forgotten(messages: Sequence[Any], audience: set[str]) -> Iterator[str]:
    written = Counter(m.msisdn for m in messages if m.campaign_id is not None and m.msisdn)
    yield from (f"{msisdn} has {written[msisdn]} messages" for msisdn in audience if written[msisdn] != 1)


def _unrest(messages: Sequence[Any]) -> Iterator[str]:
    yield from (f"message {m.id} is still {m.state.word}" for m in messages if m.state not in AT_REST)


def _strangers(ledger: Sequence[Any], accepted: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Everything that the carrier took stands in the ledger, word for word."""
    known = {(part.msisdn, part.number, part.text) for part in ledger}
    for line in accepted:
        if (line["destination"], line["part"], line["text"]) not in known:
            yield f"part {line['part']} to {line['destination']} is in no ledger"


def _wrong_ends(ledger: Sequence[Any], accepted: Sequence[dict[str, Any]], behaviour: Behaviour) -> Iterator[str]:
    """Each part ends as its receipt said; what was never accepted is in doubt, refused or never left."""
    by_key: dict[tuple[str, int, str], dict[str, Any]] = {
        (line["destination"], line["part"], line["text"]): line for line in accepted
    }
    for part in ledger:
        line = by_key.get((part.msisdn, part.number, part.text))
        if line is None:
            allowed = {State.UNKNOWN, State.REJECTED, State.SKIPPED, State.CANCELLED}
        else:
            codes = [turn.code for turn in fate(behaviour, part.msisdn, part.number, line["total"]).turns if turn.code]
            # without a receipt, what was in doubt stays in doubt
            allowed = {MEANS[REASONS[codes[-1]].state]} if codes else {State.NO_RECEIPT, State.UNKNOWN}
            if State.EXPIRED in allowed:
                # once our own deadline has passed, the carrier's says nothing new
                allowed.add(State.NO_RECEIPT)
        if part.state not in allowed:
            wanted = " or ".join(sorted(state.word for state in allowed))
            yield f"part {part.id} to {part.msisdn} is {part.state.word}, not {wanted}"


def _half_sent(session: Session, accepted: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Nobody counts as reached who has not got every part."""
    got: dict[str, set[tuple[int, str]]] = defaultdict(set)
    totals: dict[tuple[str, str], int] = {}
    for line in accepted:
        got[line["destination"]].add((line["part"], line["text"]))
        totals[line["destination"], line["text"]] = line["total"]
    for message in session.scalars(select(Message).where(Message.state == State.DELIVERED)):
        texts = session.scalars(
            select(Part.text).where(Part.message_id == message.id, Part.attempt == message.attempt)
        ).all()
        total = max(totals.get((str(message.msisdn), text), 99) for text in texts)
        if len(texts) != total or message.parts != total or message.delivered_parts != total:
            yield f"message {message.id} counts as delivered with {message.delivered_parts} of {total} parts"


def _unread(session: Session) -> Iterator[str]:
    """No receipt and no letter lies about unread."""
    for table in (ReceiptWaiting, ReceiptOrphan):
        if n := len(session.scalars(select(table.inbox_id)).all()):
            yield f"{n} receipts were never applied ({table.__tablename__})"
    if n := sum(session.scalars(select(ReceiptLotWaiting.receipts))):
        yield f"{n} receipts wait in lots that nobody has opened"
    new = session.scalars(select(Letter.id).where(Letter.state == LetterState.NEW)).all()
    if new:
        yield f"{len(new)} letters were never looked at"
