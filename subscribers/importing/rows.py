"""One row of cells -> what it says about one person, or the reason why it cannot be used."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from subscribers import msisdn
from subscribers.cells import unprotect
from subscribers.errors import Invalid
from subscribers.importing.columns import Columns
from subscribers.models import Status, Wish
from subscribers.organisations import clean_path

NAME_LENGTH = 100
TAGS, TAG_LENGTH = 50, 50
OLDEST = date(1900, 1, 1)

_DATE = re.compile(r"(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{2})(\d{2}))(?:[ T]0{1,2}:00(?::00)?(?:\.0+)?)?")
_AWAY = re.compile(r"mobile|流动(?:党员|会员|成员|人员)?")
_STATUSES = {
    "": Status.IN_SERVICE,
    "in service": Status.IN_SERVICE,
    "在职": Status.IN_SERVICE,
    "在岗": Status.IN_SERVICE,
    "retired": Status.RETIRED,
    "离退休": Status.RETIRED,
    "退休": Status.RETIRED,
    "离休": Status.RETIRED,
    "probationary": Status.PROBATIONARY,
    "预备": Status.PROBATIONARY,
    "applicant": Status.APPLICANT,
    "申请人": Status.APPLICANT,
    "申请": Status.APPLICANT,
}
_WISHES = dict.fromkeys(["yes", "y", "true", "1", "是", "已订阅", "订阅"], Wish.IN) | dict.fromkeys(
    ["no", "n", "false", "0", "否", "未订阅", "不订阅", "退订"], Wish.OUT
)


@dataclass(frozen=True, slots=True)
class Standing:
    """A status, at home or away."""

    status: Status
    mobile: bool


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """What a row says. None, or nothing, where it says nothing: an empty cell erases nothing."""

    row: int
    cells: tuple[str, ...]
    name: str
    number: msisdn.Parsed | None
    organisation: str | None
    standing: Standing | None
    joined_on: date | None
    birthday: date | None
    wish: Wish | None
    tags: tuple[str, ...]
    external_id: str | None
    fields: Mapping[str, str]


def check_row(
    row: int, cells: Sequence[str], columns: Columns, *, region: str, on: date, cell_limit: int
) -> CheckedRow:
    """What the cells say. `on` is today where the paper is made. Raises `Invalid` with the first fault."""
    _check_cells(cells, columns, cell_limit)

    def cell(field: str) -> str:
        index = columns.fields.get(field)
        return unprotect(cells[index].strip()).strip() if index is not None and index < len(cells) else ""

    number, organisation, status = cell("msisdn"), cell("organisation"), cell("status")
    joined_on, birthday = cell("joined_on"), cell("birthday")
    return CheckedRow(
        row=row,
        cells=tuple(cells),
        name=read_name(cell("name")),
        number=msisdn.parse(number, region) if number else None,
        organisation=clean_path(organisation) if organisation else None,
        standing=read_standing(status) if status else None,
        joined_on=_past(joined_on, "joined_on", on) if joined_on else None,
        birthday=_past(birthday, "birthday", on) if birthday else None,
        wish=read_wish(cell("subscribed")),
        tags=read_tags(cell("tags")),
        external_id=_external_id(cell("external_id")),
        fields=_others(cells, columns),
    )


def read_name(text: str) -> str:
    """A name as it is kept: one space between words, none between Chinese characters."""
    name = " ".join(text.split())
    if not name:
        raise Invalid("The name is missing.", hint="Give each person a name.")
    if len(name) > NAME_LENGTH or not name.isprintable():
        raise Invalid(
            "The name is too long, or has signs in it that cannot be printed.",
            hint="Give at most {length} characters.",
            length=NAME_LENGTH,
        )
    if all(character == " " or character >= "\u2e80" for character in name):
        return name.replace(" ", "")
    return name


def read_standing(text: str) -> Standing:
    """`retired`, `离退休`, `retired mobile`, `离退休（流动）`; `mobile` or `流动` alone is in service, away."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    rest, away = _AWAY.subn(" ", plain)
    word = " ".join(re.sub(r"[\s_,;/+()、·-]+", " ", rest).split())
    for ending in ("党员", "会员", "成员", "人员"):
        word = word.removesuffix(ending)
    status = _STATUSES.get(word)
    if status is None or (not word and not away):
        raise Invalid(
            "There is no status {text}.",
            hint="There are: in_service, retired, probationary, applicant (在职 离退休 预备 申请人), "
            "with mobile (流动) behind it for those living away.",
            text=text[:50],
        )
    return Standing(status, bool(away))


def read_date(text: str, field: str) -> date:
    """A day written year first. Raises `Invalid` for any other order: nobody can tell which number is the month."""
    match = _DATE.fullmatch(unicodedata.normalize("NFKC", text))
    if match is None:
        raise Invalid("{field} is no date: {text}.", hint="Write dates like 2026-11-21.", field=field, text=text[:30])
    year, month, day = match[1], match[2] or match[4], match[3] or match[5]
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise Invalid(
            "{field} is a day that does not exist: {text}.",
            hint="Look it up, and write it like 2026-11-21.",
            field=field,
            text=text[:30],
        ) from None


def read_wish(text: str) -> Wish | None:
    """`yes`/`no`, `是`/`否`, `1`/`0`; empty says nothing."""
    if not text:
        return None
    wish = _WISHES.get(unicodedata.normalize("NFKC", text).casefold())
    if wish is None:
        raise Invalid(
            "subscribed is neither yes nor no: {text}.", hint="Write yes or no (是 否), or nothing.", text=text[:30]
        )
    return wish


def read_tags(text: str) -> tuple[str, ...]:
    """Tags with commas or semicolons between them, each once."""
    tags = tuple(dict.fromkeys(tag.strip() for tag in re.split(r"[,;，；、|]", text) if tag.strip()))
    if len(tags) > TAGS or any(len(tag) > TAG_LENGTH for tag in tags):
        raise Invalid(
            "There are too many tags, or one is too long.",
            hint="Give at most {tags} tags of {length} characters, with semicolons between them.",
            tags=TAGS,
            length=TAG_LENGTH,
        )
    return tags


def _past(text: str, field: str, on: date) -> date:
    day = read_date(text, field)
    if not OLDEST <= day <= on:
        raise Invalid(
            "{field} cannot be {day}.",
            hint="Give a day from {oldest} to today.",
            field=field,
            day=day,
            oldest=OLDEST,
        )
    return day


def _external_id(text: str) -> str | None:
    if len(text) > NAME_LENGTH or not text.isprintable():
        raise Invalid(
            "external_id is too long, or has signs in it that cannot be printed.",
            hint="Give at most {length} characters.",
            length=NAME_LENGTH,
        )
    return text or None


def _others(cells: Sequence[str], columns: Columns) -> dict[str, str]:
    kept = {}
    for heading, index in columns.others.items():
        if index < len(cells) and (text := unprotect(cells[index].strip())):
            kept[heading] = text
    return kept


def _check_cells(cells: Sequence[str], columns: Columns, cell_limit: int) -> None:
    if any(cell.strip() for cell in cells[len(columns.headings) :]):
        raise Invalid(
            "The row has {cells} cells, but there are {headings} headings.",
            hint="Put a cell that holds the delimiter into quotes, or give the column a heading.",
            cells=len(cells),
            headings=len(columns.headings),
        )
    for index, cell in enumerate(cells):
        if len(cell) > cell_limit:
            raise Invalid(
                "The cell in column {column} is too long: {length} characters, at most {most}.",
                hint="Shorten it, or see whether a quote is missing.",
                column=index + 1,
                length=len(cell),
                most=cell_limit,
            )
