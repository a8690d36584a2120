"""Headings as people write them, told apart by what they mean and not by how they look."""

from __future__ import annotations

import re
import unicodedata

_BESIDE = re.compile(r"[(\[【].*?[)\]】]|[\s_*:\ufeff-]")


def plain_heading(heading: str) -> str:
    """A heading without case, width, spaces, marks and what stands in brackets: `手机（必填）` is `手机`."""
    return _BESIDE.sub("", unicodedata.normalize("NFKC", heading).casefold())
