"""What a `command_status` means for the part it answers. Pure."""

from __future__ import annotations

from broadcaster.gateways.contract import OptedOut, Outcome, OutcomeUnknown, Refused
from broadcaster.gateways.smpp.config import SmppConfig
from broadcaster.gateways.smpp.reasons import Kind, status, status_code


def no(number: int, config: SmppConfig) -> Outcome | None:
    """The outcome of a status other than 0; None for "too fast", which the pace has a say in."""
    if number in config.throttle_codes:
        return None
    known = status(number)
    words, code = known.reason.words, status_code(number)
    if number in config.opt_out_codes:
        return OptedOut(code, words)
    if number == 0:
        return OutcomeUnknown("the carrier said yes without giving an id")
    return Refused(code, words, permanent=known.kind is not Kind.TEMPORARY)
