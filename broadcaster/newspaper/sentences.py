"""Sentences that stand one behind the other in an SMS: what keeps them apart. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

#: ends that need nothing behind them: they are as wide as a blank is
_WIDE_ENDS = frozenset("。！？；：…”）》】」』，、")
_NARROW_ENDS = frozenset(".!?;:,)]\"'")


def kept_apart(sentences: Sequence[str]) -> list[str]:
    """The same sentences, each but the last with what keeps it from running into the next one.

    >>> kept_apart(["Heating starts", "Canteen opens.", "Bye"])
    ['Heating starts; ', 'Canteen opens. ', 'Bye']
    >>> kept_apart(["供暖了。", "食堂开了", "再见"])
    ['供暖了。', '食堂开了；', '再见']
    """
    return [*(f"{each}{_between(each)}" for each in sentences[:-1]), *sentences[-1:]]


def _between(sentence: str) -> str:
    end = sentence[-1:]
    if not end or end in _WIDE_ENDS:
        return ""
    if end in _NARROW_ENDS:
        return " "
    return "；" if unicodedata.east_asian_width(end) in "WF" else "; "
