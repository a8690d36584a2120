"""Text to parts, for the alphabet a gateway can carry. Pure: no clock, no database, no gateway.

`split` cuts, `why` explains the cost, `find_lookalikes` and `repair` clean, `user_data` and `concatenation_header`
make the octets of a part, `decode` reads octets that came in.
"""

from .encoding import ASCII, GSM, LATIN1, UCS2, Alphabet, Capacity, Encoding, decode, encode_choice, user_data
from .explain import Forcing, Why, why
from .parts import (
    MOST_PARTS,
    Billing,
    Cut,
    Split,
    billed_parts,
    concatenation_header,
    count,
    count_many,
    cut_many,
    split,
)
from .sanitise import Lookalike, find_lookalikes, repair

__all__ = [
    "ASCII",
    "GSM",
    "LATIN1",
    "MOST_PARTS",
    "UCS2",
    "Alphabet",
    "Billing",
    "Capacity",
    "Cut",
    "Encoding",
    "Forcing",
    "Lookalike",
    "Split",
    "Why",
    "billed_parts",
    "concatenation_header",
    "count",
    "count_many",
    "cut_many",
    "decode",
    "encode_choice",
    "find_lookalikes",
    "repair",
    "split",
    "user_data",
    "why",
]
