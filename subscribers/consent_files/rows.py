"""One row of cells -> one expression of will, or the reason why it cannot be used."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from subscribers import msisdn
from subscribers.cells import unprotect
from subscribers.column_wishes import SaidOfColumn, clean_topic
from subscribers.consent import Said
from subscribers.consent_files.columns import FIELDS, Columns
from subscribers.errors import Invalid
from subscribers.models import Wish

SOURCE_LENGTH, WORDING_LENGTH = 40, 2000
OLDEST = date(2000, 1, 1)

_WISHES = dict.fromkeys(
    ["", "out", "no", "n", "false", "0", "stop", "否", "退订", "拒收", "不同意", "未订阅", "不订阅", "黑名单"], Wish.OUT
) | dict.fromkeys(["in", "yes", "y", "true", "1", "是", "同意", "订阅", "已订阅"], Wish.IN)
_DAY = re.compile(r"(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{2})(\d{2}))(.*)")
_HOUR = re.compile(r"\A[ T](\d):")


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What all rows of a file have in common. `source` and `wording` stand where a row has none."""

    file: str
    region: str
    zone: ZoneInfo
    source: str
    wording: str
    now: datetime
    cell_limit: int
    import_id: int


def read_row(row: int, cells: Sequence[str], columns: Columns, around: Circumstances) -> SaidOfColumn:
    """What the cells say. Raises `Invalid` with the first fault."""
    if any(len(cell) > around.cell_limit for cell in cells):
        raise Invalid(
            "A cell is too long: at most {most} characters.",
            hint="Shorten it, or see whether a quote is missing.",
            most=around.cell_limit,
        )
    number, wish, source, wording, at, topic = (_cell(cells, columns.fields.get(field)) for field in FIELDS)
    if not number:
        raise Invalid("The number is missing.", hint="Give the number that the wish is about.")
    said = Said(
        msisdn.parse(number, around.region).msisdn,
        read_wish(wish),
        clean_source(source or around.source),
        clean_wording(wording or around.wording),
        around.import_id,
        read_at(at, around) if at else None,
    )
    if said.wish == Wish.IN and not said.wording:
        raise Invalid(
            "There is no evidence that this person agreed.",
            hint="Write into the column wording how you know; for all rows alike: --wording.",
        )
    return SaidOfColumn(clean_topic(topic), said)


def read_wish(text: str) -> Wish:
    """`out`/`in` in the usual words; empty is out. Raises `Invalid`."""
    wish = _WISHES.get(unicodedata.normalize("NFKC", text).casefold())
    if wish is None:
        raise Invalid(
            "wish is neither in nor out: {text}.", hint="Write out or in (退订 同意); nothing is out.", text=text[:30]
        )
    return wish


def clean_source(text: str) -> str:
    """The door through which it was said. Raises `Invalid`."""
    source = text.strip()
    if not source or len(source) > SOURCE_LENGTH or not source.isprintable():
        raise Invalid(
            "The source is too long, or has signs in it that cannot be printed.",
            hint="Give 1 to {length} characters, like carrier, paper, telephone.",
            length=SOURCE_LENGTH,
        )
    return source


def clean_wording(text: str) -> str:
    """The words that were said. Raises `Invalid`."""
    wording = text.strip()
    if len(wording) > WORDING_LENGTH:
        raise Invalid("The wording is too long.", hint="Give at most {length} characters.", length=WORDING_LENGTH)
    return wording


def read_at(text: str, around: Circumstances) -> datetime:
    """When it was said: a day or a moment, in the paper's own zone unless it names another. Raises `Invalid`."""
    match = _DAY.fullmatch(unicodedata.normalize("NFKC", text))
    try:
        if match is None:
            raise ValueError("no day")
        year, month, day, rest = match[1], match[2] or match[4], match[3] or match[5], match[6]
        time = _HOUR.sub(r" 0\1:", rest.rstrip())
        at = datetime.fromisoformat(f"{year}-{int(month):02}-{int(day):02}{time}")
        at = (at if at.tzinfo else at.replace(tzinfo=around.zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid(
            "at is no time: {text}.", hint="Write it like 2026-11-21 or 2026-11-21 10:30.", text=text[:30]
        ) from None
    if at.date() < OLDEST or at > around.now:
        raise Invalid("at cannot be {text}.", hint="Give a time from {oldest} to now.", text=text[:30], oldest=OLDEST)
    return at


def _cell(cells: Sequence[str], index: int | None) -> str:
    return unprotect(cells[index].strip()).strip() if index is not None and index < len(cells) else ""
