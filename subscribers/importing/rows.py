"""One row of cells -> what it says about one person, or the reason why it cannot be used."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from subscribers import msisdn
from subscribers.cells import unprotect
from subscribers.errors import Invalid
from subscribers.importing.columns import FIELDS, Columns
from subscribers.models import Status, Wish
from subscribers.organisations import NAME_LENGTH as NODE_LENGTH
from subscribers.organisations import clean_path

Value = TypeVar("Value")

NAME_LENGTH = 100
PLACE_LENGTH = 100
#: beside the one that is used
NUMBERS = 9
TAGS, TAG_LENGTH = 50, 50
OLDEST = date(1900, 1, 1)

_NOTHING: Mapping[str, str] = MappingProxyType({})
_BETWEEN_NUMBERS = re.compile(r"[;；,，、/|]")
_DATE = re.compile(
    r"(\d{4})(?:[-/.年](\d{1,2})(?:[-/.月](\d{1,2})日?|月?)|(\d{2})(\d{2})?)(?:[ T]0{1,2}:00(?::00)?(?:\.0+)?)?"
)
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
#: what stands in the last row of many lists
TOTALS = frozenset({"合计", "总计", "小计", "共计", "total", "subtotal", "sum"})
_HEADCOUNT = re.compile(r"共?\d+[人名位]")
_YES = "yes y true 1 是 已订阅 订阅 订 同意 愿意 接收 √ ✓ ✔"
_NO = "no n false 0 否 未订阅 不订阅 退订 不订 不同意 不愿意 不接收 × ✗ ✘"
_WISHES = dict.fromkeys(_YES.split(), Wish.IN) | dict.fromkeys(_NO.split(), Wish.OUT)


@dataclass(frozen=True, slots=True)
class Standing:
    """A status, at home or away."""

    status: Status
    mobile: bool


class CheckedRow(NamedTuple):
    """What a row says. None, or nothing, where it says nothing: an empty cell erases nothing."""

    row: int
    cells: Sequence[str]
    name: str
    #: the one that is used comes first
    numbers: tuple[msisdn.Parsed, ...]
    organisation: str | None
    standing: Standing | None
    away_place: str | None
    host_branch: str | None
    joined_on: date | None
    birthday: date | None
    wish: Wish | None
    tags: tuple[str, ...]
    external_id: str | None
    fields: Mapping[str, str]


class Remembered(dict[str, Value]):
    """What a cell means, worked out once: a column of statuses or days says the same few things again and again."""

    _MOST = 50_000

    def __init__(self, read: Callable[[str], Value]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, cell: str) -> Value:
        value = self._read(unprotect(cell).strip())
        if len(self) == self._MOST:
            self.clear()
        self[cell] = value
        return value


class Reader:
    """Reads the rows of one file. `on` is today where the paper is made."""

    def __init__(self, columns: Columns, *, region: str, on: date, cell_limit: int) -> None:
        self._columns = columns
        self._region = region
        self._cell_limit = cell_limit
        # a column that is not there is read from one empty cell too many
        self._width = len(columns.headings)
        self._at = [columns.fields.get(field, self._width) for field in FIELDS]
        self._others = list(columns.others.items())
        self._external_id = partial(_external_id, field=self._label("external_id"))
        self.organisations = Remembered(_or_none(clean_path))
        self.standings = Remembered(_or_none(read_standing))
        self._places = Remembered(_or_none(partial(_words, field=self._label("away_place"), length=PLACE_LENGTH)))
        self._hosts = Remembered(_or_none(partial(_words, field=self._label("host_branch"), length=NODE_LENGTH)))
        self.joined = Remembered(_or_none(partial(_past, field=self._label("joined_on"), on=on)))
        self.birthdays = Remembered(_or_none(partial(_past, field=self._label("birthday"), on=on)))
        self.wishes = Remembered(partial(read_wish, field=self._label("subscribed")))
        self.tags = Remembered(read_tags)

    def read(self, row: int, cells: Sequence[str]) -> CheckedRow:
        """What the cells say. Raises `Invalid` with the first fault."""
        missing = self._width - len(cells)
        if missing < 0 or max(map(len, cells)) > self._cell_limit:
            _check_cells(cells, self._columns, self._cell_limit)
        padded = [*map(str.strip, cells)]
        padded[self._width :] = [""] * (max(missing, 0) + 1)
        name, number, others, organisation, status, place, host, joined, birthday, wish, tags, external_id = map(
            padded.__getitem__, self._at
        )
        return CheckedRow(
            row,
            cells,
            # letters of any script and nothing else: nothing in it needs to be put right
            name
            if name.isalpha() and len(name) <= NAME_LENGTH and name.casefold() not in TOTALS
            else read_name(unprotect(name)),
            self._numbers(number, others),
            self.organisations[organisation],
            self.standings[status],
            self._places[place],
            self._hosts[host],
            self.joined[joined],
            self.birthdays[birthday],
            self.wishes[wish],
            self.tags[tags],
            external_id
            if external_id.isalnum() and len(external_id) <= NAME_LENGTH
            else self._external_id(external_id),
            self._own_fields(padded) if self._others else _NOTHING,
        )

    def _label(self, field: str) -> str:
        """What the file itself calls a field."""
        index = self._columns.fields.get(field)
        return field if index is None else self._columns.headings[index]

    def _numbers(self, number: str, others: str) -> tuple[msisdn.Parsed, ...]:
        if number[:1] == "'":
            number = unprotect(number).strip()
        first = (msisdn.parse(number, self._region),) if number else ()
        if not others:
            return first
        written = (one for one in _BETWEEN_NUMBERS.split(unprotect(others)) if one.strip())
        more = [msisdn.parse(one.strip(), self._region) for one in written]
        if len(more) > NUMBERS:
            raise Invalid("There are too many numbers.", hint="Give at most {most} for a person.", most=NUMBERS + 1)
        return tuple(dict.fromkeys((*first, *more)))

    def _own_fields(self, cells: Sequence[str]) -> Mapping[str, str]:
        return {heading: unprotect(cells[index]) for heading, index in self._others if cells[index]}


def read_name(text: str) -> str:
    """A name as it is kept: one space between words, none between Chinese characters."""
    name = " ".join(text.split())
    if not name:
        raise Invalid("The name is missing.", hint="Give each person a name.")
    together = name.replace(" ", "")
    if together.casefold() in TOTALS or _HEADCOUNT.fullmatch(together):
        raise Invalid("{name} is a sum and no person.", hint="Leave out the row.", name=name)
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
    for ending in ("党员", "会员", "成员", "人员", "干部", "职工"):
        word = word.removesuffix(ending)
    status = _STATUSES.get(word)
    if status is None or (not word and not away):
        raise Invalid(
            "There is no status {text}.",
            hint="There are: in service, retired, probationary, applicant (在职 离退休 预备 申请人), "
            "with mobile (流动) behind it for those living away.",
            text=text[:50],
        )
    return Standing(status, bool(away))


def is_standing(text: str) -> bool:
    """Whether `read_standing` understands it."""
    try:
        read_standing(text)
    except Invalid:
        return False
    return True


def read_date(text: str, field: str) -> date:
    """A day written year first, or a month, as offices keep them: then its first day.

    Raises `Invalid` for any other order: nobody can tell which number is the month.
    """
    match = _DATE.fullmatch(unicodedata.normalize("NFKC", text))
    if match is None:
        raise Invalid("{field} is no date: {text}.", hint="Write dates like 2026-11-21.", field=field, text=text[:30])
    year, month, day = match[1], match[2] or match[4], match[3] or match[5] or 1
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise Invalid(
            "{field} is a day that does not exist: {text}.",
            hint="Look it up, and write it like 2026-11-21.",
            field=field,
            text=text[:30],
        ) from None


def read_wish(text: str, field: str = "subscribed") -> Wish | None:
    """`yes`/`no`, `是`/`否`, `1`/`0`; empty says nothing."""
    if not text:
        return None
    wish = _WISHES.get(unicodedata.normalize("NFKC", text).casefold())
    if wish is None:
        raise Invalid(
            "{field} is neither yes nor no: {text}.",
            hint="Write yes or no (是 否), or nothing.",
            field=field,
            text=text[:30],
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


def _or_none(read: Callable[[str], Value]) -> Callable[[str], Value | None]:
    return lambda text: read(text) if text else None


def _words(text: str, *, field: str, length: int) -> str:
    plain = " ".join(text.split())
    if len(plain) > length or not plain.isprintable():
        raise Invalid(
            "{field} is too long, or has signs in it that cannot be printed.",
            hint="Give at most {length} characters.",
            field=field,
            length=length,
        )
    return plain


def _past(text: str, *, field: str, on: date) -> date:
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


def _external_id(written: str, *, field: str) -> str | None:
    text = unprotect(written).strip()
    if len(text) > NAME_LENGTH or not text.isprintable():
        raise Invalid(
            "{field} is too long, or has signs in it that cannot be printed.",
            hint="Give at most {length} characters.",
            field=field,
            length=NAME_LENGTH,
        )
    return text or None


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
