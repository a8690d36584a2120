from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcaster.gateways.smpp.octets import HEADER, Malformed
from broadcaster.gateways.smpp.tables import LAYOUTS, OCTET, TEXT, decode, encode
from broadcaster.gateways.smpp.words import RESPONSE, Command, Tag
from tests.gateways.smpp import pdus
from tests.gateways.smpp.pdus import as_they_read, theirs

FEW = settings(max_examples=100)
BINDS = ("bind_transmitter", "bind_receiver", "bind_transceiver")


@FEW
@given(st.sampled_from(BINDS), pdus.bind_fields, pdus.sequences)
def test_binds_are_what_smpplib_writes(name: str, fields: dict[str, Any], sequence: int) -> None:
    made = encode(Command[name.upper()], sequence, fields)
    assert made == theirs(name, sequence, **fields)
    read = as_they_read(made)
    assert (read.system_id, read.password) == (fields["system_id"].encode(), fields["password"].encode())


@FEW
@given(st.sampled_from(BINDS), pdus.c_strings(15), pdus.octets.filter(bool), pdus.statuses)
def test_answers_to_binds_are_what_smpplib_writes(name: str, system_id: str, version: int, status: int) -> None:
    command = Command[f"{name}_RESP".upper()]
    tlvs = {Tag.SC_INTERFACE_VERSION: bytes([version])}
    made = encode(command, 4, {"system_id": system_id}, status=status, tlvs=tlvs)
    assert made == theirs(f"{name}_resp", 4, status, system_id=system_id, sc_interface_version=version)
    assert decode(made) == (command, status, 4, {"system_id": system_id}, tlvs)


@FEW
@given(pdus.message_fields, pdus.sequences, st.sampled_from(["submit_sm", "deliver_sm"]))
def test_messages_are_what_smpplib_writes_and_reads(fields: dict[str, Any], sequence: int, name: str) -> None:
    made = encode(Command[name.upper()], sequence, fields)
    assert made == theirs(name, sequence, **fields)
    read = as_they_read(made)
    for field, value in fields.items():
        there = getattr(read, field)
        assert (value.encode() if isinstance(value, str) else value) == (there if there is not None else b"")


@FEW
@given(pdus.message_ids.filter(bool), pdus.addresses, pdus.octets)
def test_a_query_is_what_smpplib_writes(message_id: str, source: str, octet: int) -> None:
    fields = {"message_id": message_id, "source_addr_ton": octet, "source_addr_npi": 1, "source_addr": source}
    assert encode(Command.QUERY_SM, 6, fields) == theirs("query_sm", 6, **fields)


def test_the_answer_to_a_query_is_read() -> None:
    fields = {"message_id": "0a", "final_date": "261122020304000+", "message_state": 2, "error_code": 0}
    assert decode(encode(Command.QUERY_SM_RESP, 6, fields)).fields == fields


VALUES = {OCTET: pdus.octets, TEXT: pdus.texts}


@settings(max_examples=300)
@given(st.data())
def test_every_pdu_comes_back_as_it_was(data: st.DataObject) -> None:
    command = data.draw(st.sampled_from(sorted(LAYOUTS)))
    characters = st.characters(max_codepoint=255, exclude_characters="\0")
    fields = {
        name: data.draw(VALUES[size] if size <= 0 else st.text(characters, max_size=size - 1))
        for name, size in LAYOUTS[command]
    }
    tlvs = data.draw(st.dictionaries(st.integers(1, 0xFFFF), st.binary(max_size=300), max_size=5))
    sequence, status = data.draw(pdus.sequences), data.draw(pdus.statuses)
    made = encode(command, sequence, fields, status=status, tlvs=tlvs)
    assert int.from_bytes(made[:4], "big") == len(made)
    read = decode(made)
    if len(made) == HEADER and command & RESPONSE:
        assert read == (command, status, sequence, {}, {})
    else:
        assert read == (command, status, sequence, fields, tlvs)


def test_every_command_of_the_list_has_a_layout() -> None:
    assert set(LAYOUTS) == set(Command)


@pytest.mark.parametrize("command", [each for each in LAYOUTS if each & RESPONSE])
def test_a_response_may_lack_its_body(command: int) -> None:
    made = encode(command, 5, status=8)[:HEADER]
    assert decode(HEADER.to_bytes(4, "big") + made[4:]) == (command, 8, 5, {}, {})


def test_an_error_may_lack_the_end_of_its_body() -> None:
    whole = encode(Command.QUERY_SM_RESP, 5, {"message_id": "a"}, status=0x67)
    assert decode(whole[: HEADER + 2]).fields == {"message_id": "a"}
    with pytest.raises(Malformed):
        decode(encode(Command.QUERY_SM_RESP, 5, {"message_id": "a"})[: HEADER + 2])


def test_a_command_nobody_knows_is_told_with_its_sequence() -> None:
    with pytest.raises(Malformed) as caught:
        decode(b"\0\0\0\x10\0\1\2\3\0\0\0\0\0\0\0\x2a")
    assert (caught.value.command, caught.value.sequence) == (0x00010203, 42)


@pytest.mark.parametrize(
    "fields",
    [{"system_id": "x" * 16}, {"password": "geheim\0"}, {"addr_ton": 256}, {"system_id": "报"}, {"nothing": 1}],
)
def test_what_does_not_fit_is_refused_without_being_shown(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError) as caught:
        encode(Command.BIND_TRANSCEIVER, 1, fields)
    assert "geheim" not in str(caught.value)


def test_a_text_that_is_too_long_for_its_length_is_refused() -> None:
    with pytest.raises(ValueError):
        encode(Command.SUBMIT_SM, 1, {"short_message": bytes(256)})
