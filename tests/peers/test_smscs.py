"""Two SMSCs that nobody here wrote: texts arrive whole, receipts in each form match, members are heard."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from broadcaster.gateways.contract import Accepted, OutcomeUnknown, Unreachable
from broadcaster.gateways.errors import LinkDown, Misconfigured
from broadcaster.gateways.events import ReceiptState
from broadcaster.sms import Encoding, concatenation_header
from tests.peers.captures import complaints, dissect
from tests.peers.desk import NUMBER, SENDER, Desk
from tests.peers.fetch import NODE_SMSC, TSHARK, TWISTED_SMSC, Compared, Peer, installed_version
from tests.peers.programs import Smsc, until
from tests.peers.recorder import Recorder

HERE = Path(__file__).parent
LONG = ("【东城快报】寻㐂老师、𠮷田老师、䶮老师、𪚥老师。" + "满座皆欢迎新春😀" * 70)[:500]
GSM = "Meeting at 18:00 {hall 2} [bring €5] ~ ^ \\ | @£$¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà_"
DIGITS = NUMBER.removeprefix("+")
OpenDesk = Callable[..., AbstractContextManager[Desk]]


@pytest.fixture(params=[NODE_SMSC, TWISTED_SMSC], ids=["node", "twisted"])
def peer(request: pytest.FixtureRequest) -> Peer:
    return request.param


@pytest.fixture
def start(peer: Peer, request: pytest.FixtureRequest) -> Callable[..., Smsc]:
    """Makes the SMSC; it gives ids in this form."""

    def make(id_form: str = "hex", *certificate: Path) -> Smsc:
        if peer is NODE_SMSC:
            home = request.getfixturevalue("node_smsc_home")
            return Smsc(["node", HERE / "smsc.js", home, id_form, *certificate])
        home = request.getfixturevalue("twisted_smsc_home")
        return Smsc([home / "environment" / "bin" / "python", HERE / "smsc_twisted.py", id_form])

    return make


@pytest.fixture
def smsc(start: Callable[..., Smsc]) -> Iterator[Smsc]:
    with start() as smsc:
        yield smsc


@pytest.fixture
def open_desk(tmp_path: Path, peer: Peer, compared: Compared) -> OpenDesk:
    """`with open_desk(smsc, joining="sar") as desk`; all that passes is then read by Wireshark, where that is there."""

    @contextmanager
    def opened(smsc: Smsc, **settings: Any) -> Iterator[Desk]:
        with Recorder(smsc.port) as recorder:
            with Desk(recorder.port, tmp_path, **settings) as desk:
                yield desk
            smsc.wait_for(1, event="close")
        if installed_version(TSHARK, Path(os.environ["TEST_PEERS"])):
            recorder.write(tmp_path / "traffic.pcap")
            packets = dissect(tmp_path / "traffic.pcap", smsc.port)
            assert not complaints(packets)
            compared(TSHARK, f"packets between us and {peer.package}, none malformed", len(packets))

    return opened


LAYOUTS: dict[str, dict[str, Any]] = {
    "8-bit": {},
    "16-bit": {"reference_bits": 16},
    "sar": {"joining": "sar"},
    "payload": {"joining": "sar", "payload": True},
}


@pytest.mark.parametrize("layout", list(LAYOUTS))
def test_500_characters_arrive_whole(
    smsc: Smsc, open_desk: OpenDesk, peer: Peer, compared: Compared, layout: str
) -> None:
    with open_desk(smsc, **LAYOUTS[layout]) as desk:
        ids = desk.send(LONG)
        heard = smsc.wait_for(len(ids), event="submit")
    assert len(LONG) == 500
    assert "".join(part["text"] for part in heard) == LONG
    assert [part["id"] for part in heard] == ids
    joined_by = {"8-bit": "8BIT", "16-bit": "16BIT"}.get(layout, "sar")
    assert {part["joined_by"] for part in heard} == {joined_by}
    assert [part["part"] for part in heard] == [[1, len(ids), number + 1] for number in range(len(ids))]
    for part in heard:
        assert (part["source"], part["destination"]) == (SENDER, DIGITS)
        assert (part["data_coding"], part["registered_delivery"]) == (8, 1)
        assert part["esm_class"] == (0x40 if layout.endswith("bit") else 0)
    compared(peer, "characters of Chinese with rare Han and emoji that arrived whole", len(LONG))
    compared(peer, "parts whose every field was as meant", len(heard))


def test_latin_texts_arrive_whole(smsc: Smsc, open_desk: OpenDesk, peer: Peer, compared: Compared) -> None:
    # the library of the second knows ASCII for the default alphabet, not that of GSM
    text = GSM if peer is NODE_SMSC else "Meeting at 18:00, hall 2: bring your card."
    with open_desk(smsc) as desk:
        desk.send(text)
        [heard] = smsc.wait_for(1, event="submit")
    assert (heard["text"], heard["data_coding"], heard["part"]) == (text, 0, None)
    with open_desk(smsc, alphabet="latin1") as desk:
        desk.send("Réunion à 18 h, salle 2 {café} [ÿ]")
        heard = smsc.wait_for(2, event="submit")[-1]
    assert (heard["text"], heard["data_coding"]) == ("Réunion à 18 h, salle 2 {café} [ÿ]", 3)
    compared(peer, "Latin texts that arrived whole", 2)


def written(message_id: str, stat: str, err: int = 0) -> bytes:
    """A receipt as most centres write it."""
    told = f"id:{message_id} sub:001 dlvrd:001 submit date:2611220200 done date:2611220201 stat:{stat} err:{err:03d}"
    return f"{told} text:".encode()


STATES = {
    "DELIVRD": (2, ReceiptState.DELIVERED),
    "EXPIRED": (3, ReceiptState.EXPIRED),
    "UNDELIV": (5, ReceiptState.FAILED),
    "REJECTD": (8, ReceiptState.REJECTED),
    "ENROUTE": (1, ReceiptState.IN_NETWORK),
}


@pytest.mark.parametrize("told_by", ["both", "tlv", "text"])
@pytest.mark.parametrize("stat", list(STATES))
def test_receipts_match(
    smsc: Smsc, open_desk: OpenDesk, peer: Peer, compared: Compared, stat: str, told_by: str
) -> None:
    number, state = STATES[stat]
    with open_desk(smsc) as desk:
        ids = desk.send(LONG)
        for message_id in ids:
            octets = b"" if told_by == "tlv" else written(message_id, stat)
            tlvs = {} if told_by == "text" else {"receipted_message_id": message_id, "message_state": number}
            tag = smsc.deliver(DIGITS, SENDER, octets, esm_class=4, tlvs=tlvs)
        receipts = desk.receipts(ids)
        assert smsc.wait_for(1, event="answered", tag=tag, status=0)
    assert [receipt.message_id for receipt in receipts] == ids
    assert {receipt.state for receipt in receipts} == {state}
    assert {receipt.msisdn for receipt in receipts} == {NUMBER}
    compared(peer, "receipts matched to their parts", len(receipts))


FORMS: dict[str, tuple[str, Callable[[str], str]]] = {
    "hex answered, decimal in the receipt": ("hex", lambda message_id: str(int(message_id, 16))),
    "decimal answered, hex in the receipt": ("decimal", lambda message_id: f"{int(message_id):x}"),
    "other case": ("hex", str.lower),
    "zeros in front": ("decimal", lambda message_id: message_id.zfill(20)),
}


@pytest.mark.parametrize("form", list(FORMS))
def test_ids_in_another_form_match(
    start: Callable[..., Smsc], open_desk: OpenDesk, peer: Peer, compared: Compared, form: str
) -> None:
    id_form, written_as = FORMS[form]
    with start(id_form) as smsc, open_desk(smsc) as desk:
        ids = [desk.send("一", f"+86199{number:08d}")[0] for number in range(30)]
        for number, message_id in enumerate(ids):
            octets = written(written_as(message_id), "DELIVRD")
            smsc.deliver(f"86199{number:08d}", SENDER, octets, esm_class=4)
        receipts = desk.receipts(ids)
    assert {receipt.message_id: receipt.msisdn for receipt in receipts} == {
        message_id: f"+86199{number:08d}" for number, message_id in enumerate(ids)
    }
    compared(peer, "receipts with ids in another form matched", len(receipts))


OPT_OUTS = {"TD": (b"TD", 0), "退订": ("退订".encode("utf-16-be"), 8), "R": (b"R", 3)}


@pytest.mark.parametrize("text", list(OPT_OUTS))
def test_an_opt_out_arrives(smsc: Smsc, open_desk: OpenDesk, peer: Peer, compared: Compared, text: str) -> None:
    octets, data_coding = OPT_OUTS[text]
    with open_desk(smsc) as desk:
        tag = smsc.deliver("8619912345678", SENDER, octets, data_coding=data_coding)
        [message] = desk.messages(1)
        assert smsc.wait_for(1, event="answered", tag=tag, status=0)
    assert (message.msisdn, message.destination, message.text) == ("+8619912345678", SENDER, text)
    compared(peer, "opt-outs that arrived", 1)


@pytest.mark.parametrize("bits", [8, 16])
def test_a_long_message_of_a_member_is_joined(
    smsc: Smsc, open_desk: OpenDesk, peer: Peer, compared: Compared, bits: int
) -> None:
    pieces = [LONG[:60], LONG[60:120], LONG[120:180]]
    with open_desk(smsc) as desk:
        # the last comes first
        for number in (3, 1, 2):
            header = concatenation_header(7, 3, number, 8 if bits == 8 else 16)
            octets = header + pieces[number - 1].encode("utf-16-be")
            smsc.deliver("8619912345678", SENDER, octets, esm_class=0x40, data_coding=8)
        [message] = desk.messages(1)
        until(lambda: len(smsc.heard(event="answered", status=0)) == 3)
    assert message.text == LONG[:180]
    compared(peer, "long messages of members joined", 1)


MANY = 2000


def test_many_arrive_once_and_in_order(smsc: Smsc, open_desk: OpenDesk, peer: Peer, compared: Compared) -> None:
    with open_desk(smsc) as desk:
        parts = [part for number in range(MANY) for part in desk.parts("一", f"+86199{number:08d}")]
        ids = desk.accepted(parts)
        heard = smsc.wait_for(MANY, event="submit")
    assert [part["id"] for part in heard] == ids
    assert [f"+{part['destination']}" for part in heard] == [part.msisdn for part in parts]
    compared(peer, "parts through a window of 50, each once and in order", MANY)


def test_what_a_killed_centre_had_is_known_or_in_doubt(
    smsc: Smsc, peer: Peer, tmp_path: Path, compared: Compared
) -> None:
    with Desk(smsc.port, tmp_path, connect_timeout=1.0) as desk:
        parts = [part for number in range(MANY) for part in desk.parts("一", f"+86199{number:08d}")]
        killer = threading.Thread(target=lambda: (smsc.wait_for(200, event="submit"), smsc.kill()))
        killer.start()
        outcomes = desk.gateway.submit(parts)
        killer.join()
        desk.give_up()
    had = {f"+{part['destination']}": part["id"] for part in smsc.heard(event="submit")}
    assert 200 <= len(had) < MANY
    for part, outcome in zip(parts, outcomes, strict=True):
        if isinstance(outcome, Accepted):
            assert had[part.msisdn] == outcome.message_id
        elif isinstance(outcome, Unreachable):
            assert part.msisdn not in had
        else:
            assert isinstance(outcome, OutcomeUnknown)
    doubtful = sum(isinstance(outcome, OutcomeUnknown) for outcome in outcomes)
    assert doubtful <= desk.gateway.capabilities.window
    compared(peer, "parts under way when it was killed: each accepted, in doubt or certainly not handed over", MANY)


def test_a_wrong_password_is_told(smsc: Smsc, tmp_path: Path) -> None:
    desk = Desk(smsc.port, tmp_path, password="pa55w0rd")
    try:
        with pytest.raises((Misconfigured, LinkDown)) as told:
            desk.gateway.open()
    finally:
        desk.gateway.close()
    assert "password" in str(told.value)
    assert "pa55w0rd" not in str(told.value)


def test_it_asks_whether_anybody_is_there_and_says_goodbye(smsc: Smsc, open_desk: OpenDesk) -> None:
    with open_desk(smsc, enquire_link_interval=0.2):
        smsc.wait_for(2, event="enquire_link")
    assert smsc.wait_for(1, event="unbind")


def test_a_link_for_each_way(smsc: Smsc, open_desk: OpenDesk, peer: Peer, compared: Compared) -> None:
    with open_desk(smsc, mode="two_links") as desk:
        ids = desk.send("一")
        smsc.deliver(DIGITS, SENDER, written(ids[0], "DELIVRD"), esm_class=4)
        assert desk.receipts(ids)
        modes = {bind["mode"] for bind in smsc.wait_for(2, event="bind")}
    assert modes == {"transmitter", "receiver"}
    compared(peer, "receipts matched to their parts", 1)


@pytest.mark.parametrize("peer", [NODE_SMSC], ids=["node"], indirect=True)
def test_over_tls(start: Callable[..., Smsc], tmp_path: Path, compared: Compared) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    files = [tmp_path / name for name in ("key.pem", "certificate.pem", "authority.pem")]
    certificate.private_key_pem.write_to_path(files[0])
    certificate.cert_chain_pems[0].write_to_path(files[1])
    authority.cert_pem.write_to_path(files[2])
    with start("hex", *files[:2]) as smsc, Desk(smsc.port, tmp_path, tls=True, tls_ca=str(files[2])) as desk:
        ids = desk.send(LONG)
        heard = smsc.wait_for(len(ids), event="submit")
    assert "".join(part["text"] for part in heard) == LONG
    compared(NODE_SMSC, "parts over TLS", len(heard))


def test_the_encodings_of_the_texts_are_what_they_seem(tmp_path: Path) -> None:
    desk = Desk(1, tmp_path)
    assert {part.encoding for part in desk.parts(GSM)} == {Encoding.GSM7}
    assert {part.encoding for part in desk.parts(LONG)} == {Encoding.UCS2}
