"""How many and who: as of a day, in one's own part of the tree, by the index."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import event, insert, text
from sqlalchemy.orm import Session

from subscribers import membership, segments
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.errors import Denied
from subscribers.models import Membership, Status
from subscribers.msisdn import mask
from subscribers.organisations import ensure_paths, find_by_path
from subscribers.segments import Count, counting
from tests.factories import NOW, make_member, make_members, make_organisation
from tests.subscribers.segments.asking import TODAY, clerk, count, matching


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
    seen = plans_of(session, "SELECT count")
    assert count(session, 'status = retired and under("City 7")').members == 200
    members, reachable = seen
    assert "ix_organisation_path" in members
    assert "ix_membership_organisation" in members
    assert " member " not in members
    assert "number" in reachable


def plans_of(session: Session, beginning: str) -> list[str]:
    """Filled with the plan of each statement that begins so, from now on."""
    seen: list[str] = []

    def plan(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if statement.startswith(beginning):
            seen.append(explained(session, statement, parameters))

    event.listen(session.get_bind(), "before_cursor_execute", plan)
    return seen


def explained(session: Session, statement: str, parameters: Any) -> str:
    prefix = "EXPLAIN QUERY PLAN " if session.get_bind().dialect.name == "sqlite" else "EXPLAIN "
    connection = session.connection().connection.driver_connection
    assert connection is not None
    rows = connection.cursor().execute(prefix + statement, parameters).fetchall()
    return "\n".join(" ".join(map(str, row)) for row in rows)


def test_about_how_many_of_a_large_registry(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "COUNTED", 500)
    monkeypatch.setattr(counting, "DRAWN", 1000)
    make_members(session, 3000, status="in_service")
    make_members(session, 1000, status="retired")
    exact = count(session, "retired")
    found = segments.estimate(session, OPERATOR, "retired", on=TODAY)
    assert (found.is_exact, found.is_bound) == (False, False)
    # four deviations: what is drawn is drawn the same each time
    assert abs(found.members - exact.members) < 4 * 55
    assert abs(found.reachable - exact.reachable) < 4 * 55
    assert found == segments.estimate(session, OPERATOR, "retired", on=TODAY)
    nobody = segments.estimate(session, OPERATOR, "status = applicant", on=TODAY)
    assert nobody == segments.Estimate(12, 0, is_exact=False, is_bound=True), (
        "nobody was drawn, and somebody may be there"
    )


def test_many_rules_in_one_look(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    make_members(session, 300, status="in_service", organisation="East")
    make_members(session, 100, status="retired", organisation="West/First")
    make_member(session, name="解超超", organisation="West", mobile=True)
    asked = ["everyone", "retired", "nobody_called_so", "under(West)", 'name = "解超超" and mobile', "status ="]
    told = segments.sizes(session, OPERATOR, asked, on=TODAY)
    assert [each and each.members for each in told] == [401, 100, None, 101, 1, None]
    assert all(each is None or each.is_exact for each in told)
    west = clerk(session, "West")
    assert [each and each.members for each in segments.sizes(session, west, asked[:4], on=TODAY)] == [
        101,
        100,
        None,
        101,
    ]
    assert segments.sizes(session, west, ["under(East)"], on=TODAY) == [None]
    assert segments.sizes(session, OPERATOR, [], on=TODAY) == []
    monkeypatch.setattr(counting, "COUNTED", 100)
    monkeypatch.setattr(counting, "DRAWN", 200)
    monkeypatch.setattr(counting, "FEW", 10)
    for rule in ("everyone", "retired", "status = applicant"):
        alone, (one, other) = (
            segments.estimate(session, OPERATOR, rule, on=TODAY),
            segments.sizes(session, OPERATOR, [rule, "mobile"], on=TODAY),
        )
        assert one and other
        assert (one.members, one.is_exact, one.is_bound) == (alone.members, alone.is_exact, alone.is_bound)


def test_a_small_registry_and_a_small_place_are_counted(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    assert segments.estimate(session, OPERATOR, "everyone", on=TODAY) == segments.Estimate(0, 0, is_exact=True)
    small = make_organisation(session, "Small")
    make_members(session, 300, organisation=make_organisation(session, "Large"))
    make_members(session, 30, organisation=small)
    assert segments.estimate(session, OPERATOR, "everyone", on=TODAY).members == 330
    monkeypatch.setattr(counting, "COUNTED", 100)
    assert not segments.estimate(session, OPERATOR, "everyone", on=TODAY).is_exact
    there = segments.estimate(session, Actor("local", frozenset({Right.SEE}), small.path), "everyone", on=TODAY)
    assert (there.members, there.is_exact) == (30, True)


def test_a_page_of_a_rule_that_no_index_answers_looks_through_so_many(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "LOOKED_THROUGH", 4)
    made = make_members(session, 10, organisation="East")
    rare = make_member(session, name="解超超", organisation="East")
    first = made[0].id
    found, behind = segments.some(session, OPERATOR, 'name = "解超超"', on=TODAY, after=first - 1)
    assert (found, behind) == ([], first + 3)
    found, behind = segments.some(session, OPERATOR, 'name = "解超超"', on=TODAY, after=first + 7)
    assert ([one.id for one in found], behind) == ([rare.id], 0)
    # whose place is known is found by it, however far away
    found, behind = segments.some(session, OPERATOR, 'under(East) and name = "解超超"', on=TODAY)
    assert ([one.id for one in found], behind) == ([rare.id], 0)
    found, behind = segments.some(session, OPERATOR, "everyone", on=TODAY, after=first + 5, limit=3)
    assert ([one.id for one in found], behind) == ([first + 6, first + 7, first + 8], first + 8)
