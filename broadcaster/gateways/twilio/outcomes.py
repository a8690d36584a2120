"""What one answer to `messages.create` means for its message. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from broadcaster.gateways.contract import Accepted, OptedOut, Outcome, OutcomeUnknown, Refused, Throttled
from broadcaster.gateways.twilio.codes import CONFIGURATION, OPTED_OUT, REASONS, THROTTLED, UNKNOWN_CODE

MESSAGE_SID = re.compile(r"(?:SM|MM)[0-9a-fA-F]{32}")

#: seconds, where Twilio does not say when to come again: too fast; the queue of the sender is full
PAUSE, FULL_PAUSE = 2.0, 30.0
LONGEST_PAUSE = 600.0


@dataclass(frozen=True, slots=True)
class Barred:
    """No message would be taken: a person has to mend the account, the credentials or the sender."""

    code: str


def accepted(sid: object) -> Outcome:
    """What a message resource under this id means."""
    if isinstance(sid, str) and MESSAGE_SID.fullmatch(sid):
        return Accepted(sid)
    return OutcomeUnknown("an answer without the id of the message")


def outcome(status: int, text: str, headers: Mapping[str, str]) -> Outcome | Barred:
    """What an answer means that is an error. Twilio's own sentences are not repeated: they hold the number."""
    if not 400 <= status < 500:
        return OutcomeUnknown(f"an answer with status {status}")
    code = _code(_document(text).get("code"))
    if status == 429 or code in THROTTLED:
        return Throttled(_pause(headers, FULL_PAUSE if code == "21611" else PAUSE))
    if code == OPTED_OUT:
        return OptedOut(code, REASONS[code].words)
    if code in CONFIGURATION:
        return Barred(code)
    if code in REASONS or (code and status == 400):
        return Refused(code, REASONS.get(code, UNKNOWN_CODE).words)
    if status in (401, 403, 404):
        return Barred(code or str(status))
    return OutcomeUnknown(f"an answer with status {status}")


def _document(text: str) -> dict[str, Any]:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _code(told: object) -> str:
    return str(told) if isinstance(told, int) and not isinstance(told, bool) and 0 < told < 10**6 else ""


def _pause(headers: Mapping[str, str], otherwise: float) -> float:
    told = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return min(max(float(told), 0.1), LONGEST_PAUSE) if re.fullmatch(r"[0-9]{1,9}", told) else otherwise
