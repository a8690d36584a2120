"""Strategies for the fields of PDUs as the standard bounds them, and smpplib as the second opinion on their bytes."""

from __future__ import annotations

import string
from typing import Any

import smpplib.smpp  # type: ignore[import-untyped]
from hypothesis import strategies as st

octets = st.integers(0, 255)
sequences = st.integers(1, 0x7FFFFFFF)
statuses = st.integers(0, 0xFFFFFFFF)


def c_strings(most: int) -> st.SearchStrategy[str]:
    """Texts of at most so many characters, as they stand in a C string."""
    return st.text(string.ascii_letters + string.digits + "+-_. :", max_size=most)


addresses = c_strings(20)
message_ids = c_strings(64)
texts = st.binary(max_size=254)
#: `YYMMDDhhmmsstnnp` or nothing
dates = st.sampled_from(["", "261122020304000+", "000001000000000R"])

message_fields = st.fixed_dictionaries(
    {
        "service_type": c_strings(5),
        "source_addr_ton": octets,
        "source_addr_npi": octets,
        "source_addr": addresses,
        "dest_addr_ton": octets,
        "dest_addr_npi": octets,
        "destination_addr": addresses,
        "esm_class": octets,
        "protocol_id": octets,
        "priority_flag": octets,
        "schedule_delivery_time": dates,
        "validity_period": dates,
        "registered_delivery": octets,
        "replace_if_present_flag": octets,
        "data_coding": octets,
        "sm_default_msg_id": octets,
        "short_message": texts,
    }
)
bind_fields = st.fixed_dictionaries(
    {
        "system_id": c_strings(15),
        "password": c_strings(8),
        "system_type": c_strings(12),
        "interface_version": octets,
        "addr_ton": octets,
        "addr_npi": octets,
        "address_range": c_strings(40),
    }
)


class _Client:
    """smpplib takes the sequence number from its client."""

    sequence = 1

    def next_sequence(self) -> int:
        return self.sequence


def theirs(name: str, sequence: int, status: int = 0, **fields: Any) -> bytes:
    """The PDU as smpplib writes it."""
    pdu = smpplib.smpp.make_pdu(name, client=_Client(), status=status, **fields)
    pdu.sequence = sequence
    for field, value in fields.items():
        # smpplib's constructors overwrite a few
        setattr(pdu, field, value)
    made: bytes = pdu.generate()
    return made


def as_they_read(octets: bytes) -> Any:
    """The PDU as smpplib reads it."""
    return smpplib.smpp.parse_pdu(octets, client=_Client(), allow_unknown_opt_params=True)
