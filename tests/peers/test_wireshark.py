"""Our traffic as Wireshark's dissector reads it: nothing malformed, every field as meant, on both sides."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from broadcaster.gateways.smpp.gateway import SmppGateway
from broadcaster.rehearsal.behaviour import Behaviour
from broadcaster.rehearsal.running import Rehearsal, rehearsing
from broadcaster.sms import Encoding
from tests.peers.captures import (
    BIND_TRANSCEIVER,
    CANCEL_SM,
    CANCEL_SM_RESP,
    COMMAND,
    DELIVER_SM,
    QUERY_SM,
    QUERY_SM_RESP,
    SUBMIT_SM,
    Layer,
    complaints,
    dissect,
    pdus,
)
from tests.peers.desk import NUMBER, SENDER, Desk
from tests.peers.fetch import TSHARK, Compared
from tests.peers.programs import until
from tests.peers.recorder import Conversation, Recorder, write_capture

LONG = ("【东城快报】寻㐂老师、𠮷田老师、䶮老师、𪚥老师。" + "满座皆欢迎新春😀" * 70)[:500]
GSM = "Meeting at 18:00 {hall 2} [bring €5] ~ ^ \\ | @£$¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà_"
LAYOUTS: dict[str, dict[str, Any]] = {
    "8-bit": {},
    "16-bit": {"reference_bits": 16},
    "sar": {"joining": "sar"},
    "payload": {"joining": "sar", "payload": True},
}
CODINGS = {Encoding.GSM7: "0x00", Encoding.LATIN1: "0x03", Encoding.UCS2: "0x08"}


@pytest.fixture
def carrier(tshark: str, tmp_path: Path) -> Iterator[Rehearsal]:
    who = Behaviour(system_id="desk", password="secret", receipt_delay=0.05)
    with rehearsing(tmp_path / "accepted.jsonl", who) as carrier:
        yield carrier


def read_back(recorder: Recorder, carrier: Rehearsal, folder: Path, compared: Compared) -> list[Layer]:
    """The PDUs of a recording; nothing in it is malformed."""
    recorder.write(folder / "traffic.pcap")
    packets = dissect(folder / "traffic.pcap", carrier.port)
    assert not complaints(packets)
    found = pdus(packets)
    compared(TSHARK, "packets between us and our simulated carrier, none malformed", len(packets))
    return found


@pytest.mark.parametrize("layout", list(LAYOUTS))
@pytest.mark.parametrize("text", [LONG, GSM, GSM * 3, "Réunion à 18 h", "一"], ids=range(5))
def test_a_text_as_wireshark_sees_it(
    carrier: Rehearsal, tmp_path: Path, compared: Compared, text: str, layout: str
) -> None:
    settings = {"system_type": "paper", "validity": 86_400, **LAYOUTS[layout]}
    with Recorder(carrier.port) as recorder, Desk(recorder.port, tmp_path, **settings) as desk:
        parts = desk.parts(text)
        desk.receipts(desk.accepted(parts))
    found = read_back(recorder, carrier, tmp_path, compared)
    [bind] = [pdu for pdu in found if pdu[COMMAND] == BIND_TRANSCEIVER]
    assert (bind["smpp.system_id"], bind["smpp.system_type"], bind["smpp.interface_version"]) == ("desk", "paper", "52")
    submits = [pdu for pdu in found if pdu[COMMAND] == SUBMIT_SM]
    assert len(submits) == len(parts)
    has_header = layout.endswith("bit") and len(parts) > 1
    for pdu, part in zip(submits, parts, strict=True):
        assert (pdu["smpp.source_addr"], pdu["smpp.destination_addr"]) == (SENDER, NUMBER.removeprefix("+"))
        assert [pdu[f"smpp.{end}_addr_{kind}"] for end in ("source", "dest") for kind in ("ton", "npi")] == [
            "0x00",
            "0x00",
            "0x01",
            "0x01",
        ]
        assert pdu["smpp.data_coding"] == CODINGS[part.encoding]
        assert pdu["smpp.esm.submit.features"] == ("0x01" if has_header else "0x00")
        assert (pdu["smpp.esm.submit.msg_mode"], pdu["smpp.esm.submit.msg_type"]) == ("0x00", "0x00")
        assert (pdu["smpp.regdel.receipt"], pdu["smpp.validity_period_r"]) == ("0x01", "86400.000000000")
        assert pdu["smpp.message_text"] == part.text
        assert joined(pdu, layout) == ((part.reference, part.total, part.number) if len(parts) > 1 else None)
    compared(TSHARK, "submit_sm of ours whose every field was as meant", len(submits))


def joined(pdu: Layer, layout: str) -> tuple[int, ...] | None:
    """Reference, parts and number, as the dissector reads them."""
    names = ("gsm_sms.udh.mm.msg_id", "gsm_sms.udh.mm.msg_parts", "gsm_sms.udh.mm.msg_part")
    if not layout.endswith("bit"):
        names = ("smpp.sar_msg_ref_num", "smpp.sar_total_segments", "smpp.sar_segment_seqnum")
    return tuple(int(pdu[name], 0) for name in names) if names[0] in pdu else None


@pytest.mark.parametrize("fate", ["delivered", "undelivered", "expired", "rejected"])
def test_receipts_as_wireshark_sees_them(carrier: Rehearsal, tmp_path: Path, compared: Compared, fate: str) -> None:
    state = {"delivered": "2", "undelivered": "5", "expired": "3", "rejected": "8"}[fate]
    if fate != "delivered":
        carrier.behave(**{fate: 1.0})
    with Recorder(carrier.port) as recorder, Desk(recorder.port, tmp_path) as desk:
        ids = desk.accepted(desk.parts(LONG))
        desk.receipts(ids)
    receipts = [pdu for pdu in read_back(recorder, carrier, tmp_path, compared) if pdu[COMMAND] == DELIVER_SM]
    assert [pdu["smpp.receipted_message_id"] for pdu in receipts] == ids
    for pdu in receipts:
        assert (pdu["smpp.esm.submit.msg_type"], pdu["smpp.message_state"]) == ("0x01", state)
        assert (pdu["smpp.source_addr"], pdu["smpp.destination_addr"]) == (NUMBER.removeprefix("+"), SENDER)
        assert f"id:{pdu['smpp.receipted_message_id']} " in pdu["smpp.message_text"]
    compared(TSHARK, "receipts of our carrier whose every field was as meant", len(receipts))


@pytest.mark.parametrize("join", ["udh8", "udh16", "sar"])
def test_letters_as_wireshark_sees_them(carrier: Rehearsal, tmp_path: Path, compared: Compared, join: str) -> None:
    with Recorder(carrier.port) as recorder, Desk(recorder.port, tmp_path) as desk:
        carrier.say("8619912345678", LONG, destination=SENDER, system_id="desk", join=join)  # type: ignore[arg-type]
        [message] = desk.messages(1)
        until(lambda: carrier.counts().mo_acknowledged == carrier.counts().mo_parts)
    letters = [pdu for pdu in read_back(recorder, carrier, tmp_path, compared) if pdu[COMMAND] == DELIVER_SM]
    assert "".join(pdu["smpp.message_text"] for pdu in letters) == message.text == LONG
    told = [joined(pdu, "sar" if join == "sar" else "8-bit") for pdu in letters]
    assert [part and part[1:] for part in told] == [(len(letters), number + 1) for number in range(len(letters))]
    compared(TSHARK, "parts of members' letters read as meant", len(letters))


def test_questions_as_wireshark_sees_them(carrier: Rehearsal, tmp_path: Path, compared: Compared) -> None:
    carrier.behave(receipt_delay=60.0)
    with Recorder(carrier.port) as recorder, Desk(recorder.port, tmp_path, service_type="CMT") as desk:
        assert isinstance(desk.gateway, SmppGateway)
        [waiting] = desk.send("一")
        asked = desk.gateway.query_sm(waiting)
        assert asked is not None
        assert desk.gateway.cancel_sm(waiting, NUMBER)
        gone = desk.gateway.query_sm(waiting)
        assert gone is not None
        assert desk.gateway.query_sm("nobody's") is None
        assert not desk.gateway.cancel_sm("nobody's", NUMBER)
    found = read_back(recorder, carrier, tmp_path, compared)
    questions, told, cancels, answers = (
        [pdu for pdu in found if pdu[COMMAND] == command]
        for command in (QUERY_SM, QUERY_SM_RESP, CANCEL_SM, CANCEL_SM_RESP)
    )
    assert [pdu["smpp.message_id"] for pdu in questions] == [waiting, waiting, "nobody's"]
    assert [pdu["smpp.message_id"] for pdu in cancels] == [waiting, "nobody's"]
    for pdu in (*questions, *cancels):
        assert (pdu["smpp.source_addr"], pdu["smpp.source_addr_ton"], pdu["smpp.source_addr_npi"]) == (
            SENDER,
            "0x00",
            "0x00",
        )
    for pdu in cancels:
        to = (pdu["smpp.destination_addr"], pdu["smpp.dest_addr_ton"], pdu["smpp.dest_addr_npi"])
        assert to == (NUMBER.removeprefix("+"), "0x01", "0x01")
        assert pdu["smpp.service_type"] == "CMT"
    # under way, then deleted; then a message id that is invalid
    assert [pdu.get("smpp.message_state") for pdu in told] == ["1", "4", None]
    assert [pdu["smpp.command_status"] for pdu in told] == ["0x00000000", "0x00000000", "0x0000000c"]
    assert [pdu["smpp.command_status"] for pdu in answers] == ["0x00000000", "0x0000000c"]
    compared(TSHARK, "query_sm and cancel_sm whose every field was as meant", len(questions) + len(cancels))


@pytest.mark.parametrize("broken", ["length", "cut", "tail"])
def test_a_broken_pdu_is_noticed(tshark: str, tmp_path: Path, broken: str) -> None:
    pdu = (
        bytes.fromhex("0000003500000004000000000000000100000031303639000101383631393939393900000000000001000000")
        + b"\x08"
    )
    body = {"length": b"\xc8abcdefgh", "cut": b"\x08abc", "tail": b"\x08abcdefgh\x04\x27\x00\x09\x02"}[broken]
    octets = pdu[16:] + body
    octets = (16 + len(octets)).to_bytes(4, "big") + pdu[4:16] + octets
    write_capture(tmp_path / "broken.pcap", [Conversation(0, [(1.0, True, octets)])], 2775)
    assert complaints(dissect(tmp_path / "broken.pcap", 2775))
