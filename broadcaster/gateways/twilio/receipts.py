"""Twilio's status and error code to what a receipt says. Pure."""

from __future__ import annotations

from broadcaster.gateways.events import ReceiptState
from broadcaster.gateways.twilio.codes import REASONS, STATES

_FAILED = ("undelivered", "failed")


def judged(status: str, error_code: str) -> tuple[ReceiptState, str, bool | None]:
    """State, code to keep, and whether another try is pointless. An error code counts only where it failed."""
    code = error_code if error_code and status in _FAILED else status
    reason = REASONS.get(code)
    return (reason.state, code, reason.permanent) if reason else (STATES[status], code, None)
