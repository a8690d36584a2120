"""Receipts as carriers write them: the parameters, the text, the forms of an id. Pure."""

from __future__ import annotations

from broadcaster.rehearsal import pdu
from broadcaster.rehearsal.behaviour import Behaviour, IdForm
from broadcaster.rehearsal.fates import State
from broadcaster.rehearsal.pdu import Tag, tlv

_WORDS = {
    State.ENROUTE: "ENROUTE",
    State.DELIVERED: "DELIVRD",
    State.EXPIRED: "EXPIRED",
    State.DELETED: "DELETED",
    State.UNDELIVERABLE: "UNDELIV",
    State.ACCEPTED: "ACCEPTD",
    State.UNKNOWN: "UNKNOWN",
    State.REJECTED: "REJECTD",
}
_FORMS: dict[IdForm, str] = {
    "decimal": "d",
    "padded": "015d",
    "hex": "x",
    "upper": "X",
    "hex-padded": "014x",
    "upper-padded": "014X",
}
#: network_error_code of a GSM network
_GSM = b"\x03"


def write_id(number: int, form: IdForm) -> str:
    """A message id in one of its forms.

    >>> write_id(1000000001, "upper")
    '3B9ACA01'
    """
    return format(number, _FORMS[form])


def read_id(text: str, form: IdForm) -> int | None:
    """The number of an id that `write_id` wrote in that form."""
    try:
        number = int(text, 10 if form in ("decimal", "padded") else 16)
    except ValueError:
        return None
    return number if write_id(number, form) == text else None


def receipt_body(
    behaviour: Behaviour,
    *,
    number: int,
    state: State,
    error: int,
    source: bytes,
    destination: bytes,
    submitted: str,
    done: str,
    text: str,
) -> bytes:
    """The body of a receipt for a part that went from `source` to `destination`; times as YYMMDDhhmm.

    A receipt on the way is marked as such, as the specification has it.
    """
    message_id = write_id(number, behaviour.receipt_id_form or behaviour.id_form)
    words, tlvs = b"", b""
    if behaviour.receipt_by != "tlv":
        delivered = "001" if state is State.DELIVERED else "000"
        words = (
            f"id:{message_id} sub:001 dlvrd:{delivered} submit date:{submitted} done date:{done} "
            f"stat:{_WORDS[state]} err:{error:03d} text:{text}"
        ).encode("ascii", "replace")
    if behaviour.receipt_by != "text":
        tlvs = tlv(Tag.RECEIPTED_MESSAGE_ID, message_id.encode() + b"\0") + tlv(Tag.MESSAGE_STATE, bytes((state,)))
        if error:
            tlvs += tlv(Tag.NETWORK_ERROR_CODE, _GSM + error.to_bytes(2))
    write = pdu.data if behaviour.receipt_with == "data_sm" else pdu.deliver
    kind = pdu.INTERMEDIATE if state is State.ENROUTE else pdu.RECEIPT
    # it goes back the way the message came
    return write(destination, source, kind, 0, words, tlvs)
