"""Between the words of the simulated carrier's protocol and those of the contract. Pure."""

from __future__ import annotations

import json
from datetime import datetime

from broadcaster.gateways.contract import Accepted, OptedOut, OutboundPart, Outcome, Refused, Throttled
from broadcaster.gateways.events import Event, InboundMessage, Receipt, ReceiptState
from broadcaster.gateways.simulator.reasons import BLACKLISTED, REASONS
from broadcaster.gateways.simulator.wire import Nonsense, Wire


def submit_request(parts: list[OutboundPart]) -> Wire:
    """The line that hands parts over."""
    return {
        "do": "submit",
        "parts": [
            {
                "source": part.sender,
                "destination": part.msisdn,
                "text": part.text,
                "reference": part.reference,
                "part": part.number,
                "total": part.total,
                "client_reference": part.client_reference,
            }
            for part in parts
        ],
    }


def outcome(answer: Wire) -> Outcome:
    """What one answer means. Raises `Nonsense`: then nobody knows what became of the part."""
    match answer:
        case {"outcome": "accepted", "id": str(message_id)}:
            return Accepted(message_id)
        case {"outcome": "throttled", "retry_after": float(seconds) | int(seconds)}:
            return Throttled(float(seconds))
        case {"outcome": "refused", "code": str(code)} if code in REASONS:
            words = REASONS[code].words
            return OptedOut(code, words) if code == BLACKLISTED else Refused(code, words)
    raise Nonsense("no such outcome")


def event(gateway: str, told: Wire) -> Event:
    """A receipt or a message. Raises `Nonsense` when it is neither."""
    try:
        at = datetime.fromisoformat(told["time"])
        raw = json.dumps(told, ensure_ascii=False)
        if told["event"] == "message":
            return InboundMessage(
                gateway=gateway,
                message_id=told["message_id"],
                msisdn=told["source"],
                destination=told["destination"],
                text=told["text"],
                received_at=at,
                raw=raw,
            )
        reason = REASONS.get(told["code"])
        return Receipt(
            gateway=gateway,
            message_id=told["message_id"],
            state=reason.state if reason else ReceiptState.CARRIER_UNKNOWN,
            code=told["code"],
            permanent=reason.permanent if reason else None,
            msisdn=told["msisdn"],
            client_reference=told["client_reference"],
            done_at=at,
            raw=raw,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Nonsense("no such event") from error
