"""A rule that was looked up -> a condition of SQL. What a user typed is only ever a bound value."""

from __future__ import annotations

import operator
from calendar import isleap
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    String,
    and_,
    case,
    cast,
    exists,
    extract,
    false,
    func,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy import column as sql_column
from sqlalchemy.orm import aliased

from subscribers.consent import reachable_member
from subscribers.models import Listed, Member, Membership, Number, Organisation
from subscribers.organisations import in_subtree
from subscribers.rules import (
    All,
    AnyOf,
    Away,
    Compared,
    Everyone,
    Field,
    InList,
    InOrganisation,
    InSubtree,
    Is,
    Not,
    Reachable,
    Rule,
    Starts,
    walk,
)
from subscribers.rules.fields import MOST_OWN

#: fields that a membership alone does not tell
_OF_MEMBER = {
    Field.AGE,
    Field.BIRTHDAY,
    Field.BIRTH_MONTH,
    Field.BIRTH_DAY,
    Field.TAG,
    Field.NAME,
    Field.EXTERNAL_ID,
    Field.OWN,
}
_OF_ORGANISATION = {Field.KIND, Field.LEVEL}
_SIGNS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def asks_member(rule: Rule) -> bool:
    """Whether the condition of a rule reads `Member`."""
    return any(term.field in _OF_MEMBER for term in walk(rule) if isinstance(term, Is | Starts | Compared))


def asks_organisation(rule: Rule) -> bool:
    """Whether the condition of a rule reads `Organisation`."""
    return any(
        isinstance(term, InSubtree) or (isinstance(term, Is | Compared) and term.field in _OF_ORGANISATION)
        for term in walk(rule)
    )


def sql(rule: Rule, on: date, *, on_sqlite: bool) -> ColumnElement[bool]:
    """The condition over `Membership`, and `Member` and `Organisation` where the rule asks about them."""
    match rule:
        case Everyone():
            return true()
        case Away():
            return Membership.mobile.is_(True)
        case Reachable():
            return reachable_member(Membership.member_id)
        case InSubtree(path):
            return in_subtree(Organisation.path, path)
        case InOrganisation(organisation_id):
            return Membership.organisation_id == organisation_id
        case InList(list_id):
            return exists().where(Listed.list_id == list_id, Listed.member_id == Membership.member_id)
        case Is(field, values, heading):
            return _is(field, values, heading, on, on_sqlite=on_sqlite)
        case Starts(field, text, heading):
            return _begins(field, text, heading, on_sqlite=on_sqlite)
        case Compared(Field.OWN, sign, value, heading):
            return _own_compared(heading, sign, value, on_sqlite=on_sqlite)
        case Compared(field, sign, value):
            return _compared(field, sign, value, on)
        case Not(term):
            return not_(sql(term, on, on_sqlite=on_sqlite))
        case All(terms):
            return and_(*(sql(term, on, on_sqlite=on_sqlite) for term in terms))
        case AnyOf(terms):
            return or_(*(sql(term, on, on_sqlite=on_sqlite) for term in terms))
    raise TypeError(f"{rule!r} was not looked up")


def day_years_before(years: int, on: date) -> date | None:
    """The latest day from which a whole number of years has passed on a day; None if no calendar goes back so far.

    Who was born on 29 February has their birthday on 1 March in other years.
    """
    year = on.year - years
    if year < 1:
        return None
    return (
        on.replace(year=year, day=28) if (on.month, on.day) == (2, 29) and not isleap(year) else on.replace(year=year)
    )


def _is(field: Field, values: Sequence[Any], heading: str, on: date, *, on_sqlite: bool) -> ColumnElement[bool]:
    match field:
        case Field.STATUS:
            return _among(Membership.status, values)
        case Field.ID:
            return _among(Membership.member_id, values)
        case Field.KIND:
            return _among(Organisation.kind, values)
        case Field.LEVEL:
            return _among(Organisation.level, values)
        case Field.NAME:
            return _among(Member.name, values)
        case Field.EXTERNAL_ID:
            return and_(Member.external_id.is_not(None), _among(Member.external_id, values))
        case Field.TAG:
            return _has_tag(values, on_sqlite=on_sqlite)
        case Field.OPERATOR:
            return exists().where(
                Number.member_id == Membership.member_id, Number.preferred.is_(True), _among(Number.operator, values)
            )
        case Field.OWN:
            return _among(_own(heading, on_sqlite=on_sqlite), values)
        case Field.BIRTHDAY | Field.BIRTH_MONTH | Field.BIRTH_DAY:
            return and_(Member.birthday.is_not(None), _among(_birthday(field), values))
    # what is reckoned from a day, AGE, YEARS and JOINED: on a value is at it, and not past it
    return or_(*(and_(_compared(field, ">=", each, on), _compared(field, "<=", each, on)) for each in values))


def _begins(field: Field, text: str, heading: str, *, on_sqlite: bool) -> ColumnElement[bool]:
    if field is Field.NAME:
        return Member.name.startswith(text, autoescape=True)
    if field is Field.EXTERNAL_ID:
        return and_(Member.external_id.is_not(None), Member.external_id.startswith(text, autoescape=True))
    return _own(heading, on_sqlite=on_sqlite).startswith(text, autoescape=True)


def _compared(field: Field, sign: str, value: Any, on: date) -> ColumnElement[bool]:
    match field:
        case Field.AGE:
            return and_(Member.birthday.is_not(None), _years(_born_by, sign, value, on))
        case Field.YEARS:
            return _years(_joined_by, sign, value, on)
        case Field.JOINED:
            by = _joined_by(value if sign in ("<=", ">") else _day_before(value))
            return by if sign in ("<", "<=") else not_(by)
        case Field.LEVEL:
            return _sign(sign, Organisation.level, value)
    return and_(Member.birthday.is_not(None), _sign(sign, _birthday(field), value))


def _sign(sign: str, column: Any, value: Any) -> ColumnElement[bool]:
    asked: ColumnElement[bool] = _SIGNS[sign](column, value)
    return asked


def _years(by: Any, sign: str, years: int, on: date) -> ColumnElement[bool]:
    """So many years have passed since the day of which `by` tells whether it was by then."""
    at_least: ColumnElement[bool] = by(day_years_before(years if sign in (">=", "<") else years + 1, on))
    return at_least if sign in (">=", ">") else not_(at_least)


def _born_by(day: date | None) -> ColumnElement[bool]:
    return false() if day is None else Member.birthday <= day


def _joined_by(day: date | None) -> ColumnElement[bool]:
    """A semi-join, so that the database may take all members at once instead of one after the other."""
    first = aliased(Membership)
    if day is None:
        return false()
    return exists().where(first.member_id == Membership.member_id, first.valid_from <= day)


def _day_before(day: date) -> date | None:
    return None if day == date.min else day - timedelta(days=1)


def _birthday(field: Field) -> ColumnElement[Any]:
    if field is Field.BIRTHDAY:
        return Member.birthday.expression
    return extract("month" if field is Field.BIRTH_MONTH else "day", Member.birthday)


def _among(column: Any, values: Sequence[Any]) -> ColumnElement[bool]:
    found: ColumnElement[bool] = column == values[0] if len(values) == 1 else column.in_(values)
    return found


def _has_tag(tags: Sequence[str], *, on_sqlite: bool) -> ColumnElement[bool]:
    """Both databases unfold a JSON list into rows, each under a name of its own."""
    unfold = func.json_each if on_sqlite else func.json_array_elements_text
    unfolded = unfold(Member.tags).table_valued(sql_column("value", String))
    return exists(select(1).select_from(unfolded).where(_among(unfolded.c.value, tags))).correlate(Member)


def _own_compared(heading: str, sign: str, value: Any, *, on_sqlite: bool) -> ColumnElement[bool]:
    """A whole number stands in a column of the user's own, and it is more or less than this."""
    digits = len(str(MOST_OWN))
    if not on_sqlite:
        text = _own(heading, on_sqlite=False)
        # what is no number is not read as one: conditions of an AND have no order
        is_whole = text.regexp_match(f"^[0-9]{{1,{digits}}}$")
        return case((is_whole, _sign(sign, cast(text, BigInteger), value)), else_=false())
    unfolded = func.json_each(Member.fields).table_valued("key", "value")
    written = cast(unfolded.c.value, String)
    is_whole = and_(written != "", written.op("NOT GLOB")("*[^0-9]*"), func.length(written) <= digits)
    is_meant = and_(unfolded.c.key == heading, is_whole, _sign(sign, cast(unfolded.c.value, BigInteger), value))
    return exists(select(1).select_from(unfolded).where(is_meant)).correlate(Member)


def _own(heading: str, *, on_sqlite: bool) -> ColumnElement[str]:
    """What stands in a column of the user's own; empty where there is nothing."""
    if not on_sqlite:
        return func.coalesce(func.json_extract_path_text(Member.fields, heading), "")
    # a path of SQLite's own would give some headings another meaning
    unfolded = func.json_each(Member.fields).table_valued("key", "value")
    value = select(cast(unfolded.c.value, String)).where(unfolded.c.key == heading).limit(1)
    return func.coalesce(value.correlate(Member).scalar_subquery(), "")
