"""Characters that look like a plain one but cost more, waste room, or cannot be seen.

They come from word processors, web pages and address books. Nothing is repaired without being asked for.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Literal

import regex  # type: ignore[import-untyped]

Kind = Literal["quote", "dash", "full_width", "space", "invisible", "control"]


@dataclass(frozen=True, slots=True)
class Lookalike:
    """One character that should be another, or nothing."""

    character: str
    position: int
    """From 0, in characters."""
    name: str
    """The name in the Unicode standard, or U+ and the code where it has none."""
    kind: Kind
    replacement: str
    """What to write instead; empty: nothing."""


_TYPOGRAPHIC: dict[str, tuple[Kind, str]] = {
    **dict.fromkeys("‘’‚‛′ʼ`´", ("quote", "'")),
    **dict.fromkeys("“”„‟″«»", ("quote", '"')),
    **dict.fromkeys("‐‑‒–—―−", ("dash", "-")),
    "…": ("dash", "..."),
    "￥": ("full_width", "¥"),
    **{chr(code): ("full_width", chr(code - 0xFEE0)) for code in range(0xFF01, 0xFF5F) if not chr(code).isalnum()},
}
_ALWAYS: dict[str, tuple[Kind, str]] = {
    **{chr(code): ("full_width", chr(code - 0xFEE0)) for code in range(0xFF01, 0xFF5F) if chr(code).isalnum()},
    **dict.fromkeys("\t\xa0\u1680\u202f\u205f\u3000", ("space", " ")),
    **{chr(code): ("space", " ") for code in range(0x2000, 0x200B)},
    **dict.fromkeys("\v\x85\u2028\u2029", ("space", "\n")),
    **dict.fromkeys("\xad\u180e\u200b\u2060\ufeff", ("invisible", "")),
}
_DIRECTIONS = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_JOINERS = frozenset("\u200c\u200d")

# A text in one of these is UCS-2 in any case, and has typographic quotes, dashes and full-width marks for its own.
_OWN_PUNCTUATION = regex.compile(r"(?V1)[\p{L}--\p{Latin}--\p{Greek}--\p{Common}]")
_RIGHT_TO_LEFT = regex.compile(r"[\p{Arabic}\p{Hebrew}\p{Syriac}\p{Thaana}\p{Nko}]")
# A joiner behind one of these has work to do: it builds an emoji family or shapes a letter.
_JOINABLE = regex.compile(
    r"(?V1)[\p{Extended_Pictographic}\p{Emoji_Modifier}\p{M}"
    r"[\p{L}--[\p{Latin}\p{Greek}\p{Cyrillic}\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]]]"
)


def find_lookalikes(text: str) -> list[Lookalike]:
    """The look-alikes of a text, in order.

    Always: full-width letters and digits, unusual spaces, characters that cannot be seen, control characters, half
    surrogate pairs. Typographic quotes and dashes and full-width punctuation only where no letter of the text has them
    for its own, as Chinese has. Marks of direction are left to texts with letters that run from right to left.
    """
    if text.isascii() and text.isprintable() and "`" not in text:
        return []
    table = _ALWAYS if _OWN_PUNCTUATION.search(text) else _ALWAYS | _TYPOGRAPHIC
    leftward = _RIGHT_TO_LEFT.search(text) is not None
    found = []
    for position, character in enumerate(text):
        verdict = table.get(character)
        if verdict is None:
            if character in _DIRECTIONS:
                verdict = None if leftward else ("invisible", "")
            elif character in _JOINERS:
                verdict = None if position and _JOINABLE.match(text, position - 1) else ("invisible", "")
            elif "\ud800" <= character <= "\udfff":
                verdict = ("control", "?")
            elif character not in "\n\r" and unicodedata.category(character) == "Cc":
                verdict = ("control", "")
        if verdict is not None:
            kind, replacement = verdict
            name = unicodedata.name(character, f"U+{ord(character):04X}")
            found.append(Lookalike(character, position, name, kind, replacement))
    return found


def repair(text: str) -> str:
    """The text with every look-alike replaced."""
    pieces: list[str] = []
    start = 0
    for lookalike in find_lookalikes(text):
        pieces += (text[start : lookalike.position], lookalike.replacement)
        start = lookalike.position + 1
    return "".join(pieces) + text[start:]
