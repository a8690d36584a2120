"""Sentences that stand one behind the other in an SMS: what keeps them apart. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

#: ends that need nothing behind them: they are as wide as a blank is
_WIDE_ENDS = frozenset("。！？；：…”）》】」』，、")
_NARROW_ENDS = frozenset(".!?;:,)]\"'")
_HAN = re.compile("[\u3400-\u9fff]")
#: only a blank ends a link for every phone
_ENDS_IN_A_LINK = re.compile(r"(?:https?://|www\.)[!-~]+$")


def kept_apart(sentences: Sequence[str]) -> list[str]:
    """The same sentences, each but the last with what keeps it from running into the next one.

    >>> kept_apart(["Heating starts", "Canteen opens.", "Bye"])
    ['Heating starts; ', 'Canteen opens. ', 'Bye']
    >>> kept_apart(["供暖了。", "食堂开了", "再见"])
    ['供暖了。', '食堂开了；', '再见']
    >>> kept_apart(["食堂 14:30", "再见"])
    ['食堂 14:30；', '再见']
    """
    return [*(f"{each}{_between(each, after)}" for each, after in pairwise(sentences)), *sentences[-1:]]


def _between(sentence: str, after: str) -> str:
    end = sentence[-1:]
    if not end or end in _WIDE_ENDS:
        return ""
    if end in _NARROW_ENDS:
        return " "
    # a Chinese sentence may end in figures or Latin letters
    is_chinese = _HAN.search(sentence) or _HAN.search(after)
    return "；" if is_chinese and not _ENDS_IN_A_LINK.search(sentence) else "; "
