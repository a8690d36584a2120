"""Strategies for the fields of PDUs, as the standard bounds them."""

from __future__ import annotations

import string

from hypothesis import strategies as st

octets = st.integers(0, 255)
sequences = st.integers(1, 0x7FFFFFFF)
statuses = st.integers(0, 0xFFFFFFFF)


def ascii_texts(most: int) -> st.SearchStrategy[str]:
    """C strings of at most so many characters."""
    return st.text(string.ascii_letters + string.digits + "+-_. :", max_size=most)


addresses = ascii_texts(20)
message_ids = ascii_texts(64)
texts = st.binary(max_size=254)
#: `YYMMDDhhmmsstnnp` or nothing
dates = st.sampled_from(["", "261122020304000+", "000001000000000R"])
