from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcaster.gateways.events import Reason, Receipt, ReceiptState
from broadcaster.gateways.smpp import tables
from broadcaster.gateways.smpp.codec import Deliver, deliver
from broadcaster.gateways.smpp.reasons import REASONS
from broadcaster.gateways.smpp.receipts import fields, is_receipt, number, raw, receipt
from broadcaster.gateways.smpp.words import Command, Tag

SHANGHAI = ZoneInfo("Asia/Shanghai")
DONE = datetime(2026, 11, 22, 2, 4, tzinfo=UTC)
LATER = DONE + timedelta(seconds=5)
S = ReceiptState


def told(text: str = "", *, esm_class: int = 4, tlvs: dict[int, bytes] | None = None, ton: int = 1) -> Deliver:
    given = {"source_addr": "8619900000001", "source_addr_ton": ton, "destination_addr": "1069"}
    given |= {"esm_class": esm_class}
    pdu = tables.encode(Command.DELIVER_SM, 1, {**given, "short_message": text.encode("latin-1")}, tlvs=tlvs)
    return deliver(pdu)


def read(what: Deliver, zone: ZoneInfo, reasons: Mapping[str, Reason] = REASONS) -> Receipt:
    return receipt(what, "carrier", zone, reasons)


@pytest.mark.parametrize(
    ("text", "message_id", "state", "code", "done"),
    [
        # as the standard suggests it, with and without seconds
        (
            "id:0123456789 sub:001 dlvrd:001 submit date:2611221003 done date:2611221004 stat:DELIVRD err:000 text:Hi",
            "0123456789",
            S.DELIVERED,
            "DELIVRD",
            DONE,
        ),
        (
            "id:0A1B sub:001 dlvrd:001 submit date:261122100300 done date:261122100405 stat:DELIVRD err:000 text:",
            "0A1B",
            S.DELIVERED,
            "DELIVRD",
            LATER,
        ),
        # four figures of year, quotes, other separators, no text at all
        (
            "id:7 sub:1 dlvrd:1 submit date:20261122100300 done date:20261122100405 stat:DELIVRD err:0",
            "7",
            S.DELIVERED,
            "DELIVRD",
            LATER,
        ),
        (
            'id:"a-b_c.1" done date:"2026-11-22 10:04:05" stat:"UNDELIV"',
            "a-b_c.1",
            S.FAILED,
            "UNDELIV",
            LATER,
        ),
        (
            "id:7,sub:001,dlvrd:000,submit date:2611221003,done date:2611221004,stat:EXPIRED,err:0x1f,text:x",
            "7",
            S.EXPIRED,
            "EXPIRED",
            DONE,
        ),
        ("id=7;stat=REJECTD;done_date=2611221004", "7", S.REJECTED, "REJECTD", DONE),
        ("id: 7 | stat: REJECTD | donedate: 2611221004", "7", S.REJECTED, "REJECTD", DONE),
        # other letters, other words, other order, over several lines
        ("ID:7 SUB:001 DLVRD:001 DONE DATE:2611221004 STAT:DELIVRD ERR:000 TEXT:x", "7", S.DELIVERED, "DELIVRD", DONE),
        ("Id:7 Stat:delivrd Done Date:2611221004", "7", S.DELIVERED, "DELIVRD", DONE),
        ("stat:DELIVERED done time:2611221004 id:7", "7", S.DELIVERED, "DELIVERED", DONE),
        ("id:7\r\nstat:UNDELIVERABLE\r\ndone date:2611221004\r\n", "7", S.FAILED, "UNDELIVERABLE", DONE),
        ("id:7 sub:001 dlvrd:001 submit date: done date: stat:DELIVRD err: text:", "7", S.DELIVERED, "DELIVRD", None),
        ("id:7 submit date:NA done date:NA stat:DELIVRD", "7", S.DELIVERED, "DELIVRD", None),
        ("id:7 done date:26-11-22 10:04 stat:DELETED", "7", S.FAILED, "DELETED", DONE),
        ("id:4f2a-11ee:0 stat:ACCEPTD done date:2611221004", "4f2a-11ee:0", S.IN_NETWORK, "ACCEPTD", DONE),
        ("id:7 stat:ENROUTE", "7", S.IN_NETWORK, "ENROUTE", None),
        ("id:7 stat:UNKNOWN", "7", S.CARRIER_UNKNOWN, "UNKNOWN", None),
        # what cannot be read is kept with what there is
        ("id:7 stat:MK:0001", "7", S.CARRIER_UNKNOWN, "MK:0001", None),
        ("id:7", "7", S.CARRIER_UNKNOWN, "", None),
        ("id:7 err:045", "7", S.CARRIER_UNKNOWN, "045", None),
        ("id: sub:001 stat:DELIVRD", "", S.DELIVERED, "DELIVRD", None),
        ("stat:DELIVRD", "", S.DELIVERED, "DELIVRD", None),
        ("Message delivered", "", S.CARRIER_UNKNOWN, "", None),
        ("", "", S.CARRIER_UNKNOWN, "", None),
        # the member's own words count for nothing
        ("id:7 stat:UNDELIV err:001 text:stat:DELIVRD id:8", "7", S.FAILED, "UNDELIV", None),
        ("id:7 text:stat:DELIVRD id:8", "7", S.CARRIER_UNKNOWN, "", None),
        # the first of each counts
        ("id:7 stat:UNDELIV id:8 stat:DELIVRD", "7", S.FAILED, "UNDELIV", None),
        # words that only end like a field
        ("did:9 mid:8 id:7 laststat:x stat:DELIVRD", "7", S.DELIVERED, "DELIVRD", None),
    ],
)
def test_forms_of_the_text(text: str, message_id: str, state: S, code: str, done: datetime | None) -> None:
    said = read(told(text), SHANGHAI)
    assert (said.message_id, said.state, said.code) == (message_id, state, code)
    assert said.done_at == done


@pytest.mark.parametrize(
    ("state", "means"),
    [
        (b"\0", S.IN_NETWORK),
        (b"\1", S.IN_NETWORK),
        (b"\2", S.DELIVERED),
        (b"\3", S.EXPIRED),
        (b"\4", S.FAILED),
        (b"\5", S.FAILED),
        (b"\6", S.IN_NETWORK),
        (b"\7", S.CARRIER_UNKNOWN),
        (b"\x08", S.REJECTED),
        (b"\x09", S.FAILED),
        (b"\x0a", S.CARRIER_UNKNOWN),
        (b"\xff", S.CARRIER_UNKNOWN),
        (b"", S.CARRIER_UNKNOWN),
        # some write four octets
        (b"\0\0\0\2", S.DELIVERED),
    ],
)
def test_states_in_the_parameter(state: bytes, means: S) -> None:
    said = read(told(tlvs={Tag.RECEIPTED_MESSAGE_ID: b"7\0", Tag.MESSAGE_STATE: state}), SHANGHAI)
    assert (said.message_id, said.state) == ("7", means)


TEXT = "id:8 sub:001 dlvrd:000 done date:2611221004 stat:UNDELIV err:027 text:"


def test_parameters_count_more_than_the_text() -> None:
    said = read(told(TEXT, tlvs={Tag.RECEIPTED_MESSAGE_ID: b"0A7\0", Tag.MESSAGE_STATE: b"\2"}), SHANGHAI)
    assert (said.message_id, said.state, said.code, said.done_at) == ("0A7", S.DELIVERED, "DELIVRD", DONE)
    assert said.permanent is None


def test_an_empty_parameter_leaves_the_text_to_speak() -> None:
    said = read(told(TEXT, tlvs={Tag.RECEIPTED_MESSAGE_ID: b"\0", Tag.MESSAGE_STATE: b""}), SHANGHAI)
    assert (said.message_id, said.state) == ("8", S.FAILED)


@pytest.mark.parametrize("written", [b"0A7\0", b"0A7", b"0A7 \0\0", b" 0A7\0", b"0A7\0rest"])
def test_an_id_in_the_parameter_with_or_without_its_end(written: bytes) -> None:
    assert read(told(tlvs={Tag.RECEIPTED_MESSAGE_ID: written}), SHANGHAI).message_id == "0A7"


@pytest.mark.parametrize(
    ("network", "state", "code", "nobody"),
    [
        (b"\3\0\1", b"\5", "GSM 1", True),
        (b"\3\0\x1b", b"\5", "GSM 27", False),
        # of a network that is not GSM, of an unknown number, broken, or beside good news
        (b"\1\0\1", b"\5", "UNDELIV", False),
        (b"\3\1\1", b"\5", "UNDELIV", False),
        (b"\3\1", b"\5", "UNDELIV", False),
        (b"\3\0\1", b"\2", "DELIVRD", False),
        (b"\3\0\1", b"\3", "EXPIRED", False),
    ],
)
def test_errors_of_gsm_networks_say_why(network: bytes, state: bytes, code: str, nobody: bool) -> None:
    said = read(told("id:7", tlvs={Tag.MESSAGE_STATE: state, Tag.NETWORK_ERROR_CODE: network}), SHANGHAI)
    assert said.code == code
    assert REASONS[code].unknown_number is nobody


def test_a_carriers_own_codes_are_read_by_its_own_table() -> None:
    reasons = {
        **REASONS,
        "UNDELIV:045": Reason(S.REJECTED, True, "Refused for its content"),
        "MK:0001": Reason(S.FAILED, True, "There is no such number", unknown_number=True),
    }
    said = read(told("id:7 stat:UNDELIV err:045"), SHANGHAI, reasons)
    assert (said.state, said.code, said.permanent) == (S.REJECTED, "UNDELIV:045", True)
    said = read(told("id:7 stat:MK:0001"), SHANGHAI, reasons)
    assert (said.state, said.code, said.permanent) == (S.FAILED, "MK:0001", True)


def test_a_notice_on_the_way_is_never_an_end_for_want_of_words() -> None:
    assert read(told("id:7", esm_class=0x20), SHANGHAI).state is S.IN_NETWORK
    assert read(told("id:7 stat:UNDELIV", esm_class=0x20), SHANGHAI).state is S.FAILED


@pytest.mark.parametrize(
    ("deliver_sm", "by_text", "is_one"),
    [
        (told(TEXT), False, True),
        (told("anything"), False, True),
        (told(TEXT, esm_class=0x24), False, False),
        (told(TEXT, esm_class=0x44), False, True),
        (told("", esm_class=0x20), False, True),
        (told("", esm_class=0, tlvs={Tag.RECEIPTED_MESSAGE_ID: b"7\0"}), False, True),
        # a member can write what a receipt says: it counts only where the settings say so
        (told(TEXT, esm_class=0), False, False),
        (told(TEXT, esm_class=0), True, True),
        (told("my id:7 is lost", esm_class=0), True, False),
        (told("收到".encode("utf-16-be").decode("latin-1"), esm_class=0), True, False),
        (told("TD", esm_class=0), True, False),
    ],
)
def test_what_is_a_receipt(deliver_sm: Deliver, by_text: bool, is_one: bool) -> None:
    assert is_receipt(deliver_sm, by_text) is is_one


def test_the_event_has_all_that_was_told_and_shows_no_number() -> None:
    made = receipt(told(TEXT, tlvs={0x1500: b"\1\2"}), "capital", SHANGHAI)
    assert (made.gateway, made.message_id, made.msisdn, made.done_at) == ("capital", "8", "+8619900000001", DONE)
    assert made.raw == f"{TEXT} 1500=0102"
    assert "19900000001" not in repr(made)


@pytest.mark.parametrize(
    ("text", "tlvs", "kept"),
    [
        ("stat:x", {}, "stat:x"),
        ("\xe9", {}, "e9"),
        ("a\0", {}, "6100"),
        ("", {0x0424: b"id:7", 0x1E: b"7\0"}, "id:7 001e=3700"),
    ],
)
def test_what_came_is_kept_so_that_it_can_be_read(text: str, tlvs: dict[int, bytes], kept: str) -> None:
    assert raw(told(text, tlvs=tlvs)) == kept


@pytest.mark.parametrize(
    ("address", "ton", "written"),
    [
        ("8619900000001", 1, "+8619900000001"),
        ("+8619900000001", 1, "+8619900000001"),
        ("+8619900000001", 0, "+8619900000001"),
        ("19900000001", 2, "19900000001"),
        ("8619900000001", 0, "8619900000001"),
        ("Capital", 5, "Capital"),
        ("+", 1, "+"),
        ("", 1, ""),
    ],
)
def test_numbers(address: str, ton: int, written: str) -> None:
    assert number(address, ton) == written


@settings(max_examples=300)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                ["id:", "stat:", "done date:", "err=", "text:", "sub :", "DELIVRD", "2611221004", '"', " "]
            ),
            st.text(st.characters(max_codepoint=255), max_size=12),
        ),
        max_size=24,
    ).map("".join),
    st.dictionaries(st.sampled_from([0x1E, 0x427, 0x423, 0x424, 0x1500]), st.binary(max_size=20)),
    st.integers(0, 255),
)
def test_nothing_raises_and_everything_can_be_stored(text: str, tlvs: dict[int, bytes], esm_class: int) -> None:
    deliver_sm = told(text[:254], esm_class=esm_class, tlvs=tlvs)
    is_receipt(deliver_sm, by_text=True)
    made = receipt(deliver_sm, "capital", SHANGHAI)
    for kept in (made.message_id, made.code, made.raw, made.msisdn or ""):
        assert "\0" not in kept
        kept.encode("utf-8")


def test_a_long_text_of_blanks_and_keys_is_read_at_once() -> None:
    assert fields(b"id   " * 12_000) == {}
    assert fields(b"done date:" * 6_000 + b"stat:DELIVRD") == {"done": ""}
    assert fields(b"id:7 stat:" + b" " * 60_000) == {"id": "7", "stat": ""}


@given(
    st.from_regex(r"[0-9A-Za-z-]{1,40}", fullmatch=True),
    st.from_regex(r"[0-9]{0,14}", fullmatch=True),
    st.sampled_from(["DELIVRD", "UNDELIV", "EXPIRED", "X"]),
    st.from_regex(r"[0-9A-Za-z]{0,4}", fullmatch=True),
    st.sampled_from(["", " text:", " Text:stat:EXPIRED", "\n"]),
)
def test_the_standards_own_form_is_read_the_same_by_the_short_way_and_the_long_one(
    message_id: str, done: str, stat: str, err: str, end: str
) -> None:
    text = f"id:{message_id} sub:001 dlvrd:001 submit date:{done} done date:{done} stat:{stat} err:{err}{end}"
    assert fields(text.encode()) == fields(text.replace("id:", "ID:", 1).encode())
    assert fields(text.encode()) == {"id": message_id, "done": done, "stat": stat, "err": err}
