from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.rehearsal.pdu import Malformed, Status, Submit, read_submit
from broadcaster.rehearsal.pieces import read_piece
from tests.rehearsal.wire import submit, tlv


def read(octets: bytes) -> Submit:
    return read_submit(octets, 16, len(octets))


def seen(**given_: object) -> tuple[str | None, int, int, int | None, str]:
    piece = read_piece(read(submit(1, **given_)), "gsm")  # type: ignore[arg-type]
    return piece.text, piece.number, piece.total, piece.reference, piece.by


def sar(reference: bytes, total: bytes, number: bytes) -> bytes:
    return tlv(0x020C, reference) + tlv(0x020E, total) + tlv(0x020F, number)


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ({"message": b"Hello"}, ("Hello", 1, 1, None, "")),
        ({"message": b"\5\0\3\x99\3\2Hello", "esm": 0x40}, ("Hello", 2, 3, 0x99, "udh8")),
        ({"message": b"\6\x08\4\x12\x34\3\2Hello", "esm": 0x40}, ("Hello", 2, 3, 0x1234, "udh16")),
        # another element before the one of concatenation
        ({"message": b"\x0b\x05\4\0\1\0\2\0\3\x99\3\2Hello", "esm": 0x40}, ("Hello", 2, 3, 0x99, "udh8")),
        ({"message": b"\6\x05\4\0\1\0\2Hello", "esm": 0x40}, ("Hello", 1, 1, None, "")),
        ({"message": b"Hello", "tlvs": sar(b"\x12\x34", b"\3", b"\2")}, ("Hello", 2, 3, 0x1234, "sar")),
        ({"message": b"", "tlvs": tlv(0x0424, b"H" * 1000)}, ("H" * 1000, 1, 1, None, "")),
        (
            {"message": b"", "esm": 0x40, "coding": 8, "tlvs": tlv(0x0424, b"\5\0\3\1\2\1\x4f\x1a")},
            ("会", 1, 2, 1, "udh8"),
        ),
        ({"message": b""}, ("", 1, 1, None, "")),
    ],
)
def test_what_a_part_is(given_: dict[str, object], expected: object) -> None:
    assert seen(**given_) == expected


@pytest.mark.parametrize(
    "given_",
    [
        {"message": b"", "esm": 0x40},
        {"message": b"\x05\0\3", "esm": 0x40},
        {"message": b"\5\0\x09\x99\3\2Hello", "esm": 0x40},
        {"message": b"\1\0Hello", "esm": 0x40},
        {"message": b"\5\0\3\x99\3\0Hello", "esm": 0x40},
        {"message": b"\5\0\3\x99\3\4Hello", "esm": 0x40},
        {"message": b"x", "tlvs": tlv(0x020C, b"\0\1")},
        {"message": b"x", "tlvs": sar(b"\1", b"\3", b"\2")},
        {"message": b"x", "tlvs": sar(b"\0\1", b"\0", b"\0")},
    ],
)
def test_headers_that_make_no_sense(given_: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        seen(**given_)


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        (submit(1, source="1" * 21), Status.BAD_SOURCE),
        (submit(1, to="1" * 21), Status.BAD_DESTINATION),
        (submit(1, to=""), Status.BAD_DESTINATION),
        (submit(1, to="12a"), Status.BAD_DESTINATION),
        (submit(1, b"x")[:-1], Status.BAD_MESSAGE_LENGTH),
        (submit(1, b"x" * 255), Status.BAD_MESSAGE_LENGTH),
        (submit(1, b"x", tlvs=tlv(0x0424, b"y")), Status.BAD_MESSAGE_LENGTH),
        (submit(1, tlvs=b"\x04\x24\x00\x09y"), Status.BAD_TLV_STREAM),
        (submit(1, tlvs=b"\x04\x24\x00"), Status.BAD_TLV_STREAM),
        (b"\0" * 16 + b"\xff" * 30, Status.BAD_COMMAND_LENGTH),
        (submit(1)[:30], Status.BAD_COMMAND_LENGTH),
        (submit(1)[:16], Status.BAD_COMMAND_LENGTH),
    ],
)
def test_what_cannot_be_read_has_its_status(octets: bytes, status: Status) -> None:
    with pytest.raises(Malformed) as caught:
        read(octets)
    assert caught.value.status == status


@given(st.data())
def test_a_broken_submit_is_malformed_and_nothing_else(data: st.DataObject) -> None:
    octets = bytearray(submit(1, b"\5\0\3\x99\3\2Hello", esm=0x40, tlvs=sar(b"\0\1", b"\2", b"\1")))
    for _ in range(data.draw(st.integers(1, 5))):
        octets[data.draw(st.integers(16, len(octets) - 1))] = data.draw(st.integers(0, 255))
    octets = octets[: data.draw(st.integers(16, len(octets)))]
    try:
        piece = read_piece(read(bytes(octets)), "gsm")
    except Malformed:
        return
    assert 1 <= piece.number <= piece.total
