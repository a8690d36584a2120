"""What somebody means who types Latin letters to find a name: pinyin whole, half typed or as initials; or a word.

Nobody marks where a syllable ends: `xian` is one syllable or two. Every way to read the letters becomes the beginning
of search keys (`subscribers.names`), so that all of them together are a few short ranges of one index.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from subscribers.names import folded, known_syllables, search_key

#: ways to read the same letters that are followed up, those of the fewest syllables first
MOST = 16
#: as many initials as a name may have and still be typed by initials alone
MOST_INITIALS = 8
_LONGEST_SYLLABLE = 6
_INITIALS = re.compile(r"(?:[zcs]h|[bpmfdtnlgkhjqxrzcsyw])+")
_INITIAL = re.compile(r"[zcs]h|[a-z]")


@dataclass(frozen=True, slots=True, order=True)
class Start:
    """How a search key may begin: its initials, and its syllables."""

    initials: str
    syllables: str


@dataclass(frozen=True, slots=True)
class Spelling:
    """What the letters may mean: keys, if nothing is missing of them, and starts of keys in any case."""

    keys: tuple[str, ...] = ()
    starts: tuple[Start, ...] = ()


def letters_of(text: str) -> str:
    """The letters of what was typed, without spaces, case, tones; ü as v: `Lǚ Bù` -> `lvbu`. Empty if not Latin."""
    dotted = unicodedata.normalize("NFD", text).replace("u\u0308", "v").replace("U\u0308", "v")
    letters = re.sub(r"[\s'’·.\-]+", "", folded(dotted))
    # passports write lyu where keyboards have lv
    return re.sub("([ln])yu", r"\1v", letters) if re.fullmatch("[a-z]+", letters) else ""


def read(text: str) -> Spelling:
    """The ways to read Latin text, at most a few dozen; none if it is not Latin."""
    letters = letters_of(text)
    if not letters:
        return Spelling()
    split = _splits(letters)
    whole = {Start(initials, letters) for initials in split[-1]}
    part = _half_typed(letters, split) | _ending_in_initials(letters, split)
    if " " in text.strip() or not whole | part:
        # words of another language, by their own initials
        initials, _, words = search_key(text).partition(" ")
        whole.add(Start(initials, words))
    if len(letters) <= MOST_INITIALS:
        part.add(Start(letters, ""))
    keys = tuple(sorted(f"{start.initials} {start.syllables}" for start in whole))
    return Spelling(keys, tuple(sorted(start for start in whole | part if not _is_within_another(start, whole | part))))


def _is_within_another(start: Start, all_of_them: set[Start]) -> bool:
    """Whether its range lies in that of a start with fewer of the same initials."""
    return any(
        Start(start.initials[:n], syllables) in all_of_them
        for syllables in {start.syllables, ""}
        for n in range(1, len(start.initials) + (syllables != start.syllables))
    )


def _splits(letters: str) -> list[list[str]]:
    """For each position the initials of the ways to split what is before it into whole syllables."""
    syllables = known_syllables()
    ways: list[list[str]] = [[""]]
    for end in range(1, len(letters) + 1):
        here = {
            way + letters[start]
            for start in range(max(0, end - _LONGEST_SYLLABLE), end)
            if letters[start:end] in syllables
            for way in ways[start]
        }
        ways.append(sorted(here, key=lambda way: (len(way), way))[:MOST])
    return ways


def _half_typed(letters: str, split: list[list[str]]) -> set[Start]:
    return {
        Start(way + letters[start], letters)
        for start in range(max(0, len(letters) - _LONGEST_SYLLABLE), len(letters))
        if letters[start:] in _beginnings()
        for way in split[start]
    }


def _ending_in_initials(letters: str, split: list[list[str]]) -> set[Start]:
    """`zhangwm`: a syllable or more, then initials."""
    found = set()
    for start in range(len(letters) - 1):
        rest = letters[start:]
        if split[start] and len(rest) <= MOST_INITIALS and _INITIALS.fullmatch(rest):
            initials = _INITIAL.findall(rest)
            tail = "".join(initial[0] for initial in initials)
            found |= {Start(way + tail, letters[:start] + initials[0]) for way in split[start]}
    return found


@cache
def _beginnings() -> frozenset[str]:
    return frozenset(syllable[:n] for syllable in known_syllables() for n in range(1, len(syllable)))
