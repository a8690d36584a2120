"""The values of an edition file, each read strictly. `place` says where one stands; entries are counted from 1."""

from __future__ import annotations

import datetime
import difflib
import unicodedata
from typing import Any

from broadcaster.language import listed
from subscribers.errors import Invalid

MAX_NUMBER = 1_000_000
MAX_ENTRIES = 30
MAX_RULE = 500


def check_keys(place: str, values: dict[str, Any], required: tuple[str, ...], optional: tuple[str, ...] = ()) -> None:
    """Go on if the table has all required keys and none that is unknown."""
    known = required + optional
    for key in values:
        if key not in known:
            nearest = difflib.get_close_matches(key, known, 1)
            raise Invalid(
                "An edition file has no key {key}.",
                hint="Did you mean {nearest}?" if nearest else "Known here are: {known}.",
                key=place + key,
                nearest="".join(nearest),
                known=listed(known),
            )
    for key in required:
        if key not in values:
            raise Invalid(
                "The edition file lacks {key}.", hint="Write {example}.", key=place + key, example=_EXAMPLES[key]
            )


_EXAMPLES = {
    "number": "number = 128",
    "date": "date = 2026-11-23",
    "title": 'title = "..."',
    "variants": 'variants = ["retired", "mobile", "everyone"]',
    "columns": "[[columns]]",
    "name": 'name = "..."',
    "items": "[[columns.items]]",
    "headline": 'headline = "..."',
    "sms": 'sms = "..."',
    "picture": 'picture = "canteen.jpg"',
    "alt": 'alt = "..."',
}


def read_number(value: object, place: str) -> int:
    """A whole number from 1 to `MAX_NUMBER`."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_NUMBER:
        return value
    raise Invalid(
        "{place} must be a whole number from 1 to {limit}.",
        hint="Write it without quotes: number = 128.",
        place=place,
        limit=MAX_NUMBER,
    )


def read_date(value: object, place: str) -> datetime.date:
    """A day, as TOML writes it: without quotes and without a time."""
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value
    raise Invalid(
        "{place} must be a date without a time.",
        hint="Write it without quotes, year first: date = 2026-11-23.",
        place=place,
    )


def read_line(value: object, place: str, limit: int) -> str:
    """Text of one line, not empty, without blanks at its ends."""
    text = read_text(value, place, limit)
    if not text or "\n" in text:
        raise Invalid("{place} must be one line, and not empty.", hint="Leave out what has no text yet.", place=place)
    return text


def read_text(value: object, place: str, limit: int) -> str:
    """Text without control characters but tabs and line breaks; it may be empty."""
    if not isinstance(value, str):
        raise Invalid("{place} must be text.", hint='Write it in straight quotes: "...".', place=place)
    text = value.replace("\r\n", "\n").strip()
    if len(text) > limit:
        raise Invalid(
            "{place} has {length} characters; {limit} are the most.",
            hint="Long texts belong in full, which stands on the reading page.",
            place=place,
            length=len(text),
            limit=limit,
        )
    if strange := next((c for c in text if unicodedata.category(c) == "Cc" and c not in "\n\t"), ""):
        raise Invalid(
            "{place} holds the control character U+{code}.",
            hint="Delete it; it often comes in with a copied text.",
            place=place,
            code=f"{ord(strange):04X}",
        )
    return text


def read_names(value: object, place: str) -> tuple[str, ...]:
    """A list of segments, each named once."""
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_ENTRIES:
        raise Invalid(
            "{place} must be a list of segments, from 1 to {limit}.",
            hint='For example ["retired", "everyone"].',
            place=place,
            limit=MAX_ENTRIES,
        )
    names = tuple(read_line(name, f"{place}[{index}]", MAX_RULE) for index, name in enumerate(value, 1))
    for index, name in enumerate(names):
        if name in names[:index]:
            raise Invalid("{place} names {name} twice.", hint="Once is enough.", place=place, name=name)
    return names


def read_tables(value: object, place: str) -> list[tuple[str, dict[str, Any]]]:
    """The tables of a list of tables, each with its place."""
    if (
        not isinstance(value, list)
        or not 1 <= len(value) <= MAX_ENTRIES
        or not all(isinstance(table, dict) for table in value)
    ):
        raise Invalid(
            "{place} must be a list of tables, from 1 to {limit}.",
            hint="Each begins with a line of its own: [[columns]] or [[columns.items]].",
            place=place,
            limit=MAX_ENTRIES,
        )
    return [(f"{place}[{index}]", table) for index, table in enumerate(value, 1)]
