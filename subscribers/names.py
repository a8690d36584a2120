"""How a name is looked for: the initials of its syllables, a space, the syllables: 张伟 -> `zw zhangwei`.

A key begins with the initials, so whoever types `zw`, `zhangwei` or `zhangw` reads one short range of its index.
"""

from __future__ import annotations

import json
import unicodedata
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

from subscribers.surnames import COMPOUND, GIVEN, SINGLE

#: bytes of the column; the initials may take so many of them that the syllables of a usual name always fit
LONGEST, LONGEST_INITIALS = 400, 100
#: a name of so many Chinese characters fits whatever its syllables are: 50 initials, a space, 50 times `zhuang`
SURELY_FITS = 50
#: between the parts of names from other languages: who has one has no Chinese surname
DOTS = frozenset("·•‧∙・･．")
#: what a surname of either table begins with
_STARTS = frozenset(SINGLE) | {surname[0] for surname in COMPOUND}

#: character -> its syllable in names; filled by the first name that asks (50 ms, 4 MB)
_syllables: dict[str, str] = {}


def search_key(name: str) -> str:
    """The key of a name: never empty unless the name is, one space in it, at most 400 bytes.

    Chinese is read character by character, surnames as surnames, ü as v. Other scripts are folded (no case, no
    accents). A character without a known reading stands for itself: nobody becomes impossible to find.
    """
    if not _syllables:
        _read_syllables()
    if len(name) > SURELY_FITS:
        return _mixed_key(name)
    try:
        syllables = [_syllables[character] for character in name]
    except KeyError:
        return _mixed_key(name)
    if not name:
        return ""
    if name[0] in _STARTS:
        _read_surname(name, syllables)
    return f"{''.join([syllable[0] for syllable in syllables])} {''.join(syllables)}"


def place_key(name: str) -> str:
    """The key of an organisation's name: as `search_key`, but no character of it is read as a surname."""
    if not _syllables:
        _read_syllables()
    syllables = [_syllables.get(character, character) for character in folded(name) if _is_spelled(character)]
    return _fitting("".join(each[0] for each in syllables), "".join(syllables)) if syllables else ""


def _is_spelled(character: str) -> bool:
    return _stands_alone(character) or _is_of_a_word(character)


@cache
def known_syllables() -> frozenset[str]:
    """Every syllable that a character can have in a key, without the few that are only sounds (`hm`, `ng`)."""
    if not _syllables:
        _read_syllables()
    return frozenset(syllable for syllable in _syllables.values() if not {*"aeiouv"}.isdisjoint(syllable))


def folded(text: str) -> str:
    """Text without case, accents and differences of form: `Ｚhāng` -> `zhang`, `Müller` -> `muller`."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    bare = "".join(c for c in plain if not "\u0300" <= c <= "\u036f")
    return unicodedata.normalize("NFC", bare)


def _mixed_key(name: str) -> str:
    """The long way: words of other scripts, characters without a reading, names of any length."""
    pieces: list[str] = []
    open_word = False
    for character in folded(name):
        syllable = _syllables.get(character)
        if syllable is not None:
            pieces.append(syllable)
        elif _stands_alone(character):
            pieces.append(character)
        elif _is_of_a_word(character):
            if open_word:
                pieces[-1] += character
            else:
                pieces.append(character)
            open_word = True
            continue
        elif character in "'’ʼ":
            # O'Brien is one word
            continue
        open_word = False
    if not DOTS.intersection(name):
        _read_surname(unicodedata.normalize("NFKC", name).lstrip(), pieces)
    if not pieces and name:
        # nothing but marks: they stand for themselves
        pieces = ["".join(c for c in name if c.isprintable() and not c.isspace()) or "?"]
    return _fitting("".join(piece[0] for piece in pieces), "".join(pieces)) if pieces else ""


def _read_surname(name: str, syllables: list[str]) -> None:
    if name[:2] in COMPOUND:
        syllables[:2] = COMPOUND[name[:2]]
    elif name[:1] in SINGLE:
        syllables[0] = SINGLE[name[0]]


def _fitting(initials: str, whole: str) -> str:
    initials = _cut(initials, LONGEST_INITIALS)
    return f"{initials} {_cut(whole, LONGEST - 1 - len(initials.encode()))}"


def _cut(text: str, size: int) -> str:
    return text.encode()[:size].decode(errors="ignore")


def _stands_alone(character: str) -> bool:
    # ideographs of every block, kana, Korean syllables
    return character >= "\u2e80" and unicodedata.category(character) == "Lo"


def _is_of_a_word(character: str) -> bool:
    # letters, their marks in scripts that need them, digits
    return unicodedata.category(character)[0] in "LMN"


def _read_syllables() -> None:
    """Fill in every character's first reading, from the table that pypinyin brings along.

    The table alone is read: importing pypinyin would also read its phrases, ten times as long and as large.
    """
    file = distribution("pypinyin").locate_file("pypinyin/pinyin_dict.json")
    readings = json.loads(Path(str(file)).read_text("utf-8"))
    plain: dict[str, str] = {}
    for code, reading in readings.items():
        first = reading.partition(",")[0]
        if first not in plain:
            # ü as v, before its dots go the way of the tones
            plain[first] = folded(unicodedata.normalize("NFD", first).replace("u\u0308", "v"))
        _syllables[chr(int(code))] = plain[first]
    _syllables.update(GIVEN)
