"""Dated membership: every change closes what was before, and any day can be asked for afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from subscribers import membership, transfers
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.errors import BroadsheetError, Conflict, Denied, Invalid, NotFound
from subscribers.models import Member, Membership, Organisation, Status
from subscribers.registry import standing_on
from tests.factories import NOW, make_member, make_organisation

TODAY = date(2026, 11, 21)


def rows(session: Session, member_id: int) -> list[tuple[object, ...]]:
    columns = select(Membership.status, Membership.mobile, Membership.valid_from, Membership.valid_until)
    return [
        tuple(row)
        for row in session.execute(columns.where(Membership.member_id == member_id).order_by(Membership.valid_from))
    ]


def test_a_new_standing_closes_the_old_one(session: Session) -> None:
    member = make_member(session, joined_on=date(2020, 1, 1))
    membership.update_status(session, OPERATOR, member.id, status=Status.RETIRED, on=date(2026, 3, 1), now=NOW)
    membership.update_status(session, OPERATOR, member.id, mobile=True, on=date(2026, 5, 1), now=NOW)
    membership.update_status(session, OPERATOR, member.id, mobile=True, on=date(2026, 6, 1), now=NOW)
    assert rows(session, member.id) == [
        ("in_service", False, date(2020, 1, 1), date(2026, 3, 1)),
        ("retired", False, date(2026, 3, 1), date(2026, 5, 1)),
        ("retired", True, date(2026, 5, 1), None),
    ]


def test_a_second_change_on_one_day_corrects_the_first(session: Session) -> None:
    member = make_member(session, joined_on=date(2020, 1, 1))
    for status in (Status.RETIRED, Status.APPLICANT):
        membership.update_status(session, OPERATOR, member.id, status=status, on=date(2026, 3, 1), now=NOW)
    assert [row[0] for row in rows(session, member.id)] == ["in_service", "applicant"]


def test_a_change_before_the_last_one_is_refused(session: Session) -> None:
    member = make_member(session, joined_on=date(2020, 1, 1))
    with pytest.raises(Conflict):
        membership.update_status(session, OPERATOR, member.id, mobile=True, on=date(2019, 12, 31), now=NOW)
    gone = make_member(session, left_on=date(2021, 1, 1))
    with pytest.raises(Conflict, match="left on 2021-01-01"):
        membership.update_status(session, OPERATOR, gone.id, mobile=True, on=TODAY, now=NOW)


def test_what_is_changed_back_on_the_same_day_was_never_changed(session: Session) -> None:
    member = make_member(session, joined_on=date(2020, 1, 1))
    for status in (Status.RETIRED, Status.IN_SERVICE):
        membership.update_status(session, OPERATOR, member.id, status=status, on=date(2026, 3, 1), now=NOW)
    assert rows(session, member.id) == [("in_service", False, date(2020, 1, 1), None)]


def test_somebody_who_lives_away_has_a_place_and_a_branch_there(session: Session) -> None:
    member = make_member(session)

    def say(day: int, **told: object) -> membership.Standing:
        return membership.update_status(session, OPERATOR, member.id, on=date(2026, 5, day), now=NOW, **told)  # type: ignore[arg-type]

    assert say(1, away_place=" 深圳  市 ") == membership.Standing(Status.IN_SERVICE, True, "深圳 市")
    assert say(2, host_branch="流动支部").away_place == "深圳 市"
    assert say(3, away_place="") == membership.Standing(Status.IN_SERVICE, True, None, "流动支部")
    assert say(4, mobile=False) == membership.Standing(Status.IN_SERVICE)
    with pytest.raises(Invalid, match="at home"):
        say(5, mobile=False, away_place="深圳")
    for bad in ("x" * 101, "a\0b", "a\ud800"):
        with pytest.raises(Invalid):
            say(5, away_place=bad)
    assert len(rows(session, member.id)) == 5


def test_leaving_and_coming_back(session: Session) -> None:
    make_organisation(session, "West")
    member = make_member(session, status="retired", mobile=True, joined_on=date(2020, 1, 1))
    membership.leave(session, OPERATOR, member.id, on=date(2026, 3, 1), now=NOW)
    with pytest.raises(Conflict, match="left on 2026-03-01"):
        membership.leave(session, OPERATOR, member.id, on=date(2026, 4, 1), now=NOW)
    with pytest.raises(Conflict):
        membership.rejoin(session, OPERATOR, member.id, on=date(2026, 2, 28), now=NOW)
    membership.rejoin(session, OPERATOR, member.id, organisation="West", on=date(2026, 5, 1), now=NOW)
    with pytest.raises(Conflict):
        membership.rejoin(session, OPERATOR, member.id, on=date(2026, 6, 1), now=NOW)
    assert rows(session, member.id) == [
        ("retired", True, date(2020, 1, 1), date(2026, 3, 1)),
        ("retired", False, date(2026, 5, 1), None),
    ]
    membership.take_back(session, OPERATOR, member.id, now=NOW)
    membership.take_back(session, OPERATOR, member.id, now=NOW)
    assert rows(session, member.id) == [("retired", True, date(2020, 1, 1), None)]
    with pytest.raises(Conflict, match="Nothing"):
        membership.take_back(session, OPERATOR, member.id, now=NOW)


def test_who_leaves_on_the_day_they_came_was_never_counted(session: Session) -> None:
    member = make_member(session, joined_on=TODAY)
    membership.leave(session, OPERATOR, member.id, on=TODAY, now=NOW)
    assert rows(session, member.id) == [("in_service", False, TODAY, TODAY)]
    membership.rejoin(session, OPERATOR, member.id, status=Status.RETIRED, on=TODAY, now=NOW)
    assert rows(session, member.id) == [("retired", False, TODAY, None)]


def test_a_planned_change_does_not_hold_before_its_day(session: Session) -> None:
    member = make_member(session)
    later = TODAY + timedelta(days=30)
    membership.leave(session, OPERATOR, member.id, on=later, now=NOW)
    membership.update_status(session, OPERATOR, member.id, status=Status.RETIRED, on=TODAY, now=NOW)
    assert [row[2:] for row in rows(session, member.id)] == [(date(2020, 1, 1), TODAY), (TODAY, later)]
    membership.leave(session, OPERATOR, member.id, on=TODAY + timedelta(days=3), now=NOW)
    assert rows(session, member.id)[-1][3] == TODAY + timedelta(days=3)


def test_a_closed_organisation_takes_nobody_in(session: Session) -> None:
    make_organisation(session, "West").closed_on = TODAY
    home = make_organisation(session, "East")
    gone = make_member(session, organisation=home, left_on=date(2021, 1, 1))
    # nor on a day before: they would be there today
    for day in (TODAY, TODAY - timedelta(days=1)):
        with pytest.raises(Conflict, match="West is closed"):
            membership.rejoin(session, OPERATOR, gone.id, organisation="West", on=day, now=NOW)
    home.closed_on = TODAY
    with pytest.raises(Conflict, match="East is closed"):
        membership.rejoin(session, OPERATOR, gone.id, on=TODAY, now=NOW)
    with pytest.raises(Conflict, match="East is closed"):
        membership.take_back(session, OPERATOR, gone.id, now=NOW)
    assert rows(session, gone.id) == [("in_service", False, date(2020, 1, 1), date(2021, 1, 1))]
    home.closed_on = TODAY + timedelta(days=1)
    membership.rejoin(session, OPERATOR, gone.id, on=TODAY, now=NOW)


def test_a_person_changes_only_their_own(session: Session) -> None:
    western = make_member(session, organisation="West")
    east = make_organisation(session, "East")
    clerk = Actor("clerk", frozenset({Right.REGISTER, Right.SEE}), under=east.path)
    verbs: list[Callable[[Actor, int], object]] = [
        lambda who, id_: membership.update_status(session, who, id_, mobile=True, on=TODAY, now=NOW),
        lambda who, id_: membership.leave(session, who, id_, on=TODAY, now=NOW),
        lambda who, id_: membership.rejoin(session, who, id_, on=TODAY, now=NOW),
        lambda who, id_: membership.take_back(session, who, id_, now=NOW),
    ]
    for act in verbs:
        for id_ in (western.id, 4711):
            with pytest.raises(NotFound, match="There is no member"):
                act(clerk, id_)
        with pytest.raises(Denied):
            act(Actor("reader", frozenset({Right.SEE})), western.id)


#: the naive model: for each day, where each member is and in which standing
DAYS = [TODAY + timedelta(days=n) for n in range(-6, 7)]
Picture = dict[date, tuple[str, str, bool]]


@st.composite
def deeds(draw: st.DrawFn) -> list[tuple[str, int, date, object]]:
    one = st.tuples(
        st.sampled_from(["status", "mobile", "leave", "rejoin", "transfer"]),
        st.integers(0, 2),
        st.sampled_from(DAYS),
        st.integers(0, 3),
    )
    return draw(st.lists(one, max_size=12))


def imagine(picture: Picture, deed: str, day: date, value: int, organisations: list[str]) -> None:
    """What a deed means, day by day: from `day` on everything is so."""
    for each in DAYS:
        if each < day:
            continue
        if deed == "leave":
            picture.pop(each, None)
        elif deed == "rejoin":
            picture[each] = (organisations[value % 2], list(Status)[value], False)
        elif each in picture:
            place, status, mobile = picture[each]
            if deed == "status":
                picture[each] = (place, list(Status)[value], mobile)
            elif deed == "mobile":
                picture[each] = (place, status, value % 2 == 0)
            else:
                picture[each] = (organisations[value % 2], status, mobile)


def act(session: Session, deed: str, member: int, day: date, value: int, organisations: list[str]) -> None:
    status = list(Status)[value]
    if deed == "status":
        membership.update_status(session, OPERATOR, member, status=status, on=day, now=NOW)
    elif deed == "mobile":
        membership.update_status(session, OPERATOR, member, mobile=value % 2 == 0, on=day, now=NOW)
    elif deed == "leave":
        membership.leave(session, OPERATOR, member, on=day, now=NOW)
    elif deed == "rejoin":
        where = organisations[value % 2]
        membership.rejoin(session, OPERATOR, member, organisation=where, status=status, on=day, now=NOW)
    else:
        moved = transfers.ask(session, OPERATOR, member, organisations[value % 2], on=day, now=NOW)
        transfers.accept(session, OPERATOR, moved.id, on=day, now=NOW)


@pytest.mark.timeout(300)
@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=True,
)
@given(deeds())
def test_as_of_any_day_the_counts_are_those_of_a_naive_model(
    engine: Engine, told: list[tuple[str, int, date, int]]
) -> None:
    with Session(engine) as session, session.begin() as whole:
        organisations = ["North/First", "North/Second"]
        for path in organisations:
            make_organisation(session, path)
        ids = [make_member(session, organisation=organisations[0], msisdn=None, joined_on=DAYS[n]).id for n in range(3)]
        pictures: dict[int, Picture] = {
            id_: dict.fromkeys(DAYS[n:], (organisations[0], "in_service", False)) for n, id_ in enumerate(ids)
        }
        for deed, who, day, value in told:
            try:
                with session.begin_nested():
                    act(session, deed, ids[who], day, value, organisations)
            except BroadsheetError:
                # what is refused changes nothing
                continue
            imagine(pictures[ids[who]], deed, day, value, organisations)
        names = {o.id: f"North/{o.name}" for o in session.scalars(select(Organisation))}
        for day in DAYS:
            counted = session.execute(
                select(
                    Membership.organisation_id, Membership.status, Membership.mobile, func.count(), func.max(Member.id)
                )
                .join(Member, Member.id == Membership.member_id)
                .where(standing_on(day))
                .group_by(Membership.organisation_id, Membership.status, Membership.mobile)
            ).all()
            got = Counter({(names[place], status, mobile): n for place, status, mobile, n, _ in counted})
            assert got == Counter(picture[day] for picture in pictures.values() if day in picture), day
            twice = select(Membership.member_id).where(standing_on(day)).group_by(Membership.member_id)
            assert session.scalars(twice.having(func.count() > 1)).all() == []
        open_ones = select(Membership.member_id).where(Membership.valid_until.is_(None))
        assert session.scalars(open_ones.group_by(Membership.member_id).having(func.count() > 1)).all() == []
        whole.rollback()
