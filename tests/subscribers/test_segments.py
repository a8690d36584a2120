"""Segments against the registry: the SELECT agrees with plain Python, on any day, in one's own part of the tree."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, insert, select, text
from sqlalchemy.orm import Session

from subscribers import audit, lists, membership, segments, tree_changes
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.errors import Conflict, Denied, Invalid, NotFound
from subscribers.models import Member, Membership, Segment, Status
from subscribers.msisdn import mask
from subscribers.organisations import ensure_paths, find_by_path
from subscribers.segments import Count
from tests.factories import NOW, MadeMember, make_member, make_members, make_organisation

TODAY = date(2026, 11, 21)
PLACES = ["East", "East/First", "East/Second", "Eastern", "West/First"]


def matching(session: Session, rule: str, on: date = TODAY, within: str = "") -> set[int]:
    return set(session.scalars(segments.members_matching(session, rule, on=on, within=within)))


def count(session: Session, rule: str, on: date = TODAY, actor: Actor = OPERATOR) -> Count:
    return segments.count(session, actor, rule, on=on)


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


@given(st.lists(people, max_size=12), st.lists(st.tuples(rules, days), min_size=1, max_size=6))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_the_select_agrees_with_plain_python(
    session: Session, crowd: list[Person], asked: list[tuple[tuple[Any, ...], date]]
) -> None:
    with session.begin_nested() as savepoint:
        for place in PLACES:
            make_organisation(session, place).kind = "leaf" if "/" in place else ""
        made = {
            make_member(
                session,
                name=person.name,
                status=person.status,
                mobile=person.mobile,
                organisation=person.place,
                birthday=person.birthday,
                tags=person.tags,
                fields={"职务": person.post} if person.post else {},
                joined_on=person.joined,
                operator=person.operator,
                subscribed=person.reachable or None,
            ).id: person
            for person in crowd
        }
        for number, (rule, on) in enumerate(asked):
            text = text_of(rule)
            found = matching(session, text, on)
            assert found == {id_ for id_, person in made.items() if holds(rule, person, on)}
            assert matching(session, in_chinese(rule), on) == found
            assert matching(session, f"not ({text})", on) == made.keys() - found
            assert count(session, text, on).members == len(found)
            name = f"saved {number}"
            segments.save(session, OPERATOR, name, text, now=NOW)
            assert matching(session, f'not segment("{name}")', on) == made.keys() - found
            kept = segments.frozen(session, f'"{name}" and everyone')
            segments.save(session, OPERATOR, name, "everyone", now=NOW)
            assert matching(session, kept, on) == found
        savepoint.rollback()


@pytest.mark.parametrize(
    ("birthday", "on", "age"),
    [
        (date(1960, 2, 29), date(2026, 2, 28), 65),
        (date(1960, 2, 29), date(2026, 3, 1), 66),
        (date(1960, 2, 29), date(2028, 2, 28), 67),
        (date(1960, 2, 29), date(2028, 2, 29), 68),
        (date(1961, 3, 1), date(2028, 2, 29), 66),
        (date(1960, 11, 21), date(2026, 11, 20), 65),
        (date(1960, 11, 21), date(2026, 11, 21), 66),
    ],
)
def test_a_birthday_counts_from_its_day_on(session: Session, birthday: date, on: date, age: int) -> None:
    make_member(session, birthday=birthday)
    assert count(session, f"age = {age}", on).members == 1
    assert count(session, f"age > {age}", on).members == 0


def test_before_the_calendar_nobody_was_born() -> None:
    assert segments.day_years_before(150, date(100, 1, 1)) is None


def test_counts_are_as_of_the_day(session: Session) -> None:
    member = make_member(session, joined_on=date(2020, 5, 1))
    membership.update_status(session, OPERATOR, member.id, status=Status.RETIRED, on=date(2026, 3, 1), now=NOW)
    make_member(session, joined_on=date(2020, 5, 1), left_on=date(2024, 1, 1))
    by_day = {
        on: (count(session, "in_service", on).members, count(session, "retired", on).members)
        for on in (
            date(2020, 4, 30),
            date(2020, 5, 1),
            date(2023, 12, 31),
            date(2024, 1, 1),
            date(2026, 2, 28),
            date(2026, 3, 1),
        )
    }
    assert list(by_day.values()) == [(0, 0), (2, 0), (2, 0), (1, 0), (1, 0), (0, 1)]


def test_reachable_are_those_who_can_and_want_to_receive(session: Session) -> None:
    make_member(session)
    make_member(session, subscribed=False)
    make_member(session, subscribed=None)
    make_member(session, msisdn=None)
    make_member(session, msisdn="+861012345678", kind="landline")
    make_member(session, suspended_at=NOW)
    assert count(session, "everyone") == Count(6, 1)


def test_a_person_counts_only_their_own_part(session: Session) -> None:
    make_members(session, 2, organisation="East/First")
    make_members(session, 3, organisation="West")
    east = find_by_path(session, OPERATOR, "East")
    assert count(session, "everyone", actor=Actor("e", frozenset({Right.SEE}), under=east.path)).members == 2
    assert len(matching(session, "everyone", within=east.path)) == 2
    with pytest.raises(Denied):
        count(session, "everyone", actor=Actor("nobody", frozenset()))


def test_the_end_of_a_path_is_enough_if_only_one_has_it(session: Session) -> None:
    make_members(session, 2, organisation="East/First/A")
    make_members(session, 1, organisation="West/First/B")
    assert count(session, "under(A)").members == 2
    assert count(session, "under(West/First)").members == 1
    with pytest.raises(Invalid, match="2 organisations, at column 7"):
        count(session, "under(First)")
    with pytest.raises(Invalid, match="no organisation North, at column 18"):
        count(session, "mobile and under(North)")


def test_saved_segments_are_used_by_name(session: Session) -> None:
    make_members(session, 2, status="retired")
    make_members(session, 3, status="retired", mobile=True)
    segments.save(session, OPERATOR, "老同志", "retired", now=NOW)
    segments.save(session, OPERATOR, "home and old", "老同志 and not mobile", now=NOW)
    assert count(session, '"home and old"').members == 2
    segments.save(session, OPERATOR, "老同志", "mobile", now=NOW)
    assert count(session, "非老同志").members == 2
    assert [(saved.name, saved.rule) for saved in segments.listing(session, OPERATOR)] == [
        ("home and old", "老同志 and not mobile"),
        ("老同志", "mobile"),
    ]


@pytest.mark.parametrize("name", ["", " ", "retired", "MOBILE", "在职", 'a"b', "x" * 101, "a\nb"])
def test_names_that_cannot_be_are_refused(session: Session, name: str) -> None:
    with pytest.raises(Invalid):
        segments.save(session, OPERATOR, name, "everyone", now=NOW)


def test_a_segment_that_names_nothing_or_itself_is_refused(session: Session) -> None:
    segments.save(session, OPERATOR, "a", "everyone", now=NOW)
    segments.save(session, OPERATOR, "b", "a", now=NOW)
    with pytest.raises(Invalid, match="would contain itself, at column 12"):
        segments.save(session, OPERATOR, "a", "mobile and b", now=NOW)
    with pytest.raises(Invalid, match="no segment c, at column 12"):
        segments.save(session, OPERATOR, "d", "mobile and c", now=NOW)


@pytest.mark.parametrize(
    ("rule", "steps"),
    [
        (" or ".join(["{next}"] * 60), 9),
        ("not " * 30 + "{next}", 150),
        ("{next}", 300),
        ("{next}", 11),
    ],
)
def test_names_that_name_names_do_not_grow_without_end(session: Session, rule: str, steps: int) -> None:
    texts = [rule.format(next=f"n{step + 1}") for step in range(steps)]
    rows = [{"name": f"n{step}", "rule": text, "saved_by": "x", "saved_at": NOW} for step, text in enumerate(texts)]
    session.execute(insert(Segment), [*rows, {**rows[0], "name": f"n{steps}", "rule": "mobile"}])
    with pytest.raises(Invalid, match="asks too much"):
        count(session, "n0")


def test_an_audience_is_written_by_one_statement(session: Session) -> None:
    made: list[MadeMember] = make_members(session, 5, tags=["x"])
    make_members(session, 5)
    statements: list[str] = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *given: statements.append(given[2]))
    audience = segments.members_matching(session, "tag = x and age != 3", on=TODAY)
    # as delivery does it, with a table that is at hand
    session.execute(
        insert(Segment).from_select(
            ["name", "rule", "saved_by", "saved_at"],
            audience.with_only_columns(Member.name, Member.name, Member.name, Member.created_at),
        )
    )
    assert len(statements) == 1
    assert {row.name for row in segments.listing(session, OPERATOR)} == {member.name for member in made}


def test_saving_takes_the_right_to_edit(session: Session) -> None:
    with pytest.raises(Denied):
        segments.save(session, Actor("viewer", frozenset({Right.SEE})), "a", "everyone", now=NOW + timedelta(1))


USED_WORDS = ["x' OR 1=1 --", "a); DROP TABLE member", "书%_画"]


@pytest.mark.parametrize("word", USED_WORDS)
@pytest.mark.parametrize(
    "rule",
    [
        'tag = "{}"',
        'tag in ("x", "{}")',
        'name starts with "{}"',
        'external_id = "{}"',
        'kind = "{}"',
        'field("{}") = "{}"',
        'field("{}") starts with "x"',
    ],
)
def test_what_is_typed_is_never_sql(session: Session, rule: str, word: str) -> None:
    text = rule.replace("{}", word)
    statement = segments.compile_rule(session, text, on=TODAY).compile(session.get_bind())
    assert word not in str(statement)
    # what a pattern would take for signs of its own is marked
    assert any(word in str(value).replace("/", "") for value in statement.params.values())
    assert matching(session, text) == set()


def test_people_by_ids_and_books(session: Session) -> None:
    first, second, third = (make_member(session, external_id=f"A-{n}") for n in range(3))
    assert matching(session, f"id in ({first.id}, {third.id}, 9223372036854775807)") == {first.id, third.id}
    assert matching(session, 'external_id in ("A-1", x)') == {second.id}
    assert matching(session, 'external_id starts with "A-"') == {first.id, second.id, third.id}
    assert matching(session, f"会员号 不在 ({first.id})") == {second.id, third.id}


def test_joining_is_the_first_day_on_record(session: Session) -> None:
    member = make_member(session, joined_on=date(2010, 5, 1))
    registry_change(session, member.id, date(2020, 1, 1))
    assert matching(session, "joined = 2010-05-01") == {member.id}
    assert matching(session, "years = 16") == {member.id}
    assert matching(session, "joined > 2010-05-01") == set()


def registry_change(session: Session, member_id: int, on: date) -> None:
    row = session.scalars(select(Membership).where(Membership.member_id == member_id)).one()
    row.valid_until = on
    later = {"status": "retired", "organisation_id": row.organisation_id, "valid_from": on}
    session.add(Membership(member_id=member_id, **later))
    session.flush()


def clerk(session: Session, path: str) -> Actor:
    rights = frozenset({Right.SEE, Right.EDIT})
    return Actor("clerk", rights, under=find_by_path(session, OPERATOR, path).path)


def test_what_lies_outside_is_not_there(session: Session) -> None:
    make_members(session, 2, organisation="East/First")
    make_members(session, 3, organisation="West/First")
    east = clerk(session, "East")
    west = find_by_path(session, OPERATOR, "West")
    for outside in ("West", "West/First", f"#{west.id}", "North", "/".join("x" * 40)):
        for word in ("under", "at"):
            with pytest.raises(Invalid, match="no organisation"):
                count(session, f'{word}("{outside}")', actor=east)
    # what has the same name elsewhere is not there either
    assert count(session, "under(First)", actor=east).members == 2
    assert count(session, f"at(#{find_by_path(session, OPERATOR, 'East/First').id})", actor=east).members == 2


def test_a_segment_belongs_to_its_place_and_means_the_same_to_all(session: Session) -> None:
    make_members(session, 2, organisation="East/First")
    make_members(session, 3, organisation="East")
    make_members(session, 4, organisation="West")
    east, first, west = (clerk(session, path) for path in ("East", "East/First", "West"))
    segments.save(session, OPERATOR, "some", "under(West) or under(East)", now=NOW)
    segments.save(session, OPERATOR, "top", "some", now=NOW)
    assert [count(session, "top", actor=who).members for who in (OPERATOR, east, first, west)] == [9, 5, 2, 4]
    assert segments.save(session, east, "some", "at(East)", now=NOW).place == "East"
    assert [count(session, "some", actor=who).members for who in (OPERATOR, east, first, west)] == [9, 3, 0, 4]
    # the name in it is still that of the place where it was saved
    assert [count(session, "top", actor=who).members for who in (OPERATOR, east, first, west)] == [9, 5, 2, 4]
    assert [(one.name, one.place) for one in segments.listing(session, first)] == [("some", "East"), ("top", "")]
    assert [(one.name, one.place) for one in segments.listing(session, west)] == [("some", ""), ("top", "")]
    segments.save(session, east, "ours", "everyone", now=NOW)
    for who in (OPERATOR, west):
        with pytest.raises(Invalid, match="no segment ours"):
            count(session, "ours", actor=who)
    with pytest.raises(Invalid, match="would contain itself"):
        segments.save(session, east, "top", "top and mobile", now=NOW)


def test_only_its_own_place_removes_a_segment(session: Session) -> None:
    make_organisation(session, "East/First")
    east, first = clerk(session, "East"), clerk(session, "East/First")
    segments.save(session, OPERATOR, "a", "everyone", now=NOW)
    segments.save(session, east, "b", "not a", now=NOW)
    for who, name in ((east, "a"), (first, "b"), (OPERATOR, "b"), (east, "none")):
        with pytest.raises(NotFound):
            segments.remove(session, who, name, now=NOW)
    with pytest.raises(Conflict, match="named by b"):
        segments.remove(session, OPERATOR, "a", now=NOW)
    assert segments.remove(session, east, "b", now=NOW).rule == "not a"
    segments.remove(session, OPERATOR, "a", now=NOW)
    assert segments.listing(session, OPERATOR) == []


def test_who_had_saved_it_before_is_in_the_audit(session: Session) -> None:
    segments.save(session, Actor("first", frozenset({Right.EDIT})), "a", "everyone", now=NOW)
    segments.save(session, OPERATOR, "a", "mobile", now=NOW + timedelta(1))
    (row,) = audit.read(session, OPERATOR, deed="segments")
    assert (row.deed, row.thing, row.actor, row.details["before_by"]) == ("segments.replace", "a", "operator", "first")


def test_a_kept_rule_stands_by_itself(session: Session) -> None:
    made = make_members(session, 2, organisation="East/First", tags=["x"])
    make_members(session, 3, organisation="West")
    east = clerk(session, "East")
    lists.save_list(session, east, "few", ids=[made[0].id], now=NOW)
    segments.save(session, OPERATOR, "outer", 'tag = "（" or under("West") or not tag = ")"', now=NOW)
    segments.save(session, east, "inner", 'segment("outer") 且 非 名单(few)', now=NOW)
    kept = segments.frozen(session, 'under("First") and inner', within=east.under)
    before = matching(session, "under(East/First) and not id = " + str(made[0].id))
    assert before == {made[1].id}
    segments.remove(session, east, "inner", now=NOW)
    segments.save(session, OPERATOR, "outer", "mobile", now=NOW)
    tree_changes.rename(session, OPERATOR, "East/First", "Other", now=NOW)
    # no name is left in it that could mean something else
    assert matching(session, kept) == before
    assert segments.frozen(session, kept) == kept
    with pytest.raises(Invalid, match="no segment"):
        segments.frozen(session, "inner", within=east.under)


def test_people_are_shown_masked(session: Session) -> None:
    made = make_members(session, 3, organisation="East", status="retired")
    make_member(session, organisation="West", status="retired", msisdn=None)
    shown = segments.people(session, OPERATOR, "retired", on=TODAY, limit=2)
    assert [(one.id, one.organisation, one.status) for one in shown] == [
        (made[0].id, "East", Status.RETIRED),
        (made[1].id, "East", Status.RETIRED),
    ]
    assert made[0].msisdn is not None
    assert shown[0].msisdn == mask(made[0].msisdn)
    assert [one.msisdn for one in segments.people(session, OPERATOR, "under(West)", on=TODAY)] == [None]
    assert len(segments.people(session, clerk(session, "West"), "retired", on=TODAY)) == 1


def test_a_count_reads_the_index_and_nothing_it_does_not_need(session: Session) -> None:
    paths = [f"City {city}/Branch {branch}" for city in range(100) for branch in range(20)]
    places = list(ensure_paths(session, OPERATOR, paths, now=NOW).values())
    rows = [
        {"member_id": n, "organisation_id": places[n % 2000], "status": "retired", "valid_from": date(2020, 1, 1)}
        for n in range(1, 20_001)
    ]
    session.execute(insert(Membership), rows)
    session.execute(text("ANALYZE"))
    seen: list[str] = []

    def plan(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if statement.startswith("SELECT count"):
            seen.append(explained(session, statement, parameters))

    event.listen(session.get_bind(), "before_cursor_execute", plan)
    assert count(session, 'status = retired and under("City 7")').members == 200
    members, reachable = seen
    assert "ix_organisation_path" in members
    assert "ix_membership_organisation" in members
    assert " member " not in members
    assert "number" in reachable


def explained(session: Session, statement: str, parameters: Any) -> str:
    prefix = "EXPLAIN QUERY PLAN " if session.get_bind().dialect.name == "sqlite" else "EXPLAIN "
    connection = session.connection().connection.driver_connection
    assert connection is not None
    rows = connection.cursor().execute(prefix + statement, parameters).fetchall()
    return "\n".join(" ".join(map(str, row)) for row in rows)
