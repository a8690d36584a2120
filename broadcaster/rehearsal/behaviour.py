"""How the carrier behaves: well, unless told otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from broadcaster.rehearsal.alphabets import DefaultAlphabet
from subscribers.errors import Invalid

#: how a message id is written: 1000000001, 000001000000001, 3b9aca01, 3B9ACA01, 0000003b9aca01, 0000003B9ACA01
IdForm = Literal["decimal", "padded", "hex", "upper", "hex-padded", "upper-padded"]
#: where a receipt says what it is about
ReceiptBy = Literal["both", "tlv", "text"]
#: which operation brings it
ReceiptWith = Literal["deliver_sm", "data_sm"]
#: how a client that is too fast is told so: ESME_RTHROTTLED, ESME_RMSGQFUL
ThrottleWith = Literal["throttled", "queue-full"]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Fractions are from 0 to 1, times in seconds, counts per connection; 0 is never."""

    seed: int = 1
    #: who may bind; "" is anybody
    system_id: str = ""
    password: str = ""
    #: connections that may be bound at once; 0: any number
    max_binds: int = 0
    default_alphabet: DefaultAlphabet = "gsm"
    id_form: IdForm = "decimal"

    #: between a submit and its answer
    latency: float = 0.0
    #: of submits: "too fast"
    throttle: float = 0.0
    throttle_with: ThrottleWith = "throttled"
    #: parts a second above which every submit is "too fast"
    limit: float = 0.0

    #: of recipients: what becomes of their messages
    refuse: float = 0.0
    undelivered: float = 0.0
    expired: float = 0.0
    rejected: float = 0.0
    lost: float = 0.0

    #: in which the dates of receipts are written
    time_zone: str = "UTC"
    receipt_delay: float = 0.5
    #: added to the delay: from nothing to so much
    receipt_spread: float = 0.0
    #: of receipts
    intermediate: float = 0.0
    reordered: float = 0.0
    duplicate: float = 0.0
    early: float = 0.0
    late: float = 0.0
    late_delay: float = 10.0
    unknown_id: float = 0.0
    receipt_by: ReceiptBy = "both"
    receipt_with: ReceiptWith = "deliver_sm"
    #: as `id_form`, unless it is given
    receipt_id_form: IdForm | None = None
    #: receipts and messages on the way to one connection that it has not acknowledged
    receipt_window: int = 500

    drop_after: int = 0
    silent_after: int = 0
    half_open_after: int = 0
    #: of answers: with something before it that is no answer
    garbage: float = 0.0
    #: octets a second that leave; 0: as fast as they can
    drip: float = 0.0

    #: messages from members a second
    mo_rate: float = 0.0

    def __post_init__(self) -> None:
        if self.refuse + self.undelivered + self.expired + self.rejected + self.lost > 1:
            raise Invalid(
                "Refused, undelivered, expired, rejected and lost together are more than all recipients.",
                hint="Make the fractions smaller: together they may be 1.",
            )
        for text, most, name in ((self.system_id, 15, "--system-id"), (self.password, 8, "--password")):
            if len(text) > most or not text.isascii():
                raise Invalid(
                    "{name} has at most {most} characters in SMPP 3.4, without accents and Chinese.",
                    hint="Choose a shorter one, and give it to the gateway as well.",
                    name=name,
                    most=most,
                )

    @property
    def is_plain(self) -> bool:
        """Whether every part is accepted and delivered after the same delay: nothing is drawn by lot."""
        moods = (self.throttle, self.intermediate, self.reordered, self.duplicate, self.early, self.late)
        fates = (self.refuse, self.undelivered, self.expired, self.rejected, self.lost)
        return not any((*moods, *fates, self.unknown_id, self.receipt_spread, self.limit, self.garbage))
