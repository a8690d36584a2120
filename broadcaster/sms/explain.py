"""Why a text costs what it costs, in values a door can show."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from broadcaster.language import msgid

from .encoding import CAPACITY, FOREIGN, GSM, Alphabet, Encoding, ReferenceBits
from .parts import count, split
from .ruler import measure
from .sanitise import find_lookalikes

# Templates of `Why.because`, looked up in a catalogue and filled with `Why.fields` by the door that shows them.
EMPTY = msgid("There is no text.")
PLAIN = msgid("A part holds {capacity} characters.")
SCRIPT = msgid("This writing needs the encoding {encoding}: a part holds {capacity} characters.")
SIGNATURE = msgid(
    "The signature {signature} needs the encoding {encoding}: "
    "a part holds {capacity} characters instead of {otherwise}."
)
CHARACTERS = msgid(
    "Because of {characters}, {times} in all, a part holds {capacity} characters instead of {otherwise}; "
    "parts more: {more}."
)

_SIGNATURE = re.compile(r"\A\s*(【[^【】]*】)|(【[^【】]*】)\s*\Z")
_FEW_DIFFERENT = 3
_ONE_IN = 10


@dataclass(frozen=True, slots=True)
class Forcing:
    """A character that the gateway's first encoding lacks."""

    character: str
    position: int
    name: str
    replacement: str | None
    """A look-alike that costs nothing ("" to leave it out), or None where there is none."""


@dataclass(frozen=True, slots=True)
class Why:
    """What a text costs and what it would take to pay less."""

    encoding: Encoding
    parts: int
    units: int
    """In all parts together, without headers."""
    room_left: int
    """Plain characters that can be added before another part is needed."""
    surplus: int
    """Characters to delete from the end to save a part; 0 when there is one part or none."""
    forced_by: tuple[Forcing, ...]
    """The few characters that rule out the first encoding. Empty when the signature or the writing itself does."""
    signature: str
    """The signature, when it alone rules out the first encoding; else empty."""
    parts_otherwise: int
    """The parts of the same text if `forced_by` or the signature could be written in the first encoding."""
    because: str
    """A message template of this module."""
    fields: Mapping[str, object]
    """What its names stand for."""


def why(text: str, alphabet: Alphabet = GSM, *, reference_bits: ReferenceBits = 8, keep: Sequence[str] = ()) -> Why:
    """Why the text takes the parts it takes. Raises Invalid above 255 parts."""
    result = split(text, alphabet, reference_bits=reference_bits, keep=keep)
    parts, encoding = len(result.parts), result.encoding
    first = alphabet.encodings[0]
    capacity = result.capacity_single if parts <= 1 else result.capacity_part
    fields: dict[str, object] = {"encoding": encoding.value, "capacity": capacity}
    forced_by: tuple[Forcing, ...] = ()
    signature = ""
    parts_otherwise = parts
    if not text:
        because = EMPTY
    elif encoding is first:
        because = PLAIN
    else:
        forcing = _forcing(text, first)
        signature = _forced_by_signature(text, forcing)
        if signature or _are_few(forcing, len(text)):
            parts_otherwise = count(_without(text, forcing), alphabet, reference_bits=reference_bits)
            otherwise = CAPACITY[first]
            fields["otherwise"] = otherwise.single if parts <= 1 else otherwise.of_part(reference_bits)
        if signature:
            because = SIGNATURE
            fields["signature"] = signature
        elif "otherwise" in fields:
            because = CHARACTERS
            forced_by = forcing
            fields["characters"] = " ".join(dict.fromkeys(each.character for each in forcing))
            fields["times"] = len(forcing)
            fields["more"] = parts - parts_otherwise
        else:
            because = SCRIPT
    used = sum(result.units)
    room_left, surplus = _margins(text, encoding, used, result.capacity_single, result.capacity_part)
    return Why(encoding, parts, used, room_left, surplus, forced_by, signature, parts_otherwise, because, fields)


def _margins(text: str, encoding: Encoding, used: int, capacity_single: int, capacity_part: int) -> tuple[int, int]:
    """How many characters the text may grow, and how many it must lose at its end to save a part."""
    if used <= capacity_single:
        return capacity_single - used, 0
    ruler = measure(text, encoding, used, capacity_part)
    ends = [0]
    while ends[-1] < ruler.length:
        ends.append(ruler.reach(ends[-1]))
    last = ends[-2]
    if len(ends) == 3:
        last = measure(text, encoding, used, capacity_single).reach(0)
    return capacity_part - ruler.units(ends[-2], ruler.length), ruler.length - last


def _forcing(text: str, first: Encoding) -> tuple[Forcing, ...]:
    replacements = {each.position: each.replacement for each in find_lookalikes(text)}
    found = []
    for match in FOREIGN[first].finditer(text):
        character = match.group()
        replacement = replacements.get(match.start())
        if replacement is not None and FOREIGN[first].search(replacement):
            replacement = None
        name = unicodedata.name(character, f"U+{ord(character):04X}")
        found.append(Forcing(character, match.start(), name, replacement))
    return tuple(found)


def _forced_by_signature(text: str, forcing: tuple[Forcing, ...]) -> str:
    """The 【signature】 at the start or end, when the rest of the text, repaired, fits the first encoding."""
    for match in _SIGNATURE.finditer(text):
        begin, end = match.span(match.lastindex or 0)
        outside = [each for each in forcing if not begin <= each.position < end]
        if all(each.replacement is not None for each in outside):
            return text[begin:end]
    return ""


def _are_few(forcing: tuple[Forcing, ...], length: int) -> bool:
    """Whether they are exceptions to an editor: all can be replaced, or they are few and not another script."""
    lasting = [each.character for each in forcing if each.replacement is None]
    # Ideographs, kana and the like; below U+0250 the category holds the Latin ordinal signs only.
    if any(unicodedata.category(character) == "Lo" and character >= "\u0250" for character in lasting):
        return False
    return len(set(lasting)) <= _FEW_DIFFERENT or len(lasting) * _ONE_IN <= length


def _without(text: str, forcing: tuple[Forcing, ...]) -> str:
    """The text with each forcing character as its replacement or, where there is none, as a plain letter."""
    characters = list(text)
    for each in forcing:
        characters[each.position] = "x" if each.replacement is None else each.replacement
    return "".join(characters)
