"""The words of the language: fields, their values, and what may be asked of each."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from lark import Token

from subscribers.errors import Invalid
from subscribers.models import Status
from subscribers.nowhere import stored_name
from subscribers.rules.faults import clipped, pointer
from subscribers.rules.terms import (
    Away,
    Compared,
    Everyone,
    Field,
    Is,
    Not,
    OnList,
    Place,
    Reachable,
    Rule,
    Saved,
    Starts,
    Value,
)

#: no row of any database has a greater number
_MOST_ID = 2**63 - 1
_OLDEST = 150
#: the greatest number by which a column of one's own is compared: of 15 digits
MOST_OWN = 10**15 - 1
_DEEPEST = 30

STATUSES = {status.value: status.value for status in Status} | {
    "在职": Status.IN_SERVICE.value,
    "离退休": Status.RETIRED.value,
    "预备": Status.PROBATIONARY.value,
    "申请人": Status.APPLICANT.value,
}
OPERATORS = {name: name for name in ("mobile", "unicom", "telecom", "broadnet")} | {
    "移动": "mobile",
    "联通": "unicom",
    "电信": "telecom",
    "广电": "broadnet",
}
BUILT_IN: dict[str, Rule] = {
    "in_service": Is(Field.STATUS, (Status.IN_SERVICE.value,)),
    "在职": Is(Field.STATUS, (Status.IN_SERVICE.value,)),
    "retired": Is(Field.STATUS, (Status.RETIRED.value,)),
    "离退休": Is(Field.STATUS, (Status.RETIRED.value,)),
    "mobile": Away(),
    "流动": Away(),
    "reachable": Reachable(),
    "可发": Reachable(),
    # as it was called before
    "可达": Reachable(),
    "everyone": Everyone(),
    "所有人": Everyone(),
}
SIGNS = {
    "==": "=",
    "＝": "=",
    "是": "=",
    "<>": "!=",
    "！＝": "!=",
    "≠": "!=",
    "不是": "!=",
    "≥": ">=",
    "≤": "<=",
    "＞": ">",
    "＜": "<",
}
_YES = {"yes": True, "是": True, "true": True, "1": True, "no": False, "否": False, "false": False, "0": False}
_FLAGS: dict[str, Rule] = {
    "mobile": Away(),
    "流动": Away(),
    "reachable": Reachable(),
    "可发": Reachable(),
    "可达": Reachable(),
}
#: functions that name something of the registry: word -> what `at`, `end` and a name make
_NAMING: dict[str, Callable[[str, int, int], Rule]] = {
    "under": lambda name, at, end: Place(stored_name(name), whole=True, at=at, end=end),
    "属于": lambda name, at, end: Place(stored_name(name), whole=True, at=at, end=end),
    "at": lambda name, at, end: Place(stored_name(name), whole=False, at=at, end=end),
    "在": lambda name, at, end: Place(stored_name(name), whole=False, at=at, end=end),
    "list": OnList,
    "名单": OnList,
    "segment": Saved,
    "人群": Saved,
}
_OWN = ("field", "字段")


@dataclass(frozen=True, slots=True)
class _Kind:
    """How the values of a field are read, and whether they can be more or less, or begin with something.

    `bound`: how that is read which they are more or less than, where it is read otherwise.
    """

    read: Callable[[str, Token], Value]
    ordered: bool = False
    prefixed: bool = False
    bound: Callable[[str, Token], Value] | None = None


def plain(token: Token) -> str:
    """A value without its quotes."""
    return str(token)[1:-1] if token.type == "STRING" else str(token)


def place(token: Token) -> int:
    """Where it stands in the text."""
    return token.start_pos or 0


def name(token: Token) -> Rule:
    """A word alone: what is built in, or a saved segment."""
    built_in = BUILT_IN.get(token.lower()) if token.type == "WORD" else None
    return built_in or Saved(plain(token), place(token), token.end_pos or 0)


def call(text: str, function: Token, given: Token) -> Rule:
    """A word with a name in brackets."""
    make = _NAMING.get(function.lower())
    if make is None and function.lower() in _OWN:
        raise Invalid(
            "What {word} should be is missing, at column {column}.\n  {line}\n  {caret}",
            hint='Write it like field("Heading") = "value".',
            word=str(function),
            **pointer(text, place(function)),
        )
    if make is None:
        raise Invalid(
            "{word} cannot be asked, at column {column}.\n  {line}\n  {caret}",
            hint='With a name in brackets there are: under("City/Branch"), at("City/Branch"), list("Name"), '
            'segment("Name").',
            word=clipped(str(function)),
            **pointer(text, place(function)),
        )
    return make(plain(given), place(given), given.end_pos or 0)


def own(text: str, function: Token, heading: Token, sign: Token, *values: Token) -> Rule:
    """A test of a column of the user's own."""
    if function.lower() not in _OWN:
        raise Invalid(
            "{word} is compared with nothing, at column {column}.\n  {line}\n  {caret}",
            hint='Only fields are compared. A column of your own is written field("Heading") = "value".',
            word=clipped(str(function)),
            **pointer(text, place(sign)),
        )
    return _tested(text, Field.OWN, plain(heading), sign, values)


def test(text: str, word: Token, sign: Token, *values: Token) -> Rule:
    """A test of a field."""
    if flag := _FLAGS.get(word.lower()):
        return _flag(text, flag, word, sign, values)
    asked = _FIELDS.get(word.lower())
    if asked is None:
        close = difflib.get_close_matches(word.lower(), [*_FIELDS, *_FLAGS], n=1)
        raise Invalid(
            "There is no field {word}, at column {column}.\n  {line}\n  {caret}",
            hint="Did you mean {nearest}?"
            if close
            else "There are: {known}. A column of your own is written field(...).",
            word=clipped(str(word)),
            nearest=close[0] if close else "",
            known=_known(like=str(word)),
            **pointer(text, place(word)),
        )
    return _tested(text, asked, "", sign, values)


def _known(*, like: str) -> str:
    """The words that there are, in the language of one that is not among them."""
    return " ".join(sorted(word for word in (*_FIELDS, *_FLAGS) if word.isascii() == like.isascii()))


def _tested(text: str, asked: Field, heading: str, sign: Token, tokens: tuple[Token, ...]) -> Rule:
    kind = _KINDS.get(asked, _Kind(_text))
    operator = SIGNS.get(str(sign), str(sign))
    if sign.type == "STARTS":
        if not kind.prefixed:
            raise _cannot(text, asked, sign)
        return Starts(asked, plain(tokens[0]), heading)
    if sign.type == "COMPARISON" and operator not in ("=", "!="):
        bound = (kind.bound or kind.read)(text, tokens[0])
        if not kind.ordered or isinstance(bound, str):
            raise _cannot(text, asked, sign)
        return Compared(asked, operator, bound, heading)
    values = tuple(dict.fromkeys(kind.read(text, token) for token in tokens))
    found = Is(asked, values, heading)
    return Not(found) if sign.type == "NOT_IN" or operator == "!=" else found


def _flag(text: str, flag: Rule, word: Token, sign: Token, values: tuple[Token, ...]) -> Rule:
    operator = SIGNS.get(str(sign), str(sign))
    if operator not in ("=", "!="):
        raise _cannot(text, word.lower(), sign)
    yes = _YES.get(plain(values[0]).lower())
    if yes is None:
        raise Invalid(
            "{word} is neither yes nor no, at column {column}.\n  {line}\n  {caret}",
            hint="Write {flag} = yes, or {flag} = no.",
            word=clipped(plain(values[0])),
            flag=clipped(str(word)),
            **pointer(text, place(values[0])),
        )
    return flag if yes == (operator == "=") else Not(flag)


def _cannot(text: str, word: str, sign: Token) -> Invalid:
    return Invalid(
        "{word} cannot be asked this way, at column {column}.\n  {line}\n  {caret}",
        hint="Every field can be = and !=, and all but mobile and reachable can be in (...). "
        "Ages, years, dates, numbers and your own columns know more and less; names and your own columns know starts "
        "with.",
        word=clipped(str(word)),
        **pointer(text, place(sign)),
    )


def _text(_text: str, token: Token) -> str:
    return plain(token)


def _one_of(asked: Field, known: Mapping[str, str]) -> Callable[[str, Token], str]:
    def read(text: str, token: Token) -> str:
        found = known.get(plain(token).lower())
        if found is None:
            raise Invalid(
                _NO_SUCH[asked], hint=_THERE_ARE[asked], word=clipped(plain(token)), **pointer(text, place(token))
            )
        return found

    return read


def _number(least: int, most: int) -> Callable[[str, Token], int]:
    def read(text: str, token: Token) -> int:
        written = plain(token)
        short = written.isdecimal() and len(written.lstrip("0")) <= len(str(most))
        if not short or not least <= int(written) <= most:
            raise Invalid(
                "{word} cannot be this number, at column {column}.\n  {line}\n  {caret}",
                hint="Give a whole number from {least} to {most}.",
                word=clipped(written),
                least=least,
                most=most,
                **pointer(text, place(token)),
            )
        return int(written)

    return read


def _day(text: str, token: Token) -> date:
    found = re.fullmatch(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", plain(token))
    try:
        if found is None:
            raise ValueError("not written as a day")
        return date(*(int(part) for part in found.groups()))
    except ValueError:
        raise Invalid(
            "{word} is no day, at column {column}.\n  {line}\n  {caret}",
            hint="Write it like 2026-11-25.",
            word=clipped(plain(token)),
            **pointer(text, place(token)),
        ) from None


_NO_SUCH = {
    Field.STATUS: "There is no status {word}, at column {column}.\n  {line}\n  {caret}",
    Field.OPERATOR: "There is no operator {word}, at column {column}.\n  {line}\n  {caret}",
}
_THERE_ARE = {
    Field.STATUS: "There are: in_service, retired, probationary, applicant (在职 离退休 预备 申请人).",
    Field.OPERATOR: "There are: mobile, unicom, telecom, broadnet (移动 联通 电信 广电).",
}
_KINDS: dict[Field, _Kind] = {
    Field.STATUS: _Kind(_one_of(Field.STATUS, STATUSES)),
    Field.OPERATOR: _Kind(_one_of(Field.OPERATOR, OPERATORS)),
    Field.AGE: _Kind(_number(0, _OLDEST), ordered=True),
    Field.YEARS: _Kind(_number(0, _OLDEST), ordered=True),
    Field.BIRTH_MONTH: _Kind(_number(1, 12), ordered=True),
    Field.BIRTH_DAY: _Kind(_number(1, 31), ordered=True),
    Field.LEVEL: _Kind(_number(0, _DEEPEST), ordered=True),
    Field.ID: _Kind(_number(1, _MOST_ID)),
    Field.BIRTHDAY: _Kind(_day, ordered=True),
    Field.JOINED: _Kind(_day, ordered=True),
    Field.NAME: _Kind(_text, prefixed=True),
    Field.EXTERNAL_ID: _Kind(_text, prefixed=True),
    Field.OWN: _Kind(_text, ordered=True, prefixed=True, bound=_number(0, MOST_OWN)),
}
_CHINESE = {
    "状态": Field.STATUS,
    "年龄": Field.AGE,
    "生日": Field.BIRTHDAY,
    "出生月": Field.BIRTH_MONTH,
    "出生日": Field.BIRTH_DAY,
    "入会": Field.JOINED,
    "会龄": Field.YEARS,
    "标签": Field.TAG,
    "姓名": Field.NAME,
    "编号": Field.EXTERNAL_ID,
    "会员号": Field.ID,
    "运营商": Field.OPERATOR,
    "类别": Field.KIND,
    "层级": Field.LEVEL,
}
_FIELDS: dict[str, Field] = {field.value: field for field in Field if field is not Field.OWN} | _CHINESE
#: every word that opens a condition, for the page that explains them: docs/segments.md
WORDS: dict[str, Any] = {**_FIELDS, **_FLAGS, **_NAMING, **dict.fromkeys(_OWN, Field.OWN), **BUILT_IN}
