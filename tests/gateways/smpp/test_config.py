"""What the settings mean on the wire."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from broadcaster.gateways.contract import GatewayContext
from broadcaster.gateways.smpp import SmppConfig, SmppGateway
from broadcaster.gateways.testkit import make_part
from broadcaster.sms import ASCII, GSM, LATIN1, UCS2
from tests.gateways.smpp.conftest import Make
from tests.gateways.smpp.smsc import Smsc


def config(**settings: Any) -> SmppConfig:
    return SmppConfig.model_validate({"kind": "smpp", "host": "smsc.example", "system_id": "paper", **settings})


@pytest.mark.parametrize(
    ("sender", "address"),
    [
        ("1069000012", ("1069000012", 0, 0)),
        ("10690000", ("10690000", 0, 0)),
        ("+8613900000000", ("8613900000000", 1, 1)),
        ("PAPER", ("PAPER", 5, 0)),
        ("", ("", 0, 0)),
    ],
)
def test_the_sender(sender: str, address: tuple[str, int, int]) -> None:
    assert config().source(sender) == address
    assert config(source_ton=3, source_npi=1).source(sender) == (address[0], 3, 1)


@pytest.mark.parametrize(
    ("form", "number"), [("international", "8619900000001"), ("plus", "+8619900000001"), ("national", "19900000001")]
)
def test_the_number(form: str, number: str) -> None:
    assert config(number_form=form).destination("+8619900000001") == number


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0, ""), (59, "000000000059000R"), (3600, "000000010000000R"), (3 * 86400 + 61, "000003000101000R")],
)
def test_the_validity(seconds: int, written: str) -> None:
    assert config(validity=seconds).validity_period == written


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "longer than eight"},
        {"system_id": ""},
        {"system_id": "x" * 16},
        {"port": 0},
        {"mode": "receiver"},
        {"interface_version": "3.5"},
        {"alphabet": "gsm7"},
        {"receipt_ids": "octal"},
        {"registered_delivery": 32},
        {"no_such_key": 1},
    ],
)
def test_out_of_range(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        config(**wrong)


@pytest.mark.parametrize(("name", "alphabet"), [("gsm", GSM), ("latin1", LATIN1), ("ascii", ASCII), ("ucs2", UCS2)])
def test_capabilities(name: str, alphabet: object, tmp_path: Path) -> None:
    table = config(alphabet=name, reference_bits=16, max_parts=5, forbidden="【", window=7, registered_delivery=0)
    can = SmppGateway("carrier", table, GatewayContext(tmp_path, ZoneInfo("UTC"))).capabilities
    assert (can.alphabet, can.reference_bits, can.max_parts, can.forbidden) == (alphabet, 16, 5, "【")
    assert (can.window, can.receipts, can.inbound) == (7, False, True)


def test_everything_on_the_wire(opened: Make, smsc: Smsc) -> None:
    """As smpplib reads it."""
    gateway = opened(
        service_type="CMT",
        validity=3600,
        priority=1,
        protocol_id=2,
        registered_delivery=3,
        destination_ton=2,
        destination_npi=8,
        number_form="national",
        reference_bits=16,
        data_coding_ucs2=24,
    )
    part = replace(make_part(1, "会"), sender="1069000012", reference=0x1234, number=2, total=3)
    gateway.submit([part])
    sent = smsc.taken[0].pdu
    assert (sent.service_type, sent.source_addr, sent.destination_addr) == (b"CMT", b"1069000012", b"19900000001")
    assert (sent.source_addr_ton, sent.source_addr_npi, sent.dest_addr_ton, sent.dest_addr_npi) == (0, 0, 2, 8)
    assert (sent.priority_flag, sent.protocol_id, sent.registered_delivery) == (1, 2, 3)
    assert (sent.validity_period, sent.data_coding, sent.esm_class) == (b"000000010000000R", 24, 0x40)
    assert sent.short_message == bytes((6, 8, 4, 0x12, 0x34, 3, 2)) + "会".encode("utf-16-be")


TEXT = "会".encode("utf-16-be")
HEADER = bytes((5, 0, 3, 0x34, 3, 2))
SAR = {"sar_msg_ref_num": 0x1234, "sar_total_segments": 3, "sar_segment_seqnum": 2, "esm_class": 0}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"joining": "sar"}, {**SAR, "short_message": TEXT}),
        ({"joining": "sar", "payload": True}, {**SAR, "sm_length": 0, "message_payload": TEXT}),
        (
            {"payload": True},
            {"sm_length": 0, "message_payload": HEADER + TEXT, "esm_class": 0x40},
        ),
    ],
    ids=["sar", "sar and payload", "payload"],
)
def test_parts_as_the_carrier_wants_them(
    opened: Make, smsc: Smsc, settings: dict[str, object], expected: dict[str, object]
) -> None:
    gateway = opened(**settings)
    gateway.submit([replace(make_part(1, "会"), reference=0x1234, number=2, total=3)])
    sent = smsc.taken[0].pdu
    assert {name: getattr(sent, name) for name in expected} == expected
