from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcaster.gateways.contract import OutboundPart
from broadcaster.gateways.smpp import tables
from broadcaster.gateways.smpp.codec import Body, Deliver, SubmitEncoder, deliver
from broadcaster.gateways.smpp.octets import header
from broadcaster.gateways.smpp.texts import (
    Concatenation,
    Default,
    Layout,
    binary,
    body,
    charset,
    incoming,
)
from broadcaster.gateways.smpp.words import UDHI, Command, DataCoding, Tag
from broadcaster.sms import LATIN1, Encoding, decode, gsm7, split
from tests.sms.texts import any_texts, gsm_texts

PART = OutboundPart(
    part_id=1,
    msisdn="+8619900000001",
    sender="1069",
    text="{€ok}",
    encoding=Encoding.GSM7,
    number=1,
    total=1,
    reference=7,
    client_reference="p1",
)


def told(octets: bytes, *, esm_class: int = 0, data_coding: int = 0, tlvs: dict[int, bytes] | None = None) -> Deliver:
    fields = {"source_addr": "8619900000001", "esm_class": esm_class, "data_coding": data_coding}
    return deliver(tables.encode(Command.DELIVER_SM, 1, {**fields, "short_message": octets}, tlvs=tlvs))


def text(told: Deliver, default: Default = "gsm7") -> str:
    found = incoming(told, default)
    return decode(found.octets, found.charset)


def as_delivered(made: Body) -> Deliver:
    """The submit_sm as a carrier would hand it on: its body is that of a deliver_sm."""
    pdu = SubmitEncoder().encode(1, "1069", "8619900000001", made)
    return deliver(header.pack(len(pdu), Command.DELIVER_SM, 0, 1) + pdu[16:])


@pytest.mark.parametrize(
    ("encoding", "part_text", "made"),
    [
        (Encoding.GSM7, "{€ok}", Body(0, 0, b"\x1b\x28\x1b\x65ok\x1b\x29")),
        (Encoding.GSM7, "@£", Body(0, 0, b"\0\1")),
        (Encoding.ASCII, "ok", Body(0, 1, b"ok")),
        (Encoding.LATIN1, "é", Body(0, 3, b"\xe9")),
        (Encoding.UCS2, "会𠮷", Body(0, 8, bytes.fromhex("4f1a d842 dfb7"))),
    ],
)
def test_a_part_in_each_encoding(encoding: Encoding, part_text: str, made: Body) -> None:
    assert body(replace(PART, text=part_text, encoding=encoding)) == made


def test_a_centre_may_want_other_codings() -> None:
    layout = Layout(data_codings={Encoding.LATIN1: 0, Encoding.UCS2: 0x18})
    assert body(replace(PART, text="é", encoding=Encoding.LATIN1), layout).data_coding == 0
    assert body(replace(PART, text="会", encoding=Encoding.UCS2), layout).data_coding == 0x18


SECOND = replace(PART, text="ok", number=2, total=3, reference=0x12A)


@pytest.mark.parametrize(
    ("layout", "made"),
    [
        (Layout(), Body(UDHI, 0, b"\5\0\3\x2a\3\2ok")),
        (Layout(reference_bits=16), Body(UDHI, 0, b"\6\x08\4\1\x2a\3\2ok")),
        (Layout("sar"), Body(0, 0, b"ok", bytes.fromhex("020c0002012a 020e000103 020f000102"))),
        (Layout(payload=True), Body(UDHI, 0, b"", bytes.fromhex("04240008 0500032a0302") + b"ok")),
        (
            Layout("sar", payload=True),
            Body(0, 0, b"", bytes.fromhex("020c0002012a 020e000103 020f000102 04240002") + b"ok"),
        ),
    ],
)
def test_a_part_of_several_in_each_layout(layout: Layout, made: Body) -> None:
    assert body(SECOND, layout) == made


@pytest.mark.parametrize("layout", [Layout(payload=True), Layout("sar"), Layout("sar", payload=True)])
def test_one_part_alone_is_told_nothing(layout: Layout) -> None:
    made = body(PART, layout)
    assert made.esm_class == 0
    assert Tag.SAR_MSG_REF_NUM.to_bytes(2, "big") not in made.tlvs


LAYOUTS = st.builds(Layout, st.sampled_from(["udh", "sar"]), st.sampled_from([8, 16]), st.booleans())


@settings(max_examples=150)
@given(st.one_of(gsm_texts, any_texts), LAYOUTS, st.integers(0, 0xFFFF))
def test_what_goes_out_comes_back(whole: str, layout: Layout, reference: int) -> None:
    cut = split(whole, reference_bits=layout.reference_bits)
    octets, found = b"", None
    for number, part_text in enumerate(cut.parts, 1):
        part = replace(
            PART, text=part_text, encoding=cut.encoding, number=number, total=len(cut.parts), reference=reference
        )
        made = body(part, layout)
        assert len(made.short_message) <= 160
        found = incoming(as_delivered(made))
        octets += found.octets
        if len(cut.parts) == 1:
            assert found.part is None
        else:
            bits = 16 if layout.joining == "sar" else layout.reference_bits
            assert found.part == Concatenation(reference % (1 << bits), len(cut.parts), number, bits)
    if found is not None:
        # half a surrogate pair is no character and goes out as a question mark; NUL does not come in
        sent = whole.encode("utf-16-be", "replace").decode("utf-16-be").replace("\0", "")
        begins_with_a_mark = cut.encoding is Encoding.UCS2 and whole[0] == "\ufeff"
        assert decode(octets, found.charset) == sent.removeprefix("\ufeff" if begins_with_a_mark else "")


def test_latin_1_comes_back() -> None:
    cut = split("é" * 100, LATIN1)
    made = body(replace(PART, text=cut.parts[0], encoding=cut.encoding))
    assert text(as_delivered(made)) == "é" * 100


def test_binary_goes_as_it_is_and_is_shown_in_hex() -> None:
    made = binary(b"\0\xff", b"\6\5\4\x0b\x84\x23\xf0")
    assert made == Body(UDHI, DataCoding.BINARY, b"\6\5\4\x0b\x84\x23\xf0\0\xff")
    assert text(as_delivered(made)) == "00ff"
    assert binary(b"\1").esm_class == 0


@pytest.mark.parametrize(
    ("data_coding", "octets", "words"),
    [
        (0, b"\x00\x1b\x65", "@€"),
        (1, b"ok", "ok"),
        (3, b"\xe9", "é"),
        (2, b"\x01\xab", "01ab"),
        (4, b"\x01\xab", "01ab"),
        (5, "退".encode("shift_jis"), "退"),
        (6, "Да".encode("iso8859-5"), "Да"),
        (7, "שלום".encode("iso8859-8"), "שלום"),
        (8, "退订".encode("utf-16-be"), "退订"),
        (8, "𠮷😀".encode("utf-16-be"), "𠮷😀"),
        (10, "退".encode("iso2022_jp"), "退"),
        (14, "안녕".encode("euc_kr"), "안녕"),
        (15, "退订".encode("gb18030"), "退订"),
        # schemes of GSM that centres pass on: classes, 8 bits, UCS-2, waiting messages
        (0x10, b"\x00", "@"),
        (0x18, "退".encode("utf-16-be"), "退"),
        (0x11, b"\x00", "@"),
        (0x14, b"\x01", "01"),
        (0x48, "退".encode("utf-16-be"), "退"),
        (0xC8, b"\x00", "@"),
        (0xE0, "退".encode("utf-16-be"), "退"),
        (0xF0, b"\x00", "@"),
        (0xF5, b"\x01", "01"),
    ],
)
def test_every_coding_that_comes_in(data_coding: int, octets: bytes, words: str) -> None:
    assert text(told(octets, data_coding=data_coding)) == words


@pytest.mark.parametrize(
    ("default", "octets", "words"),
    [
        ("gsm7", b"\x00\x11", "@_"),
        ("latin1", b"_\xe9", "_é"),
        ("ascii", b"_a", "_a"),
        ("utf8", "退".encode(), "退"),
        ("ucs2", "退".encode("utf-16-be"), "退"),
    ],
)
def test_what_a_centre_means_by_default(default: Any, octets: bytes, words: str) -> None:
    assert text(told(octets), default) == words


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        ("\ufeff退".encode("utf-16-be"), "退"),
        ("\ufeff退".encode("utf-16-le"), "退"),
        ("退".encode("utf-16-be") + b"\x4e", "退\ufffd"),
        (b"\xd8\x3d", "\ufffd"),
        (b"\0a\0\0\0b", "ab"),
        (b"", ""),
    ],
)
def test_broken_or_marked_ucs_2(octets: bytes, words: str) -> None:
    assert text(told(octets, data_coding=8)) == words


@settings(max_examples=300)
@given(st.integers(0, 255), st.binary(max_size=200), st.sampled_from(["gsm7", "latin1", "ascii", "utf8", "ucs2"]))
def test_all_octets_in_all_codings_are_some_text_that_can_be_stored(coding: int, octets: bytes, default: Any) -> None:
    words = decode(octets, charset(coding, default))
    assert "\0" not in words
    words.encode("utf-8")


@pytest.mark.parametrize(
    ("header_octets", "part"),
    [
        ("050003 2a 03 02", Concatenation(0x2A, 3, 2, 8)),
        ("060804 012a 03 02", Concatenation(0x12A, 3, 2, 16)),
        # another element before: application ports, then the concatenation
        ("0b 0504 0b8423f0 0003 2a 03 02", Concatenation(0x2A, 3, 2, 8)),
        ("0c 0504 0b8423f0 0804 012a 03 02", Concatenation(0x12A, 3, 2, 16)),
        # and one behind
        ("08 0003 2a 03 02 2401 01", Concatenation(0x2A, 3, 2, 8)),
        ("06 0504 0b8423f0", None),
        ("00", None),
        # no part 0, no part 4 of 3, no 1 of 1, an element beyond the header, one that is too short
        ("050003 2a 03 00", None),
        ("050003 2a 03 04", None),
        ("050003 2a 00 01", None),
        ("050003 2a 01 01", None),
        ("050009 2a 03 02", None),
        ("040002 2a 03", None),
        ("01 00", None),
    ],
)
def test_headers(header_octets: str, part: Concatenation | None) -> None:
    found = incoming(told(bytes.fromhex(header_octets) + b"ok", esm_class=UDHI))
    assert found.part == part
    assert found.octets == b"ok"


@pytest.mark.parametrize("octets", [b"", b"\x05", b"\x05\x00\x03\x2a", b"\xff\x00"])
def test_a_header_longer_than_the_text_is_text(octets: bytes) -> None:
    found = incoming(told(octets, esm_class=UDHI))
    assert (found.octets, found.part) == (octets, None)


def test_without_its_flag_a_header_is_text() -> None:
    assert incoming(told(b"\5\0\3\x2a\3\2ok")).part is None


@pytest.mark.parametrize(
    ("tlvs", "part"),
    [
        ({0x020C: b"\1\x2a", 0x020E: b"\3", 0x020F: b"\2"}, Concatenation(0x12A, 3, 2, 16)),
        # some write one octet of reference, some two of total
        ({0x020C: b"\x2a", 0x020E: b"\0\3", 0x020F: b"\0\2"}, Concatenation(0x2A, 3, 2, 16)),
        ({0x020C: b"\1\x2a", 0x020E: b"\1", 0x020F: b"\1"}, None),
        ({0x020C: b"\1\x2a", 0x020F: b"\1"}, None),
        ({0x020C: b"", 0x020E: b"", 0x020F: b""}, None),
    ],
)
def test_sar_parameters(tlvs: dict[int, bytes], part: Concatenation | None) -> None:
    assert incoming(told(b"ok", tlvs=tlvs)).part == part


def test_a_header_counts_more_than_sar() -> None:
    found = incoming(told(b"\5\0\3\x2a\3\2ok", esm_class=UDHI, tlvs={0x020C: b"\1\1", 0x020E: b"\4", 0x020F: b"\1"}))
    assert found.part == Concatenation(0x2A, 3, 2, 8)


def test_the_text_may_stand_in_the_payload() -> None:
    found = incoming(told(b"", esm_class=UDHI, data_coding=8, tlvs={0x0424: b"\5\0\3\x2a\3\2" + b"\x90\x00"}))
    assert found.part == Concatenation(0x2A, 3, 2, 8)
    assert decode(found.octets, found.charset) == "退"


def test_our_own_tables_are_used() -> None:
    # smpplib takes a section sign for a back-tick
    assert body(replace(PART, text="§")).short_message == b"\x5f" == gsm7.encode("§")


def test_the_reference_is_as_wide_as_the_parts_were_cut_for() -> None:
    part = replace(PART, text="x", encoding=Encoding.UCS2, number=1, total=2, reference=0x1234)
    assert body(part).short_message[:6] == b"\x05\x00\x03\x34\x02\x01"
    assert body(replace(part, reference_bits=16)).short_message[:7] == b"\x06\x08\x04\x12\x34\x02\x01"
