from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.rehearsal.behaviour import Behaviour, IdForm
from broadcaster.rehearsal.fates import State
from broadcaster.rehearsal.letters import JOINS, TEXTS, Join, address, letter_bodies
from broadcaster.rehearsal.receipts import read_id, receipt_body, write_id
from tests.rehearsal.wire import DATA, DELIVER, Pdu

FORMS: dict[IdForm, str] = {
    "decimal": "1000000001",
    "padded": "000001000000001",
    "hex": "3b9aca01",
    "upper": "3B9ACA01",
    "hex-padded": "0000003b9aca01",
    "upper-padded": "0000003B9ACA01",
}


@pytest.mark.parametrize(("form", "text"), FORMS.items())
def test_forms_of_an_id(form: IdForm, text: str) -> None:
    assert write_id(1_000_000_001, form) == text
    assert read_id(text, form) == 1_000_000_001
    assert read_id("zz", form) is None
    # an id of this carrier in any other form is not one that it gave
    assert read_id(text + "0 ", form) is None


def body(behaviour: Behaviour, state: State = State.DELIVERED, error: int = 0) -> Pdu:
    made = receipt_body(
        behaviour,
        number=1_000_000_001,
        state=state,
        error=error,
        source=b"\0\01069\0",
        destination=b"\1\0018619900000001\0",
        submitted="2611221000",
        done="2611221001",
        text="Hello",
    )
    return Pdu(DATA if behaviour.receipt_with == "data_sm" else DELIVER, 0, 1, made)


def test_a_receipt_in_text_and_parameters() -> None:
    found = body(Behaviour(id_form="hex", receipt_id_form="decimal"))
    assert found.words == (
        "id:1000000001 sub:001 dlvrd:001 submit date:2611221000 done date:2611221001 stat:DELIVRD err:000 text:Hello"
    )
    assert found.tlvs == {0x1E: b"1000000001\0", 0x427: b"\2"}
    assert found.esm_class == 0x04
    # it goes from the phone to the sender
    assert found.body.startswith(b"\0\1\0018619900000001\0\0\01069\0")


@pytest.mark.parametrize(
    ("state", "word", "number"),
    [(State.UNDELIVERABLE, "UNDELIV", 5), (State.EXPIRED, "EXPIRED", 3), (State.REJECTED, "REJECTD", 8)],
)
def test_what_failed_has_its_code(state: State, word: str, number: int) -> None:
    found = body(Behaviour(), state, 27)
    assert f"dlvrd:000 submit date:2611221000 done date:2611221001 stat:{word} err:027" in found.words
    assert found.tlvs[0x427] == bytes((number,))
    assert found.tlvs[0x423] == b"\3\0\x1b"


def test_one_or_the_other() -> None:
    assert body(Behaviour(receipt_by="text")).tlvs == {}
    assert body(Behaviour(receipt_by="tlv")).message == b""
    assert body(Behaviour(receipt_by="tlv")).tlvs
    assert body(Behaviour(), State.ENROUTE).esm_class == 0x20


def test_by_data_sm() -> None:
    found = body(Behaviour(receipt_with="data_sm"))
    assert found.esm_class == 0x04
    assert found.tlvs[0x424].startswith(b"id:1000000001 ")
    assert found.tlvs[0x1E] == b"1000000001\0"


def put_together(bodies: list[bytes], join: Join) -> str:
    """The text of a letter as its parts tell it."""
    pieces = {}
    for each in bodies:
        part = Pdu(DELIVER, 0, 1, each)
        octets, number, total = part.message, 1, 1
        if part.esm_class & 0x40:
            header, octets = octets[: octets[0] + 1], octets[octets[0] + 1 :]
            total, number = header[-2], header[-1]
            assert len(header) == (6 if join == "udh8" else 7)
        elif 0x20E in part.tlvs:
            total, number = part.tlvs[0x20E][0], part.tlvs[0x20F][0]
        assert total == len(bodies)
        assert len(part.message) <= 140
        coding = part.body[len(part.body) - len(part.message) - 3] if not part.tlvs else 8
        pieces[number] = octets.decode("utf-16-be" if coding == 8 else "ascii")
    return "".join(pieces[number] for number in range(1, len(bodies) + 1))


@pytest.mark.parametrize("join", JOINS)
@pytest.mark.parametrize("text", [*TEXTS, "会" * 70, "会" * 71, "𠮷" * 200, "a" * 161])
def test_letters_arrive_whole(text: str, join: Join) -> None:
    bodies = letter_bodies(address("+8619900000001"), address("1069"), text, 300, join)
    assert put_together(bodies, join) == text


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=400), st.sampled_from(JOINS))
def test_any_letter_arrives_whole(text: str, join: Join) -> None:
    assert put_together(letter_bodies(address("1"), address("2"), text, 7, join), join) == text


def test_addresses() -> None:
    assert address("+8619900000001") == b"\1\0018619900000001\0"
    assert address("1069") == b"\0\0011069\0"
