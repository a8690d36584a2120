"""The language of segments: `status = retired and under("East City")`, or 状态 = 离退休 且 属于("东城") -> a tree.

Pure: what needs the registry (organisations, saved segments) is looked up in `subscribers.segments`.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from lark import Lark, Token, Tree, UnexpectedInput

from subscribers.errors import Invalid
from subscribers.models import Status

LENGTH = 4000
TERMS = 200
DEPTH = 40
OLDEST = 150


@dataclass(frozen=True, slots=True)
class Everyone:
    """No condition."""


@dataclass(frozen=True, slots=True)
class StatusIs:
    """This standing on the day."""

    status: Status


@dataclass(frozen=True, slots=True)
class Away:
    """Living away on the day."""


@dataclass(frozen=True, slots=True)
class AgeAtLeast:
    """So many birthdays or more. Somebody whose birthday nobody knows is of no age."""

    years: int


@dataclass(frozen=True, slots=True)
class BirthdayKnown:
    """Whether an age can be told at all."""


@dataclass(frozen=True, slots=True)
class Tagged:
    """This tag among the member's."""

    tag: str


@dataclass(frozen=True, slots=True)
class Under:
    """In this organisation or one under it. `at` is where the rule names it."""

    names: str
    at: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Saved:
    """Whoever is in the saved segment of this name. `at` is where the rule names it."""

    name: str
    at: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """Everybody else."""

    term: Rule


@dataclass(frozen=True, slots=True)
class All:
    """Those in every one."""

    terms: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Those in at least one."""

    terms: tuple[Rule, ...]


Rule = Everyone | StatusIs | Away | AgeAtLeast | BirthdayKnown | Tagged | Under | Saved | Not | All | AnyOf

STATUSES = {status.value: status for status in Status} | {
    "在职": Status.IN_SERVICE,
    "离退休": Status.RETIRED,
    "预备": Status.PROBATIONARY,
    "申请人": Status.APPLICANT,
}
BUILT_IN: dict[str, Rule] = {
    "in_service": StatusIs(Status.IN_SERVICE),
    "在职": StatusIs(Status.IN_SERVICE),
    "retired": StatusIs(Status.RETIRED),
    "离退休": StatusIs(Status.RETIRED),
    "mobile": Away(),
    "流动": Away(),
    "everyone": Everyone(),
    "所有人": Everyone(),
}
_YES = {"yes": True, "是": True, "true": True, "1": True, "no": False, "否": False, "false": False, "0": False}
_SIGNS = {"==": "=", "＝": "=", "<>": "!=", "！＝": "!=", "≠": "!=", "≥": ">=", "≤": "<=", "＞": ">", "＜": "<"}
_PARSER: Lark = Lark.open("rules.lark", rel_to=__file__, parser="lalr", lexer="contextual")


def parse(text: str) -> Rule:
    """The rule as a tree. Raises `Invalid`, with the place where it went wrong under the text."""
    if len(text) > LENGTH:
        raise Invalid(
            "The rule is too long: {length} characters, at most {most}.",
            hint="Save parts of it as segments, and name them in the rule.",
            length=len(text),
            most=LENGTH,
        )
    if not text.strip():
        raise Invalid("The rule is empty.", hint='Write "everyone" if everybody is meant.')
    try:
        tree = _PARSER.parse(text)
    except UnexpectedInput as error:
        raise Invalid(
            "The rule cannot be read from column {column} on.\n  {line}\n  {caret}",
            hint='It looks like: status = retired and under("East City") and age >= 60. '
            "Names with other words or signs in them need quotes.",
            **pointer(text, _place(text, error)),
        ) from None
    rule = _build(text, tree)
    if sum(1 for _ in walk(rule)) > TERMS:
        raise too_much(text)
    return rule


def walk(rule: Rule) -> Iterator[Rule]:
    """The rule, and every condition in it."""
    yield rule
    match rule:
        case Not(term):
            yield from walk(term)
        case All(terms) | AnyOf(terms):
            for term in terms:
                yield from walk(term)


def pointer(text: str, at: int) -> dict[str, Any]:
    """The fields of a message that shows where: column (from 1), the line, and a caret under the place."""
    begin = text.rfind("\n", 0, at) + 1
    before = text[begin:at]
    # Chinese characters take two columns of a terminal
    width = sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in before)
    return {"column": len(before) + 1, "line": text[begin:].split("\n", 1)[0], "caret": " " * width + "^"}


def too_much(text: str, at: int = 0) -> Invalid:
    """The error for a rule that asks too much, by itself or with the segments it names."""
    return Invalid(
        "The rule has too many conditions, or conditions within conditions.\n  {line}\n  {caret}",
        hint="At most {terms} conditions, {depth} deep, with those of the segments that it names.",
        terms=TERMS,
        depth=DEPTH,
        **pointer(text, at),
    )


def _build(text: str, tree: Tree[Token], depth: int = 1) -> Rule:
    """The meaning of a syntax tree. Its depth is bounded here, so Python's stack is not."""
    if depth > DEPTH:
        raise too_much(text)
    match tree.data:
        case "any":
            return AnyOf(tuple(_build(text, inner, depth + 1) for inner in _inner(tree)))
        case "all":
            return All(tuple(_build(text, inner, depth + 1) for inner in _inner(tree)))
        case "negation":
            return Not(_build(text, _inner(tree)[0], depth + 1))
        case "bracket":
            return _build(text, _inner(tree)[0], depth + 1)
        case "comparison":
            return _comparison(text, *_tokens(tree))
        case "call":
            return _call(text, *_tokens(tree))
    name = _tokens(tree)[0]
    built_in = BUILT_IN.get(name.lower()) if name.type == "WORD" else None
    return built_in or Saved(_plain(name), _at(name))


def _call(text: str, function: Token, value: Token) -> Rule:
    if function.lower() not in ("under", "属于"):
        raise Invalid(
            "{word} cannot be asked, at column {column}.\n  {line}\n  {caret}",
            hint='With brackets there is: under("City/Branch").',
            word=str(function),
            **pointer(text, _at(function)),
        )
    return Under(_plain(value), _at(value))


def _comparison(text: str, word: Token, sign: Token, value: Token) -> Rule:
    compare = _FIELDS.get(word.lower())
    if compare is None:
        close = difflib.get_close_matches(word.lower(), _FIELDS, n=1)
        raise Invalid(
            "There is no field {word}, at column {column}.\n  {line}\n  {caret}",
            hint="Did you mean {nearest}?" if close else "There are: status, age, tag, mobile.",
            word=str(word),
            nearest=close[0] if close else "",
            **pointer(text, _at(word)),
        )
    operator = _SIGNS.get(str(sign), str(sign))
    if compare is _age:
        return _AGES[operator](_years(text, value))
    if operator not in ("=", "!="):
        raise Invalid(
            "{word} can only be = or !=, at column {column}.\n  {line}\n  {caret}",
            hint="Only age knows more and less.",
            word=str(word),
            **pointer(text, _at(sign)),
        )
    term = compare(text, value)
    return Not(term) if operator == "!=" else term


def _age(text: str, value: Token) -> Rule:
    return _exactly(_years(text, value))


def _years(text: str, value: Token) -> int:
    plain = _plain(value)
    if not plain.isdecimal() or len(plain) > 3 or int(plain) > OLDEST:
        raise Invalid(
            "{word} is no age, at column {column}.\n  {line}\n  {caret}",
            hint="Give whole years, at most {oldest}.",
            word=plain,
            oldest=OLDEST,
            **pointer(text, _at(value)),
        )
    return int(plain)


def _status(text: str, value: Token) -> Rule:
    status = STATUSES.get(_plain(value).lower())
    if status is None:
        raise Invalid(
            "There is no status {word}, at column {column}.\n  {line}\n  {caret}",
            hint="There are: in_service, retired, probationary, applicant (在职 离退休 预备 申请人).",
            word=_plain(value),
            **pointer(text, _at(value)),
        )
    return StatusIs(status)


def _tag(_text: str, value: Token) -> Rule:
    return Tagged(_plain(value))


def _mobile(text: str, value: Token) -> Rule:
    away = _YES.get(_plain(value).lower())
    if away is None:
        raise Invalid(
            "{word} is neither yes nor no, at column {column}.\n  {line}\n  {caret}",
            hint="Write mobile = yes, or mobile = no.",
            word=_plain(value),
            **pointer(text, _at(value)),
        )
    return Away() if away else Not(Away())


def _younger(years: int) -> Rule:
    return All((BirthdayKnown(), Not(AgeAtLeast(years))))


def _exactly(years: int) -> Rule:
    return All((AgeAtLeast(years), Not(AgeAtLeast(years + 1))))


_FIELDS: dict[str, Callable[[str, Token], Rule]] = {
    "status": _status,
    "状态": _status,
    "age": _age,
    "年龄": _age,
    "tag": _tag,
    "标签": _tag,
    "mobile": _mobile,
    "流动": _mobile,
}
_AGES: dict[str, Callable[[int], Rule]] = {
    ">=": AgeAtLeast,
    ">": lambda years: AgeAtLeast(years + 1),
    "<": _younger,
    "<=": lambda years: _younger(years + 1),
    "=": _exactly,
    "!=": lambda years: Not(_exactly(years)),
}


def _inner(tree: Tree[Token]) -> list[Tree[Token]]:
    return [child for child in tree.children if isinstance(child, Tree)]


def _tokens(tree: Tree[Token]) -> list[Token]:
    return [child for child in tree.children if isinstance(child, Token)]


def _plain(token: Token) -> str:
    return str(token)[1:-1] if token.type == "STRING" else str(token)


def _at(token: Token) -> int:
    return token.start_pos or 0


def _place(text: str, error: UnexpectedInput) -> int:
    token = getattr(error, "token", None)
    if token is not None and token.type == "$END":
        return len(text.rstrip())
    return error.pos_in_stream or 0
