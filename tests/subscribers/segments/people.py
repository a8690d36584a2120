"""Members as plain Python knows them, and rules over them in both languages: what the SELECT is tried against."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from hypothesis import strategies as st

from subscribers.models import Status
from tests.subscribers.segments.asking import TODAY

PLACES = ["East", "East/First", "East/Second", "Eastern", "West/First"]


@dataclass(frozen=True)
class Person:
    """A member, as plain Python knows them."""

    status: str
    mobile: bool
    place: str
    birthday: date | None
    tags: tuple[str, ...]
    name: str
    post: str
    grade: str
    joined: date
    operator: str | None
    reachable: bool

    def age(self, on: date) -> int | None:
        return None if self.birthday is None else whole_years(self.birthday, on)


def whole_years(since: date, on: date) -> int:
    return on.year - since.year - ((on.month, on.day) < (since.month, since.day))


people = st.builds(
    Person,
    st.sampled_from([status.value for status in Status]),
    st.booleans(),
    st.sampled_from(PLACES),
    st.none() | st.dates(date(1920, 1, 1), date(2010, 1, 1)) | st.sampled_from([date(1960, 2, 29), date(1966, 11, 21)]),
    st.lists(st.sampled_from(["书画", "chess", "a'b", "%"]), max_size=2, unique=True).map(tuple),
    st.sampled_from(["张三", "张四", "O'Neil", "%_"]),
    st.sampled_from(["", "主任", "书记"]),
    st.sampled_from(["", "三", "3班", "1.5", "-1", "3", "03", "12", "999999999999999", "1" * 16, "３"]),
    st.sampled_from([date(1999, 2, 28), date(2012, 2, 29), date(2016, 11, 21), date(2023, 1, 1)]),
    st.sampled_from([None, "mobile", "telecom"]),
    st.booleans(),
)


COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    "!=": operator.ne,
}


SIGNS = st.sampled_from(list(COMPARE))


def holds(rule: tuple[Any, ...], person: Person, on: date) -> bool:
    """The meaning of a generated rule, written down a second time."""
    match rule:
        case ("not", inner):
            return not holds(inner, person, on)
        case ("and", left, right):
            return holds(left, person, on) and holds(right, person, on)
        case ("or", left, right):
            return holds(left, person, on) or holds(right, person, on)
        case ("status in", first, second):
            return person.status in (first, second)
        case ("mobile",):
            return person.mobile
        case ("reachable",):
            return person.reachable
        case ("everyone",):
            return True
        case ("tag", tag):
            return tag in person.tags
        case ("under", place):
            return f"{person.place}/".startswith(f"{place}/")
        case ("at", place):
            return person.place == place
        case ("kind", kind):
            return kind == ("leaf" if "/" in person.place else "")
        case ("level", sign, level):
            return COMPARE[sign](person.place.count("/"), level)
        case ("name", name):
            return person.name == name
        case ("name starts with", text):
            return person.name.startswith(text)
        case ("field", post):
            return person.post == post
        case ("grade", sign, value) if sign in ("=", "!="):
            return COMPARE[sign](person.grade, str(value))
        case ("grade", sign, value):
            is_whole = re.fullmatch("[0-9]{1,15}", person.grade)
            return is_whole is not None and COMPARE[sign](int(person.grade), value)
        case ("operator", name):
            return person.operator == name
        case ("joined", sign, day):
            return COMPARE[sign](person.joined, day)
        case ("years", sign, years):
            return COMPARE[sign](whole_years(person.joined, on), years)
    asked = {"age": person.age(on), "birth_month": person.birthday and person.birthday.month}
    asked["birth_day"] = person.birthday and person.birthday.day
    word, sign, value = rule
    # of what is not known, nothing but "not" is true
    return sign == "!=" if asked[word] is None else COMPARE[sign](asked[word], value)


CHINESE = {
    "not": "非",
    "and": "且",
    "or": "或",
    "in": "在",
    "=": "是",
    "!=": "不是",
    ">=": "≥",
    "<=": "≤",
    "<": "＜",
    ">": "＞",
    "status": "状态",
    "in_service": "在职",
    "retired": "离退休",
    "probationary": "预备",
    "applicant": "申请人",
    "mobile": "流动",
    "reachable": "可达",
    "everyone": "所有人",
    "tag": "标签",
    "under": "属于",
    "at": "在",
    "kind": "类别",
    "level": "层级",
    "name": "姓名",
    "starts with": "开头是",
    "field": "字段",
    "operator": "运营商",
    "joined": "入会",
    "years": "会龄",
    "age": "年龄",
    "birth_month": "出生月",
    "birth_day": "出生日",
}


def text_of(rule: tuple[Any, ...], say: Callable[[str], str] = str) -> str:
    """The rule in English, or with the words of another language."""
    match rule:
        case ("not", inner):
            return f"{say('not')} ({text_of(inner, say)})"
        case ("and" | "or" as word, left, right):
            return f"({text_of(left, say)}) {say(word)} ({text_of(right, say)})"
        case ("status in", first, second):
            return f"{say('status')} {say('in')} ({say(first)}, {say(second)})"
        case ("under" | "at" as word, place):
            return f'{say(word)}("{place}")'
        case ("name starts with", text):
            return f'{say("name")} {say("starts with")} "{text}"'
        case ("field", post):
            return f'{say("field")}("职务") {say("=")} "{post}"'
        case ("grade", sign, value):
            return f'{say("field")}("年级") {say(sign)} {value}'
        case ("tag" | "kind" | "name" | "operator" as word, value):
            return f'{say(word)} {say("=")} "{value}"'
        case (word, sign, value):
            return f"{say(word)} {say(sign)} {value}"
    return say(str(rule[0]))


def in_chinese(rule: tuple[Any, ...]) -> str:
    return text_of(rule, lambda word: CHINESE[word])


leaves = st.one_of(
    st.sampled_from([("mobile",), ("everyone",), ("reachable",)]),
    st.tuples(st.just("status in"), *[st.sampled_from([status.value for status in Status])] * 2),
    st.tuples(st.just("tag"), st.sampled_from(["书画", "chess", "a'b", "%", "none"])),
    st.tuples(st.sampled_from(["under", "at"]), st.sampled_from([*PLACES, "West"])),
    st.tuples(st.just("kind"), st.sampled_from(["leaf", "", "x"])),
    st.tuples(st.just("level"), SIGNS, st.integers(0, 2)),
    st.tuples(st.just("name"), st.sampled_from(["张三", "O'Neil", "%_", "%"])),
    st.tuples(st.just("name starts with"), st.sampled_from(["张", "O'", "%", "_", ""])),
    st.tuples(st.just("field"), st.sampled_from(["主任", "书记", "", "x"])),
    st.tuples(st.just("grade"), SIGNS, st.sampled_from([0, 1, 3, 10**15 - 1])),
    st.tuples(st.just("operator"), st.sampled_from(["mobile", "telecom", "unicom"])),
    st.tuples(st.just("joined"), SIGNS, st.sampled_from([date(2012, 2, 29), date(2016, 11, 21), date(1, 1, 1)])),
    st.tuples(st.just("years"), SIGNS, st.integers(0, 30)),
    st.tuples(st.just("age"), SIGNS, st.integers(0, 110)),
    st.tuples(st.just("birth_month"), SIGNS, st.integers(1, 12)),
    st.tuples(st.just("birth_day"), SIGNS, st.integers(1, 31)),
)


rules = st.recursive(
    leaves,
    lambda inner: st.tuples(st.just("not"), inner) | st.tuples(st.sampled_from(["and", "or"]), inner, inner),
    max_leaves=6,
)


days = st.dates(date(2024, 1, 1), date(2030, 1, 1)) | st.sampled_from([date(2028, 2, 29), date(2026, 2, 28), TODAY])
