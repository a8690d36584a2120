"""A rule as rows to click together, and back: each row asks one thing, and all of them hold, or any. Pure.

What is richer than that stays text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from broadcaster.language import language, listed, msgid, tr, translated
from broadcaster.words import place_words, segment_name, status_word
from subscribers import rules
from subscribers.errors import Invalid
from subscribers.nowhere import stored_name
from subscribers.rules import (
    All,
    AnyOf,
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
)
from subscribers.rules.fields import OPERATORS

#: rows on a page that asks for no more
ROWS = 3
MOST = 12


@dataclass(frozen=True, slots=True)
class Clause:
    """One row: what is asked, how, and the value."""

    field: str
    sign: str
    value: str


#: what can be asked by clicking -> what it is called on the page, and its words in the language of rules
FIELDS: Mapping[str, tuple[str, str, str]] = {
    "status": (msgid("Status"), "status", "状态"),
    "under": (msgid("Organisation, with all below"), "under", "属于"),
    "age": (msgid("Age"), "age", "年龄"),
    "years": (msgid("Years of membership"), "years", "会龄"),
    "joined": (msgid("Joined on"), "joined", "入会"),
    "birth_month": (msgid("Month of birth"), "birth_month", "出生月"),
    "tag": (msgid("Tag"), "tag", "标签"),
    "name": (msgid("Name"), "name", "姓名"),
    "operator": (msgid("Operator of the phone"), "operator", "运营商"),
    "mobile": (msgid("Lives away"), "mobile", "流动"),
    "reachable": (msgid("Can be sent to"), "reachable", "可发"),
    "list": (msgid("List"), "list", "名单"),
    "segment": (msgid("Segment"), "segment", "人群"),
}
SIGNS: Mapping[str, str] = {
    "=": msgid("is"),
    "!=": msgid("is not"),
    ">=": msgid("is at least"),
    "<=": msgid("is at most"),
    "starts": msgid("begins with"),
}
#: what is told of a field where it is chosen
_TOLD: Mapping[str, str] = {"age": msgid("Age, by the date of birth")}
#: what rows do not offer, and a typed rule may say
_STRICT: Mapping[str, str] = {">": msgid("is more than"), "<": msgid("is less than")}
_NAMING = ("under", "list", "segment")
#: what a column of the list itself begins with, before its heading
_OWN = "own:"
#: what is so, or is not: no value has to be typed
_FLAGS = ("mobile", "reachable")
_QUOTES = ('""', "“”", "「」", "‘’", "''")


def rows_of(fields: Sequence[str], signs: Sequence[str], values: Sequence[str]) -> list[Clause]:
    """The rows of a form."""
    return [Clause(*each) for each in zip(fields, signs, values, strict=False)][:MOST]


def with_room(clauses: Sequence[Clause], most: int = ROWS) -> list[Clause]:
    """The rows of a page, with empty ones to go on with."""
    return [*clauses, *[Clause("", "=", "")] * max(0, max(most, ROWS) - len(clauses))]


def rule_of(clauses: Sequence[Clause], *, is_any: bool) -> str:
    """The rule that these rows are, in the reader's language. Raises `Invalid` for what no rule can say."""
    if not clauses:
        raise Invalid("No row says what is asked.", hint="Choose something in the first row.")
    is_chinese = language() == "zh"
    between = (" 或 " if is_any else " 且 ") if is_chinese else (" or " if is_any else " and ")
    return between.join(_text(each, is_chinese=is_chinese) for each in clauses)


def clauses_of(rule: str) -> tuple[list[Clause], bool] | None:
    """The rows of a rule, and whether any of them is enough; None for a rule that is more than rows, or none."""
    try:
        meaning = rules.parse(rule)
    except Invalid:
        return None
    match meaning:
        case All(terms):
            found = [_clause(term) for term in terms]
        case AnyOf(terms):
            found = [_clause(term) for term in terms]
        case _:
            found = [_clause(meaning)]
    clauses = [each for each in found if each is not None]
    return (clauses, isinstance(meaning, AnyOf)) if len(clauses) == len(found) <= MOST else None


def said(rule: str) -> str:
    """Whom a rule holds, in words; as it stands where there are no words for it, or where it is none."""
    try:
        return _in_words(rules.parse(rule)) or rule
    except Invalid:
        return rule


def _in_words(meaning: Rule, *, inside: bool = False) -> str:
    """Empty where there are no words for it. `inside`: other words stand beside it."""
    if clause := _clause(meaning):
        return _said(clause)
    match meaning:
        case All(terms) | AnyOf(terms):
            told = [_in_words(term, inside=True) for term in terms]
            between = tr(", or ") if isinstance(meaning, AnyOf) else tr(", and ")
            words = between.join(told) if all(told) else ""
            return tr("({words})", words=words) if inside and words else words
        case Not(inner):
            words = _in_words(inner)
            return tr("not ({words})", words=words) if words else ""
        case Everyone():
            return status_word("everyone")
        case Place(names, False):
            return tr("{name} without what is below", name=place_words(names))
        case Is(field, values, heading) if heading or field.value in FIELDS:
            named = listed(_value_word(field, str(each)) for each in values)
            sign = translated(SIGNS["="]) if len(values) == 1 else tr("is one of:")
            asked = own_word(heading) if heading else translated(FIELDS[field.value][0])
            return tr("{field} {sign} {value}", field=asked, sign=sign, value=named)
        case Compared(field, sign, value, heading) if (heading or field.value in FIELDS) and sign in _STRICT:
            asked = own_word(heading) if heading else translated(FIELDS[field.value][0])
            return tr("{field} {sign} {value}", field=asked, sign=translated(_STRICT[sign]), value=value)
    return ""


def _said(clause: Clause) -> str:
    value, is_not = clause.value, clause.sign == "!="
    match clause.field:
        case "under":
            value = place_words(value)
            return tr("not in {name}", name=value) if is_not else tr("{name} and all below", name=value)
        case "mobile":
            words = tr("does not live away") if is_not else status_word("mobile")
        case "reachable":
            words = tr("cannot be sent to") if is_not else tr("can be sent to")
        case "status" | "segment":
            words = tr("not {name}", name=value) if is_not else value
        case "list":
            words = tr("not on the list {name}", name=value) if is_not else tr("on the list {name}", name=value)
        case field:
            asked, sign = asked_of(field), translated(SIGNS[clause.sign])
            words = tr("{field} {sign} {value}", field=asked, sign=sign, value=value)
    return words


def _text(clause: Clause, *, is_chinese: bool) -> str:
    heading = _heading(clause.field)
    if (clause.field not in FIELDS and not heading) or clause.sign not in SIGNS:
        raise Invalid("This cannot be asked: {field}.", field=repr(f"{clause.field} {clause.sign}"[:40]))
    typed = clause.value.strip() or (_yes() if clause.field in _FLAGS else "")
    if not typed:
        raise Invalid("What is asked of {field} is missing.", hint="Fill in its value.", field=asked_of(clause.field))
    if clause.field == "under":
        typed = place_words(stored_name(typed))
    if clause.field == "status" and not is_chinese:
        # the page says "in service"; Chinese has the same words in rules
        typed = segment_name(typed)
    word, value = _word(clause.field, is_chinese=is_chinese), _quoted(typed)
    if clause.field in _NAMING:
        if clause.sign not in ("=", "!="):
            raise Invalid("Whether somebody is in it can be asked, and nothing else.", hint="Choose “is” or “is not”.")
        named = f"{word}({value})"
        return named if clause.sign == "=" else f"非 {named}" if is_chinese else f"not {named}"
    starts = "开头是" if is_chinese else "starts with"
    return f"{word} {starts if clause.sign == 'starts' else clause.sign} {value}"


def is_half_made(clause: Clause) -> bool:
    """Whether it says of what is asked, and not what that shall be."""
    is_asked = clause.field in FIELDS or bool(_heading(clause.field))
    return is_asked and clause.field not in _FLAGS and not clause.value.strip()


def own_field(heading: str) -> str:
    """The field that a column of one's own is."""
    return _OWN + heading


def asked_of(field: str) -> str:
    """What a field is called on the page."""
    heading = _heading(field)
    return own_word(heading) if heading else translated(FIELDS[field][0])


def own_word(heading: str) -> str:
    """A column of one's own, told apart from what is built in where it is called the same."""
    if any(is_called(heading, field) for field in FIELDS):
        return tr("{heading} (a column of your lists)", heading=heading)
    return heading


def is_called(heading: str, field: str) -> bool:
    """Whether a heading is the name of what is built in, in either language."""
    word, *words = FIELDS[field]
    return heading.casefold() in {each.casefold() for each in (word, translated(word), *words)}


def _heading(field: str) -> str:
    """The heading that a field is, if it is a column of one's own; else empty."""
    return field.removeprefix(_OWN) if field.startswith(_OWN) else ""


def _word(field: str, *, is_chinese: bool) -> str:
    if heading := _heading(field):
        return f"{'字段' if is_chinese else 'field'}({_quoted(heading)})"
    return FIELDS[field][2 if is_chinese else 1]


def _quoted(value: str) -> str:
    for quotes in _QUOTES:
        if not set(quotes) & set(value) and value.isprintable():
            return f"{quotes[0]}{value}{quotes[1]}"
    raise Invalid("{value} has too many kinds of quotes in it.", hint="Leave them out.", value=repr(value[:40]))


def _clause(term: Rule, *, is_not: bool = False) -> Clause | None:
    sign = "!=" if is_not else "="
    match term:
        case Not(inner) if not is_not:
            return _clause(inner, is_not=True)
        case Is(field, (value,), "") if field.value in FIELDS:
            return Clause(field.value, sign, _value_word(field, str(value)))
        case Is(Field.OWN, (value,), heading) if value:
            return Clause(_OWN + heading, sign, str(value))
        case Compared(field, kind, value) if field.value in FIELDS and kind in SIGNS and not is_not:
            return Clause(field.value, kind, str(value))
        case Compared(Field.OWN, kind, value, heading) if kind in SIGNS and not is_not:
            return Clause(_OWN + heading, kind, str(value))
        case Starts(field, text, "") if field.value in FIELDS and not is_not:
            return Clause(field.value, "starts", text)
        case Starts(Field.OWN, text, heading) if text and not is_not:
            return Clause(_OWN + heading, "starts", text)
        case Away():
            return Clause("mobile", sign, _yes())
        case Reachable():
            return Clause("reachable", sign, _yes())
        case Place(names, True):
            return Clause("under", sign, place_words(names))
        case OnList(name):
            return Clause("list", sign, name)
        case Saved(name):
            return Clause("segment", sign, name)
    return None


def _value_word(field: Field, value: str) -> str:
    if field is Field.STATUS:
        return status_word(value)
    if field is Field.OPERATOR and language() == "zh":
        return next(word for word, name in OPERATORS.items() if name == value and not word.isascii())
    return value


def _yes() -> str:
    return "是" if language() == "zh" else "yes"


def choices(headings: Sequence[str], clauses: Sequence[Clause]) -> dict[str, list[tuple[str, str]]]:
    """What `rows.html` offers, in the reader's language: `headings` of columns of one's own, and those in `clauses`."""
    asked = filter(None, (_heading(each.field) for each in clauses))
    return {
        "fields": [("", "—"), *((field, translated(_TOLD.get(field, word))) for field, (word, _, _) in FIELDS.items())],
        "own": [(own_field(heading), own_word(heading)) for heading in dict.fromkeys([*headings, *asked])],
        "signs": [(sign, translated(word)) for sign, word in SIGNS.items()],
    }
