"""Edition files: TOML in UTF-8, read strictly. Pure: nothing here knows a database.

Every refusal is one `Invalid` that names the place as the file writes it and says what to write instead.
"""

from __future__ import annotations

import codecs
import datetime
import difflib
import re
import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from broadcaster.language import listed
from broadcaster.newspaper.values import (
    check_keys,
    read_date,
    read_line,
    read_names,
    read_number,
    read_tables,
    read_text,
)
from broadcaster.words import segment_name
from subscribers.errors import Invalid

#: the segment of all members, in either language: an item for it stands in every variant
EVERYONE = frozenset({"everyone", "所有人"})

MAX_BYTES = 1_048_576
MAX_TITLE = 200
MAX_COLUMN_NAME = 50
MAX_HEADLINE = 100
MAX_SMS = 500
MAX_FULL = 20_000
MAX_ALT = 150
MAX_NAME = 200

_BOMS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_LINE = re.compile(r"(?P<reason>.*) \(at line (?P<line>\d+), column \d+\)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ItemText:
    """One article, as the file has it."""

    headline: str
    sms: str
    full: str
    audience: tuple[str, ...]
    #: the name of a file beside this one; "": it has none
    picture: str = ""
    #: what is in it, for who cannot see it
    alt: str = ""


@dataclass(frozen=True, slots=True)
class ColumnText:
    """A named place with its items."""

    name: str
    items: tuple[ItemText, ...]


@dataclass(frozen=True, slots=True)
class EditionText:
    """A whole edition file, checked."""

    number: int
    date: datetime.date
    title: str
    variants: tuple[str, ...]
    columns: tuple[ColumnText, ...]


def stands_in(variant: str, audience: Collection[str]) -> bool:
    """Whether the readers of a variant get an item for this audience."""
    return segment_name(variant) in map(segment_name, audience) or not EVERYONE.isdisjoint(audience)


def decode(source: bytes) -> str:
    """The text of an edition file. A UTF-8 byte order mark is tolerated; any other encoding raises `Invalid`."""
    if len(source) > MAX_BYTES:
        raise Invalid(
            "The edition file has {size} bytes; {limit} are the most.",
            hint="Pictures stand beside it, as files of their own.",
            size=len(source),
            limit=MAX_BYTES,
        )
    try:
        if b"\0" not in source:
            return source.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    encoding = _guess(source)
    raise Invalid(
        "The edition file is written in {encoding}, not in UTF-8.",
        hint="Save it again with the encoding UTF-8, or type: iconv -f {encoding} -t UTF-8 OLD > NEW"
        if encoding
        else "Save it again as plain text with the encoding UTF-8.",
        encoding=encoding or "?",
    )


def _guess(source: bytes) -> str:
    for bom, name in _BOMS.items():
        if source.startswith(bom):
            return name
    # keys and signs of a TOML file are ASCII, so in UTF-16 many of its bytes are zero, on one side of each pair
    low, high = source[::2].count(0), source[1::2].count(0)
    if low + high > len(source) // 10:
        return "UTF-16LE" if high > low else "UTF-16BE"
    try:
        source.decode("gb18030")
    except UnicodeDecodeError:
        return ""
    return "GB18030"


def parse(source: str) -> EditionText:
    """Read and check an edition file. Raises `Invalid` with the line or the place, and what to write instead."""
    try:
        values = tomllib.loads(source.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        where = _LINE.fullmatch(str(error))
        raise Invalid(
            "Line {line}: this is not TOML: {reason}.",
            hint='Text stands in straight quotes: title = "..."; a column begins with [[columns]].',
            line=where["line"] if where else source.count("\n") + 1,
            reason=where["reason"] if where else str(error),
        ) from None
    except RecursionError:
        raise Invalid("The edition file is nested too deeply.", hint="Its form is in docs/editions.md.") from None
    check_keys("", values, ("number", "date", "title", "variants", "columns"))
    edition = EditionText(
        number=read_number(values["number"], "number"),
        date=read_date(values["date"], "date"),
        title=read_line(values["title"], "title", MAX_TITLE),
        variants=read_names(values["variants"], "variants"),
        columns=tuple(_column(table, place) for place, table in read_tables(values["columns"], "columns")),
    )
    _check_audiences(edition)
    return edition


def _column(values: dict[str, Any], place: str) -> ColumnText:
    check_keys(f"{place}.", values, ("name", "items"))
    items = tuple(_item(table, where) for where, table in read_tables(values["items"], f"{place}.items"))
    return ColumnText(read_line(values["name"], f"{place}.name", MAX_COLUMN_NAME), items)


def _item(values: dict[str, Any], place: str) -> ItemText:
    check_keys(f"{place}.", values, ("headline", "sms"), ("full", "audience", "picture", "alt"))
    picture, alt = _picture(values, place)
    return ItemText(
        headline=read_line(values["headline"], f"{place}.headline", MAX_HEADLINE),
        sms=read_line(values["sms"], f"{place}.sms", MAX_SMS),
        full=read_text(values.get("full", ""), f"{place}.full", MAX_FULL),
        audience=read_names(values.get("audience", ["everyone"]), f"{place}.audience"),
        picture=picture,
        alt=alt,
    )


def _picture(values: dict[str, Any], place: str) -> tuple[str, str]:
    """The name of its file, and what is in it; neither or both."""
    if "picture" not in values and "alt" not in values:
        return "", ""
    check_keys(f"{place}.", values, ("headline", "sms", "picture", "alt"), ("full", "audience"))
    name = read_line(values["picture"], f"{place}.picture", MAX_NAME)
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
        raise Invalid(
            "{place} must be the name of a file beside the edition file.",
            hint='Put it there, or into a folder there: picture = "pictures/canteen.jpg".',
            place=f"{place}.picture",
        )
    return name, read_line(values["alt"], f"{place}.alt", MAX_ALT)


def _check_audiences(edition: EditionText) -> None:
    """Every item reaches the readers it is for, and every variant has something to read."""
    if not EVERYONE.isdisjoint(edition.variants[:-1]):
        raise Invalid(
            "The variant for everyone stands before others, which nobody would get then.",
            hint="Put it at the end of variants.",
        )
    known = {*edition.variants, *EVERYONE}
    items = [item for column in edition.columns for item in column.items]
    for item in items:
        for name in item.audience:
            if name not in known:
                nearest = difflib.get_close_matches(name, known, 1)
                raise Invalid(
                    "The item {headline} is for {name}, but the edition has no such variant.",
                    hint="Did you mean {nearest}?" if nearest else "Name it in variants too, or write one of: {known}.",
                    headline=item.headline,
                    name=name,
                    nearest="".join(nearest),
                    known=listed(sorted(known)),
                )
    for variant in edition.variants:
        if not any(stands_in(variant, item.audience) for item in items):
            raise Invalid(
                "The variant {variant} has no item.",
                hint="Write an item for it or for everyone, or take it out of variants.",
                variant=variant,
            )
