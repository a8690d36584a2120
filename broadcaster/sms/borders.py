"""Where to end a part, so that what a reader sees as one thing stays in one part.

A phone that joins the parts shows none of this; one that does not, or that waits for a late part, shows half a link.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import regex  # type: ignore[import-untyped]

from .ruler import Ruler

# Two of these side by side are always two characters to a reader, so that clusters need not be looked for: ASCII,
# Latin-1, dashes and quotes, Chinese and Japanese marks, kana and ideographs (but what combines), full-width forms.
_PLAIN_PAIR = re.compile(
    r"[\n\x20-\x7e\xa0-\xac\xae-\xff\u2010-\u2027\u3000-\u3029\u3030-\u303f\u3041-\u3096\u30a1-\u30ff"
    r"\u3400-\u4dbf\u4e00-\u9fff\uff01-\uff60]{2}"
)
_CLUSTER = regex.compile(r"\X")
_LINK = re.compile(
    r"(?:https?://|www\.)[!-~]*[A-Za-z0-9/#=&%+_-]"
    r"|(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}(?![A-Za-z0-9])(?:/(?:[!-~]*[A-Za-z0-9/#=&%+_-])?)?"
)


def end_of_part(text: str, start: int, earliest: int, ruler: Ruler, keep: Sequence[str]) -> int:
    """The end of the part that begins at `start`: as late as can be, then moved back before whatever it would cut.

    It moves back for a thing only when the thing fits a part and when the end does not fall before `earliest`, that is,
    when keeping the thing whole costs no part more.
    """
    end = ruler.reach(start)
    if _is_clear(text, start, end, keep):
        return end
    horizon = start + 2 * ruler.capacity + 1  # what begins before `end` and ends beyond this fits no part
    moved = True
    while moved:
        moved = False
        for thing_start, thing_end in _things_across(text, start, end, horizon, keep):
            if thing_start >= earliest and ruler.reach(thing_start) >= thing_end:
                end = thing_start
                moved = True
                break
    return end


def _is_clear(text: str, start: int, cut: int, keep: Sequence[str]) -> bool:
    """Whether plainly nothing lies across the cut, as for most of them: `_things_across` would find nothing."""
    if not _PLAIN_PAIR.match(text, cut - 1) or ("!" <= text[cut - 1] <= "~" and "!" <= text[cut] <= "~"):
        return False
    opened = text.rfind("【", start, cut)
    if opened >= 0 and text.find("】", opened, cut) < 0:
        return False
    return not any(text.find(phrase, max(start, cut - len(phrase) + 1), cut + len(phrase) - 1) >= 0 for phrase in keep)


def _things_across(text: str, start: int, cut: int, horizon: int, keep: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Start and end of what lies across the cut: a character as readers see it, a 【heading】, a link, a phrase."""
    if not _PLAIN_PAIR.match(text, cut - 1):
        yield from _cluster_across(text, start, cut)
    opened = text.rfind("【", start, cut)
    if opened >= 0:
        closed = text.find("】", opened, horizon)
        if closed >= cut:
            yield opened, closed + 1
    if _may_be_in_link(text[cut - 1]) and _may_be_in_link(text[cut]):
        yield from _link_across(text, start, cut, horizon)
    for phrase in keep:
        found = text.find(phrase, max(start, cut - len(phrase) + 1), cut + len(phrase) - 1)
        if found >= 0:
            yield found, found + len(phrase)


def _cluster_across(text: str, start: int, cut: int) -> Iterator[tuple[int, int]]:
    first = cut - 1
    while first > start and not _PLAIN_PAIR.match(text, first - 1):
        first -= 1
    for cluster in _CLUSTER.finditer(text, first):
        if cluster.end() >= cut:
            if cluster.end() > cut:
                yield cluster.span()
            break


def _link_across(text: str, start: int, cut: int, horizon: int) -> Iterator[tuple[int, int]]:
    first, last = cut, cut
    while first > start and _may_be_in_link(text[first - 1]):
        first -= 1
    while last < min(horizon, len(text)) and _may_be_in_link(text[last]):
        last += 1
    for link in _LINK.finditer(text, first, last):
        if link.start() < cut < link.end():
            yield link.span()


def _may_be_in_link(character: str) -> bool:
    return "!" <= character <= "~"
