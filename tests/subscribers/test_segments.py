"""Segments against the registry: the SELECT agrees with plain Python, on any day, in one's own part of the tree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, insert
from sqlalchemy.orm import Session

from subscribers import membership, segments
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.errors import Denied, Invalid
from subscribers.models import Member, Segment, Status
from subscribers.organisations import find_by_path
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

    def age(self, on: date) -> int | None:
        if self.birthday is None:
            return None
        had_birthday = (on.month, on.day) >= (self.birthday.month, self.birthday.day)
        return on.year - self.birthday.year - (not had_birthday)


people = st.builds(
    Person,
    st.sampled_from([status.value for status in Status]),
    st.booleans(),
    st.sampled_from(PLACES),
    st.none() | st.dates(date(1920, 1, 1), date(2010, 1, 1)) | st.sampled_from([date(1960, 2, 29), date(1966, 11, 21)]),
    st.lists(st.sampled_from(["书画", "chess", "a'b", "%"]), max_size=2, unique=True).map(tuple),
)


def holds(rule: tuple[object, ...], person: Person, on: date) -> bool:
    """The meaning of a generated rule, written down a second time."""
    match rule:
        case ("not", inner):
            return not holds(inner, person, on)  # type: ignore[arg-type]
        case ("and", left, right):
            return holds(left, person, on) and holds(right, person, on)  # type: ignore[arg-type]
        case ("or", left, right):
            return holds(left, person, on) or holds(right, person, on)  # type: ignore[arg-type]
        case ("status", status):
            return person.status == status
        case ("mobile",):
            return person.mobile
        case ("everyone",):
            return True
        case ("tag", tag):
            return tag in person.tags
        case ("under", place):
            return f"{person.place}/".startswith(f"{place}/")
        case ("age", sign, int(years)):
            age = person.age(on)
            if age is None:
                return sign == "!="
            compared = {
                ">=": age >= years,
                ">": age > years,
                "<": age < years,
                "<=": age <= years,
                "=": age == years,
                "!=": age != years,
            }
            return compared[str(sign)]
    raise AssertionError(rule)


def text_of(rule: tuple[object, ...]) -> str:
    match rule:
        case ("not", inner):
            return f"not ({text_of(inner)})"  # type: ignore[arg-type]
        case ("and" | "or" as word, left, right):
            return f"({text_of(left)}) {word} ({text_of(right)})"  # type: ignore[arg-type]
        case ("status", status):
            return f"status = {status}"
        case ("tag", tag):
            return f'标签 = "{tag}"'
        case ("under", place):
            return f'属于("{place}")'
        case ("age", sign, years):
            return f"age {sign} {years}"
    return str(rule[0])


leaves: st.SearchStrategy[tuple[object, ...]] = st.one_of(
    st.tuples(st.just("status"), st.sampled_from([status.value for status in Status])),
    st.just(("mobile",)),
    st.just(("everyone",)),
    st.tuples(st.just("tag"), st.sampled_from(["书画", "chess", "a'b", "%", "none"])),
    st.tuples(st.just("under"), st.sampled_from([*PLACES, "West"])),
    st.tuples(st.just("age"), st.sampled_from([">=", ">", "<", "<=", "=", "!="]), st.integers(0, 110)),
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
    session: Session, crowd: list[Person], asked: list[tuple[tuple[object, ...], date]]
) -> None:
    with session.begin_nested() as savepoint:
        for place in PLACES:
            make_organisation(session, place)
        made = {
            make_member(
                session,
                status=person.status,
                mobile=person.mobile,
                organisation=person.place,
                birthday=person.birthday,
                tags=person.tags,
                subscribed=None,
            ).id: person
            for person in crowd
        }
        for rule, on in asked:
            text = text_of(rule)
            assert matching(session, text, on) == {id_ for id_, person in made.items() if holds(rule, person, on)}
            assert matching(session, f"not ({text})", on) == made.keys() - matching(session, text, on)
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
