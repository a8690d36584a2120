"""Cutting a text into the parts that are sent, billed and followed one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from subscribers.errors import Invalid

from .borders import end_of_part
from .encoding import CAPACITY, GSM, Alphabet, Encoding, ReferenceBits, encode_choice, units
from .ruler import measure

Billing = Literal["parts", "chars_70_67"]

MOST_PARTS = 255
"""The concatenation header counts parts in one octet."""


@dataclass(frozen=True, slots=True)
class Split:
    """A text in its parts. Units are septets of GSM-7, octets of ASCII and Latin-1, 16-bit code units of UCS-2."""

    encoding: Encoding
    parts: tuple[str, ...]
    units: tuple[int, ...]
    """Used by each part, without its header."""
    capacity_single: int
    """Units of a text that is sent as one part."""
    capacity_part: int
    """Units of one of several parts, beside its header."""


def split(text: str, alphabet: Alphabet = GSM, *, reference_bits: ReferenceBits = 8, keep: Sequence[str] = ()) -> Split:
    """The fewest parts that hold the text; joined they are the text again. An empty text has no parts.

    Never cut: an escape sequence, a surrogate pair. Not cut, when it fits a part and keeping it whole costs no part:
    a character as readers see it (an emoji family, a flag, a letter with its accents), a 【signature】, a link, any
    phrase of `keep`. Raises Invalid above 255 parts.
    """
    encoding = encode_choice(text, alphabet)
    capacity = CAPACITY[encoding]
    capacity_part = capacity.of_part(reference_bits)
    total = units(text, encoding)
    if total <= capacity.single:
        used = (total,) if text else ()
        return Split(encoding, (text,) if text else (), used, capacity.single, capacity_part)
    parts = _pieces(text, encoding, total, capacity_part, keep)
    return Split(encoding, parts, tuple(units(part, encoding) for part in parts), capacity.single, capacity_part)


def _pieces(text: str, encoding: Encoding, total: int, capacity: int, keep: Sequence[str]) -> tuple[str, ...]:
    """The parts of a text of so many units, which fits no single one; each holds `capacity` at most."""
    ruler = measure(text, encoding, total, capacity)
    borders = ruler.earliest_borders()
    if len(borders) >= MOST_PARTS:
        raise Invalid(
            "The text needs {parts} parts; one message can have {most} at most.",
            hint="Shorten the text, or send it as several messages.",
            parts=len(borders) + 1,
            most=MOST_PARTS,
        )
    parts = []
    start = 0
    for earliest in borders:
        end = end_of_part(text, start, earliest, ruler, keep)
        parts.append(text[start:end])
        start = end
    return (*parts, text[start:])


class Cut(NamedTuple):
    """What of a split is sent."""

    encoding: Encoding
    parts: tuple[str, ...]


def cut_many(
    texts: Sequence[str], alphabet: Alphabet = GSM, *, reference_bits: ReferenceBits = 8, keep: Sequence[str] = ()
) -> list[Cut]:
    """The parts of many texts, each as `split` gives them, without measuring what need not be measured."""
    together = "".join(texts)
    # where no character takes two units, and that is nearly always, a text is as long as it looks
    pairs = len(together.encode("utf-16-le", "surrogatepass")) != 2 * len(together)
    found = []
    for text in texts:
        encoding = encode_choice(text, alphabet)
        total = len(text) if encoding is Encoding.UCS2 and not pairs else units(text, encoding)
        capacity = CAPACITY[encoding]
        if total > capacity.single:
            pieces = _pieces(text, encoding, total, capacity.of_part(reference_bits), keep)
        else:
            pieces = (text,) if text else ()
        found.append(Cut(encoding, pieces))
    return found


def count(text: str, alphabet: Alphabet = GSM, *, reference_bits: ReferenceBits = 8, keep: Sequence[str] = ()) -> int:
    """How many parts the text takes. Raises Invalid above 255."""
    return len(split(text, alphabet, reference_bits=reference_bits, keep=keep).parts)


def count_many(texts: Sequence[str], alphabet: Alphabet = GSM, *, reference_bits: ReferenceBits = 8) -> list[int]:
    """The same of each of many texts; they are not cut for it, since where they are cut costs no part."""
    found = []
    for text in texts:
        encoding = encode_choice(text, alphabet)
        capacity = CAPACITY[encoding]
        total = units(text, encoding)
        if total <= capacity.single:
            found.append(1 if text else 0)
        elif total == len(text) and (parts := -(-total // capacity.of_part(reference_bits))) <= MOST_PARTS:
            found.append(parts)
        else:
            found.append(count(text, alphabet, reference_bits=reference_bits))
    return found


def billed_parts(
    text: str, how: Billing = "parts", alphabet: Alphabet = GSM, *, reference_bits: ReferenceBits = 8
) -> int:
    """How many parts the provider charges for.

    "parts": those that are sent. "chars_70_67": as Chinese cloud services do, up to 70 characters one part, else one
    per 67 begun, Latin or not; a character outside the 16-bit range, such as an emoji, counts as two.
    """
    if how == "parts":
        return count(text, alphabet, reference_bits=reference_bits)
    characters = units(text, Encoding.UCS2)
    single, part, _ = CAPACITY[Encoding.UCS2]
    return min(characters, 1) if characters <= single else -(-characters // part)


def concatenation_header(reference: int, total: int, number: int, bits: ReferenceBits = 8) -> bytes:
    """The user data header that lets a handset join parts: six octets, seven with a 16-bit reference.

    `number` counts from 1. The reference must differ between messages that reach a handset at about the same time.
    """
    if not 0 <= reference < 1 << bits:
        raise ValueError(f"a {bits}-bit reference cannot be {reference}")
    if not 1 <= number <= total <= MOST_PARTS:
        raise ValueError(f"there is no part {number} of {total}")
    head = b"\x05\x00\x03" if bits == 8 else b"\x06\x08\x04"
    return head + reference.to_bytes(bits // 8, "big") + bytes((total, number))
