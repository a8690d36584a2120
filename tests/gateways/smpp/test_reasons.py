from __future__ import annotations

import pytest
import smpplib.command_codes  # type: ignore[import-untyped]
import smpplib.consts  # type: ignore[import-untyped]

from broadcaster.gateways.events import ReceiptState
from broadcaster.gateways.smpp.reasons import MESSAGE_STATES, REASONS, STATS, STATUSES, Kind, status, status_code
from broadcaster.gateways.smpp.words import Command, Tag


def test_every_status_of_the_standard_has_its_name_and_words() -> None:
    theirs = {number: name for name, number in vars(smpplib.consts).items() if name.startswith("SMPP_ESME_")}
    assert {number: f"SMPP_{known.name}" for number, known in STATUSES.items()} == theirs
    assert all(known.reason.words for known in STATUSES.values())


@pytest.mark.parametrize(
    ("number", "kind", "permanent"),
    [
        (0x00, Kind.ACCEPTED, None),
        (0x58, Kind.THROTTLED, False),
        (0x14, Kind.QUEUE_FULL, False),
        (0x08, Kind.TEMPORARY, False),
        (0x0B, Kind.PERMANENT, True),
        (0x0E, Kind.LINK, True),
        # a carrier's own: it may be anything, but it is a no
        (0x0400, Kind.PERMANENT, True),
        (0xFFFFFFFF, Kind.PERMANENT, True),
    ],
)
def test_what_a_status_asks_of_the_sender(number: int, kind: Kind, permanent: bool | None) -> None:
    known = status(number)
    assert (known.kind, known.reason.permanent) == (kind, permanent)
    if number in STATUSES:
        assert REASONS[status_code(number)] is known.reason


def test_states_of_the_parameter_are_those_of_the_text() -> None:
    for name, number in vars(smpplib.consts).items():
        if name.startswith("SMPP_MESSAGE_STATE_"):
            assert STATS[name.removeprefix("SMPP_MESSAGE_STATE_")] is STATS[MESSAGE_STATES[number]]
    assert STATS[MESSAGE_STATES[2]].state is ReceiptState.DELIVERED
    assert set(MESSAGE_STATES) <= set(STATS)


def test_numbers_are_those_of_smpplib() -> None:
    for tag in Tag:
        assert smpplib.consts.OPTIONAL_PARAMS[tag.name.lower()] == tag
    assert {command.name.lower(): int(command) for command in Command}.items() <= smpplib.command_codes.commands.items()
