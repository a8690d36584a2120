"""aiosmpplib as a client of our simulated carrier: texts arrive whole, receipts and messages are understood."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from broadcaster.rehearsal.behaviour import Behaviour
from broadcaster.rehearsal.running import Rehearsal, rehearsing
from tests.peers.fetch import AIO_CLIENT, Compared
from tests.peers.programs import Program, until

LONG = "【东城快报】寻㐂、𠮷田、䶮、𪚥四位老师：" + "满座皆欢😀" * 94 + "，退订回R"
TEXTS = {
    "short": "Meeting at 18:00 {hall 2} [bring €5] ~ ^ \\ | @£$¥èé_",
    "chinese": "明日上午九时在二楼会议室开会，请带好证件。",
    "rare": "𠮷野家 㐂 䶮 𪚥 😀 👨‍👩‍👧‍👦",
    "long": LONG,
    "long latin": "All members meet at six. " * 20,
}
#: what befalls a share of the recipients, and how the receipts then say it
FATES = {"DELIVRD": {}, "UNDELIV": {"undelivered": 1.0}, "EXPIRED": {"expired": 1.0}, "REJECTD": {"rejected": 1.0}}


@pytest.fixture
def carrier(tmp_path: Path) -> Iterator[Rehearsal]:
    who = Behaviour(system_id="desk", password="secret", receipt_delay=0.05)
    with rehearsing(tmp_path / "accepted.jsonl", who) as carrier:
        yield carrier


@pytest.fixture
def client(carrier: Rehearsal, aio_client_home: Path) -> Iterator[Program]:
    python = aio_client_home / "environment" / "bin" / "python"
    with Program([python, Path(__file__).with_name("client_aio.py"), str(carrier.port)]) as client:
        until(lambda: carrier.counts().binds == 1)
        yield client


def send(client: Program, log_id: str, text: str, *, cut: bool = True) -> None:
    client.tell({"log_id": log_id, "text": text, "cut": cut, "destination": "8619900000001"})


@pytest.mark.parametrize("cut", [True, False], ids=["cut", "payload"])
def test_its_texts_arrive_whole_and_come_back_as_receipts(
    client: Program, carrier: Rehearsal, compared: Compared, cut: bool
) -> None:
    for name, text in TEXTS.items():
        send(client, name, text, cut=cut)
        client.wait_for(1, event="answer", log_id=name, status=0)
        # about a text in parts it tells of the last receipt only, when all are there
        [receipt] = client.wait_for(1, event="receipt", log_id=name)
        assert (receipt["stat"], receipt["state"]) == ("DELIVRD", 2)
    accepted = carrier.accepted()
    assert "".join(part["text"] for part in accepted) == "".join(TEXTS.values())
    assert {part["destination"] for part in accepted} == {"8619900000001"}
    assert (max(part["total"] for part in accepted) > 1) is cut
    assert not client.heard(event="failed")
    compared(AIO_CLIENT, "texts that reached our carrier whole", len(TEXTS))
    compared(AIO_CLIENT, "receipts of ours that it matched to its texts", len(TEXTS))


# EXPIRED comes with error 254: it takes the octets of network_error_code for a text, and those are none
@pytest.mark.parametrize(
    ("stat", "receipt_by"),
    [(stat, by) for stat in FATES for by in ("both", "text") if (stat, by) != ("EXPIRED", "both")],
)
def test_it_reads_every_state(
    client: Program, carrier: Rehearsal, compared: Compared, stat: str, receipt_by: str
) -> None:
    carrier.behave(receipt_by=receipt_by, **FATES[stat])
    send(client, "one", "一")
    [receipt] = client.wait_for(1, event="receipt", log_id="one")
    assert receipt["stat"] == stat
    compared(AIO_CLIENT, "states of receipts that it read as meant", 1)


@pytest.mark.parametrize("form", ["decimal", "padded", "hex", "upper", "hex-padded", "upper-padded"])
def test_it_matches_every_form_of_id(client: Program, carrier: Rehearsal, compared: Compared, form: str) -> None:
    carrier.behave(id_form=form)
    send(client, "one", "一")
    assert client.wait_for(1, event="receipt", log_id="one")
    compared(AIO_CLIENT, "forms of ids that it matched", 1)


# 16-bit references are left out: this version of it reads four octets for the reference and never joins the parts
@pytest.mark.parametrize("join", ["udh8", "sar"])
@pytest.mark.parametrize("text", ["TD", "退订", LONG], ids=["latin", "chinese", "long"])
def test_it_joins_what_members_write(
    client: Program, carrier: Rehearsal, compared: Compared, text: str, join: str
) -> None:
    carrier.say("8619912345678", text, destination="10690000", system_id="desk", join=join)  # type: ignore[arg-type]
    [message] = client.wait_for(1, event="message")
    assert message["text"] == text
    until(lambda: carrier.counts().mo_acknowledged == carrier.counts().mo_parts)
    compared(AIO_CLIENT, "messages of members that it read whole", 1)


def test_a_throttled_text_is_told_so(client: Program, carrier: Rehearsal) -> None:
    carrier.behave(throttle=1.0)
    send(client, "one", "一")
    assert client.wait_for(1, event="answer", log_id="one", status=0x58)
    assert not carrier.accepted()
