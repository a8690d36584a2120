"""Parts to octets, and octets that come in to text: data codings, user data headers, SAR parameters, payload.

GSM-7 travels unpacked, one septet per octet; the centre packs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, NamedTuple

from broadcaster.gateways.contract import OutboundPart
from broadcaster.gateways.smpp.codec import Body, Deliver
from broadcaster.gateways.smpp.octets import tlv
from broadcaster.gateways.smpp.words import UDHI, DataCoding, Tag
from broadcaster.sms import Encoding, concatenation_header, user_data

Joining = Literal["udh", "sar"]
#: what a centre means by `data_coding` 0
Default = Literal["gsm7", "latin1", "ascii", "utf8", "ucs2"]

_CODINGS: Mapping[Encoding, int] = MappingProxyType(
    {
        Encoding.GSM7: DataCoding.DEFAULT,
        Encoding.ASCII: DataCoding.ASCII,
        Encoding.LATIN1: DataCoding.LATIN1,
        Encoding.UCS2: DataCoding.UCS2,
    }
)


@dataclass(frozen=True, slots=True)
class Layout:
    """How a carrier wants its parts."""

    joining: Joining = "udh"
    """Parts of one text are told by a user data header, or by the SAR parameters."""
    reference_bits: Literal[8, 16] = 8
    """Of the user data header; the SAR reference always has 16."""
    payload: bool = False
    """The text goes into `message_payload` and `short_message` stays empty."""
    data_codings: Mapping[Encoding, int] = field(default_factory=lambda: _CODINGS)


PLAIN = Layout()


def body(part: OutboundPart, layout: Layout = PLAIN) -> Body:
    """What goes into the submit_sm of a part. The text has the characters of its encoding, as `sms.split` sees to."""
    octets = user_data(part.text, part.encoding)
    data_coding = layout.data_codings[part.encoding]
    esm_class, optional = 0, b""
    if part.total > 1:
        if layout.joining == "udh":
            bits = part.reference_bits or layout.reference_bits
            reference = part.reference & ((1 << bits) - 1)
            octets = concatenation_header(reference, part.total, part.number, bits) + octets
            esm_class = UDHI
        else:
            optional = sar(part.reference & 0xFFFF, part.total, part.number)
    if layout.payload:
        return Body(esm_class, data_coding, b"", optional + tlv(Tag.MESSAGE_PAYLOAD, octets))
    return Body(esm_class, data_coding, octets, optional)


def binary(octets: bytes, user_data_header: bytes = b"") -> Body:
    """Eight bits as they are, with a user data header if one is given (its length octet included)."""
    return Body(UDHI if user_data_header else 0, DataCoding.BINARY, user_data_header + octets)


def sar(reference: int, total: int, number: int) -> bytes:
    """The three parameters that tell which part of which text it is."""
    return (
        tlv(Tag.SAR_MSG_REF_NUM, reference.to_bytes(2, "big"))
        + tlv(Tag.SAR_TOTAL_SEGMENTS, bytes((total,)))
        + tlv(Tag.SAR_SEGMENT_SEQNUM, bytes((number,)))
    )


class Concatenation(NamedTuple):
    """Which part of which text it is."""

    reference: int
    total: int
    number: int
    bits: int
    """8 or 16: the same number in the other width is another text."""


class Incoming(NamedTuple):
    """The text of a deliver_sm, as octets without its header: parts are joined before they are read."""

    octets: bytes
    charset: str
    """Of `sms.decode`."""
    part: Concatenation | None


def incoming(told: Deliver, default: Default = "gsm7") -> Incoming:
    """Find the text and which part it is. Reads everything: what makes no sense as a header is text."""
    octets, part = told.octets, None
    if told.esm_class & UDHI:
        octets, part = _without_header(octets)
    if part is None and Tag.SAR_MSG_REF_NUM in told.tlvs:
        part = _sar(told.tlvs)
    return Incoming(octets, charset(told.data_coding, default), part)


_CHARSETS: Mapping[int, str] = MappingProxyType(
    {
        # some set the eighth bit all the same
        DataCoding.ASCII: "latin-1",
        DataCoding.OCTETS: "binary",
        DataCoding.LATIN1: "latin-1",
        DataCoding.BINARY: "binary",
        DataCoding.JIS: "shift_jis",
        DataCoding.CYRILLIC: "iso8859-5",
        DataCoding.HEBREW: "iso8859-8",
        DataCoding.UCS2: "utf-16-be",
        DataCoding.ISO2022_JP: "iso2022_jp",
        DataCoding.KOREAN: "euc_kr",
        DataCoding.GB: "gb18030",
    }
)
_DEFAULTS: Mapping[Default, str] = MappingProxyType(
    {"gsm7": "gsm7", "latin1": "latin-1", "ascii": "latin-1", "utf8": "utf-8", "ucs2": "utf-16-be"}
)
#: bits 3 and 2 of a GSM data coding scheme (3GPP 23.038, 4), which many centres pass on as it came
_GSM_CHARSETS = ("gsm7", "binary", "utf-16-be", "gsm7")


def charset(data_coding: int, default: Default = "gsm7") -> str:
    """The name that `sms.decode` takes for a `data_coding`."""
    if data_coding == DataCoding.DEFAULT:
        return _DEFAULTS[default]
    known = _CHARSETS.get(data_coding)
    if known:
        return known
    group = data_coding >> 4
    if group in (0x0, 0x1, 0x4, 0x5):
        return _GSM_CHARSETS[data_coding >> 2 & 3]
    if group == 0xE:
        return "utf-16-be"
    if group == 0xF:
        return "binary" if data_coding & 4 else "gsm7"
    return "gsm7"


def _without_header(octets: bytes) -> tuple[bytes, Concatenation | None]:
    end = octets[0] + 1 if octets else 0
    if not octets or end > len(octets):
        return octets, None
    part, at = None, 1
    while at + 2 <= end:
        kind, size = octets[at], octets[at + 1]
        value = octets[at + 2 : at + 2 + size]
        at += 2 + size
        if at > end:
            break
        # the last one counts (3GPP 23.040, 9.2.3.24)
        if kind == 0x00 and len(value) == 3:
            part = _part(value[0], value[1], value[2], 8) or part
        elif kind == 0x08 and len(value) == 4:
            part = _part(value[0] << 8 | value[1], value[2], value[3], 16) or part
    return octets[end:], part


def _sar(tlvs: Mapping[int, bytes]) -> Concatenation | None:
    reference, total, number = (
        int.from_bytes(tlvs.get(tag, b"")[:2], "big")
        for tag in (Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM)
    )
    return _part(reference, total, number, 16)


def _part(reference: int, total: int, number: int, bits: int) -> Concatenation | None:
    """None for the only part of a text, and for what cannot be."""
    if total < 2 or not 1 <= number <= total <= 255:
        return None
    return Concatenation(reference, total, number, bits)
