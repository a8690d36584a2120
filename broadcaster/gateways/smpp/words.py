"""The numbers of SMPP 3.4: commands, tags of optional parameters, data codings, bits of `esm_class`."""

from __future__ import annotations

from enum import IntEnum


class Command(IntEnum):
    """`command_id`. A response is its request with the highest bit set."""

    BIND_RECEIVER = 0x00000001
    BIND_TRANSMITTER = 0x00000002
    QUERY_SM = 0x00000003
    SUBMIT_SM = 0x00000004
    DELIVER_SM = 0x00000005
    UNBIND = 0x00000006
    CANCEL_SM = 0x00000008
    BIND_TRANSCEIVER = 0x00000009
    OUTBIND = 0x0000000B
    ENQUIRE_LINK = 0x00000015
    ALERT_NOTIFICATION = 0x00000102
    DATA_SM = 0x00000103
    GENERIC_NACK = 0x80000000
    BIND_RECEIVER_RESP = 0x80000001
    BIND_TRANSMITTER_RESP = 0x80000002
    QUERY_SM_RESP = 0x80000003
    SUBMIT_SM_RESP = 0x80000004
    DELIVER_SM_RESP = 0x80000005
    UNBIND_RESP = 0x80000006
    CANCEL_SM_RESP = 0x80000008
    BIND_TRANSCEIVER_RESP = 0x80000009
    ENQUIRE_LINK_RESP = 0x80000015
    DATA_SM_RESP = 0x80000103


RESPONSE = 0x80000000
"""The bit of `command_id` that makes it a response."""


class Tag(IntEnum):
    """The optional parameters (TLVs) that are read or written here; others are kept by their number."""

    ADDITIONAL_STATUS_INFO_TEXT = 0x001D
    RECEIPTED_MESSAGE_ID = 0x001E
    USER_MESSAGE_REFERENCE = 0x0204
    SAR_MSG_REF_NUM = 0x020C
    SAR_TOTAL_SEGMENTS = 0x020E
    SAR_SEGMENT_SEQNUM = 0x020F
    SC_INTERFACE_VERSION = 0x0210
    NETWORK_ERROR_CODE = 0x0423
    MESSAGE_PAYLOAD = 0x0424
    MESSAGE_STATE = 0x0427


class DataCoding(IntEnum):
    """`data_coding`, as far as it has a name of its own."""

    DEFAULT = 0x00
    """What the centre makes of it: GSM-7 mostly, Latin-1 or ASCII with some."""
    ASCII = 0x01
    OCTETS = 0x02
    LATIN1 = 0x03
    BINARY = 0x04
    JIS = 0x05
    CYRILLIC = 0x06
    HEBREW = 0x07
    UCS2 = 0x08
    ISO2022_JP = 0x0A
    KOREAN = 0x0E
    GB = 0x0F
    """Reserved in SMPP; the Chinese protocols call GB 18030 so, and centres that bridge them pass it on."""


UDHI = 0x40
"""Bit of `esm_class`: the text begins with a user data header."""
MESSAGE_TYPE = 0x3C
"""The bits of `esm_class` that say what a deliver_sm is."""
RECEIPT = 0x04
INTERMEDIATE = 0x20
