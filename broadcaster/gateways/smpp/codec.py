"""The PDUs that come by the thousand: submit_sm and its answer, deliver_sm and data_sm and theirs.

A few C-level operations each; `benchmarks/smpp_codec.py` measures them. Everything else is in `tables`. Tolerant where
carriers are sloppy: an answer may lack its body, a string may be longer than the standard allows, tags nobody knows
are kept.
"""

from __future__ import annotations

import contextlib
import re
from typing import NamedTuple

from broadcaster.gateways.smpp.octets import HEADER, Malformed, c_string, header, tlvs
from broadcaster.gateways.smpp.words import RESPONSE, Command, Tag

_SKIPPED = rb"[^\0]{0,255}\0"
#: service type; for each address its type of number, plan and digits
_FROM_TO = _SKIPPED + rb"(.).([^\0]{0,255})\0" * 2
#: up to the text: `esm_class`, `data_coding`, `sm_length`; between them what a receiver does not need
_DELIVER = re.compile(_FROM_TO + rb"(.).." + _SKIPPED * 2 + rb"..(.).(.)", re.DOTALL)
_DATA = re.compile(_FROM_TO + rb"(.).(.)()", re.DOTALL)


#: a named tuple of its values, at half of what its own constructor takes
_made = tuple.__new__


class SubmitAnswer(NamedTuple):
    """`submit_sm_resp`: the status, and the id if there is one."""

    sequence: int
    status: int
    message_id: str
    tlvs: dict[int, bytes]


class Deliver(NamedTuple):
    """`deliver_sm` or `data_sm`: a receipt or a message."""

    command: int
    sequence: int
    source_ton: int
    source: str
    destination_ton: int
    destination: str
    esm_class: int
    data_coding: int
    short_message: bytes
    tlvs: dict[int, bytes]

    @property
    def octets(self) -> bytes:
        """The text with its user data header, wherever it stands."""
        return self.short_message or self.tlvs.get(Tag.MESSAGE_PAYLOAD, b"")


class Body(NamedTuple):
    """What of a part goes into a submit_sm. `texts.body` makes it."""

    esm_class: int
    data_coding: int
    short_message: bytes
    tlvs: bytes = b""
    """Ready for the wire: `octets.tlv(...)`, one after another."""


def submit_answer(pdu: bytes) -> SubmitAnswer:
    """Read a submit_sm_resp. Raises `Malformed` when it says yes and its id has no end.

    A no needs no body, and rubbish behind the id takes nothing from what stands before it.
    """
    length, _, status, sequence = header.unpack_from(pdu)
    if length == HEADER:
        return SubmitAnswer(sequence, status, "", {})
    end = pdu.find(0, HEADER)
    if end < 0:
        if status:
            return SubmitAnswer(sequence, status, "", {})
        raise Malformed("submit_sm_resp: message_id has no end", pdu)
    optional: dict[int, bytes] = {}
    if length > end + 1:
        with contextlib.suppress(Malformed):
            optional = tlvs(pdu, end + 1)
    return _made(SubmitAnswer, (sequence, status, str(pdu[HEADER:end], "latin-1"), optional))


def deliver(pdu: bytes) -> Deliver:
    """Read a deliver_sm or a data_sm. Raises `Malformed`."""
    _, command, _, sequence = header.unpack_from(pdu)
    found = (_DATA if command == Command.DATA_SM else _DELIVER).match(pdu, HEADER)
    if found is None:
        raise Malformed("a field has no end", pdu)
    source_ton, source, destination_ton, destination, esm_class, data_coding, length = found.groups()
    start = found.end()
    end = start + length[0] if length else start
    if end > len(pdu):
        raise Malformed("the text is shorter than sm_length says", pdu)
    return _made(
        Deliver,
        (
            command,
            sequence,
            source_ton[0],
            str(source, "latin-1"),
            destination_ton[0],
            str(destination, "latin-1"),
            esm_class[0],
            data_coding[0],
            pdu[start:end],
            tlvs(pdu, end) if end < len(pdu) else {},
        ),
    )


def deliver_answer(told: Deliver, status: int = 0) -> bytes:
    """The deliver_sm_resp or data_sm_resp that acknowledges, or refuses with a status."""
    return header.pack(HEADER + 1, told.command | RESPONSE, status, told.sequence) + b"\0"


def bare(command: int, sequence: int, status: int = 0) -> bytes:
    """A PDU without a body: enquire_link, unbind, their answers, generic_nack."""
    return header.pack(HEADER, command, status, sequence)


class SubmitEncoder:
    """Writes submit_sm. What is the same for every part of a link is put together once."""

    def __init__(
        self,
        *,
        service_type: str = "",
        destination_ton: int = 1,
        destination_npi: int = 1,
        protocol_id: int = 0,
        priority: int = 0,
        validity_period: str = "",
        registered_delivery: int = 1,
        replace_if_present: int = 0,
    ) -> None:
        """Raises ValueError for a `service_type` above 5 characters or a `validity_period` of other than 0 or 16."""
        if len(validity_period) not in (0, 16):
            raise ValueError("a validity period has 16 characters")
        self._service_type = c_string(service_type, 5)
        self._destination = bytes((destination_ton, destination_npi))
        self._before = bytes((protocol_id, priority)) + b"\0" + c_string(validity_period, 16)
        self._before += bytes((registered_delivery, replace_if_present))
        self._heads: dict[tuple[str, int, int], bytes] = {}
        self._middles: dict[tuple[int, int], bytes] = {}

    def encode(
        self, sequence: int, source: str, destination: str, body: Body, source_ton: int = 0, source_npi: int = 0
    ) -> bytes:
        """One submit_sm. Raises ValueError for an address above 20 characters or not in ASCII, a text above 254."""
        key = (source, source_ton, source_npi)
        start = self._heads.get(key)
        if start is None:
            start = self._head(*key)
        esm_class, data_coding, text, optional = body
        middle = self._middles.get((esm_class, data_coding))
        if middle is None:
            middle = self._middle(esm_class, data_coding)
        if len(destination) > 20 or "\0" in destination or len(text) > 254:
            raise ValueError("an address has 20 characters at most, a text 254 octets")
        rest = b"%b%b%b%c%b%b" % (start, destination.encode("ascii"), middle, len(text), text, optional)
        return header.pack(HEADER + len(rest), 4, 0, sequence) + rest

    def _head(self, source: str, ton: int, npi: int) -> bytes:
        if len(self._heads) >= 1000:
            # one per branch and task at most; whoever has more shall not fill the memory
            self._heads.clear()
        made = self._service_type + bytes((ton, npi)) + c_string(source, 20) + self._destination
        self._heads[source, ton, npi] = made
        return made

    def _middle(self, esm_class: int, data_coding: int) -> bytes:
        made = b"\0" + bytes((esm_class,)) + self._before + bytes((data_coding, 0))
        self._middles[esm_class, data_coding] = made
        return made
