from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcaster.gateways.smpp.codec import bare
from broadcaster.gateways.smpp.framing import LARGEST, Framer, NotSmpp
from broadcaster.gateways.smpp.octets import HEADER
from broadcaster.gateways.smpp.words import Command

LINK = bare(Command.ENQUIRE_LINK, 7)


def pdu(body: bytes) -> bytes:
    return (HEADER + len(body)).to_bytes(4, "big") + LINK[4:] + body


@settings(max_examples=100)
@given(st.lists(st.binary(max_size=400).map(pdu), max_size=20), st.data())
def test_whatever_the_pieces_the_same_pdus_come_out(pdus: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(pdus)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=30)))
    framer = Framer()
    found = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += framer.feed(stream[start:end])
    assert found == pdus


def test_an_octet_at_a_time() -> None:
    framer = Framer()
    found = [each for octet in LINK + pdu(b"\0") for each in framer.feed(bytes([octet]))]
    assert found == [LINK, pdu(b"\0")]


def test_the_largest_pdu_passes_and_one_octet_more_does_not() -> None:
    largest = pdu(bytes(LARGEST - HEADER))
    assert Framer().feed(largest) == [largest]
    with pytest.raises(NotSmpp, match="65537"):
        Framer().feed(pdu(bytes(LARGEST - HEADER + 1)))


@pytest.mark.parametrize("length", [0, 1, 4, 15, LARGEST + 1, 2**31 - 1, 2**32 - 1])
def test_an_impossible_length_is_told_with_what_to_do(length: int) -> None:
    framer = Framer()
    framer.feed(LINK)
    with pytest.raises(NotSmpp, match=str(length)) as caught:
        framer.feed(length.to_bytes(4, "big"))
    assert "\n" not in f"{caught.value} {caught.value.hint}"
    assert caught.value.hint


def test_what_was_whole_before_the_garbage_is_not_lost() -> None:
    framer = Framer()
    assert framer.feed(LINK + b"\0\0\0\1" + bytes(100)) == [LINK]
    assert framer.garbage is not None
    with pytest.raises(NotSmpp):
        framer.feed(b"")
    with pytest.raises(NotSmpp):
        framer.feed(LINK)


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n", "web server"),
        (b"HTTP", "web server"),
        (b"<!DOCTYPE html><html>", "web server"),
        (b"<html><head>", "web server"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "TLS"),
        (b"\x15\x03\x03\x00\x02\x02\x16", "TLS"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "plain text"),
        (b"220 mail.example.org ESMTP\r\n", "plain text"),
    ],
)
def test_another_service_on_the_port_is_called_by_its_name(octets: bytes, words: str) -> None:
    with pytest.raises(NotSmpp, match=words) as caught:
        Framer().feed(octets)
    assert caught.value.hint


def test_a_carrier_that_was_understood_is_not_called_a_web_server() -> None:
    framer = Framer()
    framer.feed(LINK)
    with pytest.raises(NotSmpp, match="octets"):
        framer.feed(b"HTTP/1.1 400 Bad Request")


def test_a_slow_drip_of_a_large_pdu_becomes_that_pdu() -> None:
    framer = Framer()
    large = pdu(bytes(60_000))
    for octet in large[:-1]:
        assert framer.feed(bytes([octet])) == []
    assert framer.feed(large[-1:] + LINK) == [large, LINK]


def test_an_impossible_length_is_told_as_soon_as_it_is_there() -> None:
    framer = Framer()
    assert framer.feed(b"\0\0") == []
    with pytest.raises(NotSmpp):
        framer.feed(b"\0\1")
