from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcaster.gateways.smpp import tables
from broadcaster.gateways.smpp.codec import Body, SubmitEncoder, bare, deliver, deliver_answer, submit_answer
from broadcaster.gateways.smpp.octets import Malformed, head, tlv
from broadcaster.gateways.smpp.words import Command, Tag
from tests.gateways.smpp import pdus
from tests.gateways.smpp.pdus import as_they_read, theirs

FEW = settings(max_examples=150)


@FEW
@given(pdus.message_fields.map(lambda fields: {**fields, "schedule_delivery_time": ""}), pdus.sequences)
def test_a_submit_is_what_smpplib_writes(fields: dict[str, Any], sequence: int) -> None:
    encoder = SubmitEncoder(
        service_type=fields["service_type"],
        destination_ton=fields["dest_addr_ton"],
        destination_npi=fields["dest_addr_npi"],
        protocol_id=fields["protocol_id"],
        priority=fields["priority_flag"],
        validity_period=fields["validity_period"],
        registered_delivery=fields["registered_delivery"],
        replace_if_present=fields["replace_if_present_flag"],
    )
    body = Body(fields["esm_class"], fields["data_coding"], fields["short_message"])
    source = fields["source_addr"], fields["source_addr_ton"], fields["source_addr_npi"]
    for _ in range(2):
        ours = encoder.encode(sequence, source[0], fields["destination_addr"], body, *source[1:])
        assert ours == theirs("submit_sm", sequence, **{**fields, "sm_default_msg_id": 0})


@FEW
@given(st.integers(0, 0xFFFF), st.integers(2, 255), st.binary(min_size=1, max_size=260))
def test_parameters_of_a_submit_are_what_smpplib_writes(reference: int, total: int, payload: bytes) -> None:
    given_tlvs = {
        "sar_msg_ref_num": reference,
        "sar_total_segments": total,
        "sar_segment_seqnum": 1,
        "message_payload": payload,
    }
    optional = tlv(Tag.SAR_MSG_REF_NUM, reference.to_bytes(2, "big")) + tlv(Tag.SAR_TOTAL_SEGMENTS, bytes([total]))
    optional += tlv(Tag.SAR_SEGMENT_SEQNUM, b"\1") + tlv(Tag.MESSAGE_PAYLOAD, payload)
    ours = SubmitEncoder().encode(3, "1069", "8619900000001", Body(0, 8, b"", optional))
    addresses = {"source_addr": "1069", "dest_addr_ton": 1, "dest_addr_npi": 1, "destination_addr": "8619900000001"}
    assert ours == theirs("submit_sm", 3, **addresses, data_coding=8, registered_delivery=1, **given_tlvs)


@pytest.mark.parametrize(
    ("source", "destination", "text"),
    [
        ("1" * 21, "8619900000001", b""),
        ("1069", "1" * 21, b""),
        ("1069", "861990000\0", b""),
        ("10\0", "8619900000001", b""),
        ("报", "8619900000001", b""),
        ("1069", "８６１９９", b""),
        ("1069", "8619900000001", bytes(255)),
    ],
)
def test_what_does_not_fit_into_a_submit_is_refused(source: str, destination: str, text: bytes) -> None:
    with pytest.raises(ValueError):
        SubmitEncoder().encode(1, source, destination, Body(0, 0, text))


@pytest.mark.parametrize("wrong", [{"service_type": "123456"}, {"validity_period": "261122"}, {"priority": 256}])
def test_a_link_that_cannot_be_is_refused_before_the_first_submit(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        SubmitEncoder(**wrong)


def test_many_senders_do_not_fill_the_memory() -> None:
    encoder = SubmitEncoder()
    for number in range(2500):
        encoder.encode(1, f"1069{number}", "8619900000001", Body(0, 0, b"a"))
    assert len(encoder._heads) <= 1000


@FEW
@given(pdus.message_ids, pdus.sequences, pdus.statuses)
def test_an_answer_of_smpplib_is_read(message_id: str, sequence: int, status: int) -> None:
    answer = submit_answer(theirs("submit_sm_resp", sequence, status, message_id=message_id))
    assert answer == (sequence, status, message_id, {})


def test_an_answer_without_a_body_has_no_id() -> None:
    assert submit_answer(bare(Command.SUBMIT_SM_RESP, 9, 0x58)) == (9, 0x58, "", {})


def test_an_answer_may_have_parameters_that_nobody_knows() -> None:
    fields = {"message_id": "a1"}
    pdu = tables.encode(Command.SUBMIT_SM_RESP, 9, fields, tlvs={0x001D: b"too long\0", 0x1500: b"?"})
    assert submit_answer(pdu) == (9, 0, "a1", {0x001D: b"too long\0", 0x1500: b"?"})


def with_length(pdu: bytes) -> bytes:
    return len(pdu).to_bytes(4, "big") + pdu[4:]


def test_an_id_without_an_end_is_refused_and_its_sequence_told() -> None:
    with pytest.raises(Malformed) as caught:
        submit_answer(with_length(bare(Command.SUBMIT_SM_RESP, 77) + b"abc"))
    assert caught.value.sequence == 77


def test_a_no_is_read_whatever_its_body() -> None:
    assert submit_answer(with_length(bare(Command.SUBMIT_SM_RESP, 77, 0x58) + b"abc")) == (77, 0x58, "", {})


def test_rubbish_behind_the_id_does_not_make_a_yes_doubtful() -> None:
    pdu = tables.encode(Command.SUBMIT_SM_RESP, 9, {"message_id": "a1"})
    for rest in (b"\1", b"\0\0\0", b"\4\x24\xff\xff"):
        assert submit_answer(with_length(pdu + rest)) == (9, 0, "a1", {})


@FEW
@given(pdus.message_fields, pdus.sequences, st.booleans())
def test_a_deliver_of_smpplib_is_read(fields: dict[str, Any], sequence: int, with_tlvs: bool) -> None:
    optional = {"message_state": 2, "receipted_message_id": "0a1"} if with_tlvs else {}
    told = deliver(theirs("deliver_sm", sequence, **fields, **optional))
    assert told == (
        Command.DELIVER_SM,
        sequence,
        fields["source_addr_ton"],
        fields["source_addr"],
        fields["dest_addr_ton"],
        fields["destination_addr"],
        fields["esm_class"],
        fields["data_coding"],
        fields["short_message"],
        {Tag.MESSAGE_STATE: b"\2", Tag.RECEIPTED_MESSAGE_ID: b"0a1\0"} if with_tlvs else {},
    )


@FEW
@given(pdus.addresses, pdus.addresses, pdus.octets, st.binary(min_size=1, max_size=300))
def test_a_data_sm_of_smpplib_is_read(source: str, destination: str, octet: int, payload: bytes) -> None:
    told = deliver(
        theirs(
            "data_sm",
            5,
            source_addr=source,
            source_addr_ton=octet,
            destination_addr=destination,
            esm_class=octet,
            data_coding=octet,
            message_payload=payload,
        )
    )
    assert (told.command, told.source, told.destination) == (Command.DATA_SM, source, destination)
    assert (told.source_ton, told.esm_class, told.data_coding) == (octet, octet, octet)
    assert told.octets == payload


def test_long_addresses_of_sloppy_carriers_are_read() -> None:
    pdu = tables.encode(Command.DELIVER_SM, 1, {"source_addr": "8" * 40, "destination_addr": "9" * 60})
    assert deliver(pdu).source == "8" * 40


def deliver_pdu(**fields: Any) -> bytes:
    return tables.encode(Command.DELIVER_SM, 31, {"source_addr": "8619900000001", **fields}, tlvs={0x1500: b"abc"})


def test_what_is_cut_off_is_refused_wherever_it_ends() -> None:
    whole = deliver_pdu(short_message=b"hello")
    ends = range(16, len(whole))
    # behind the text and before its parameters there is nothing to miss
    between = len(whole) - len(tlv(0x1500, b"abc"))
    for end in ends:
        if end == between:
            assert deliver(with_length(whole[:end])).short_message == b"hello"
            continue
        with pytest.raises(Malformed) as caught:
            deliver(with_length(whole[:end]))
        assert caught.value.sequence == 31


@pytest.mark.parametrize("rest", [b"\0", b"\0\0\0"])
def test_zeros_at_the_end_are_let_pass(rest: bytes) -> None:
    assert deliver(with_length(deliver_pdu() + rest)).tlvs == {0x1500: b"abc"}


@pytest.mark.parametrize("rest", [b"\1", b"\4\x24\0\5abcd", b"\4\x24\xff\xff"])
def test_parameters_beyond_the_end_are_refused(rest: bytes) -> None:
    with pytest.raises(Malformed):
        deliver(with_length(deliver_pdu() + rest))


@given(pdus.sequences, st.sampled_from([0, 8, 0x64]))
def test_acknowledgements_are_what_smpplib_writes(sequence: int, status: int) -> None:
    told = deliver(theirs("deliver_sm", sequence))
    assert deliver_answer(told, status) == theirs("deliver_sm_resp", sequence, status, message_id="")
    told = deliver(theirs("data_sm", sequence))
    assert deliver_answer(told, status) == theirs("data_sm_resp", sequence, status, message_id="")


@given(pdus.sequences)
def test_bare_pdus_are_what_smpplib_writes(sequence: int) -> None:
    for name in ("enquire_link", "enquire_link_resp", "unbind", "unbind_resp", "generic_nack"):
        ours = bare(Command[name.upper()], sequence, 3 if name == "generic_nack" else 0)
        assert ours == theirs(name, sequence, 3 if name == "generic_nack" else 0)
        assert head(ours) == (Command[name.upper()], 3 if name == "generic_nack" else 0, sequence)


@FEW
@given(pdus.addresses, pdus.texts.filter(bool), pdus.octets)
def test_smpplib_reads_our_submit(destination: str, text: bytes, data_coding: int) -> None:
    made = SubmitEncoder().encode(8, "1069", destination, Body(0x40, data_coding, text), 3, 0)
    read = as_they_read(made)
    assert (read.command, read.sequence, read.short_message) == ("submit_sm", 8, text)
    assert (read.destination_addr, read.source_addr) == (destination.encode(), b"1069")
    assert (read.data_coding, read.esm_class, read.source_addr_ton, read.registered_delivery) == (
        data_coding,
        0x40,
        3,
        1,
    )
