"""Saved segments: their names, whose they are, who changes them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from subscribers import audit, segments
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.errors import Conflict, Denied, Invalid, NotFound
from tests.factories import NOW, make_members, make_organisation
from tests.subscribers.segments.asking import clerk, count


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


def test_saving_takes_the_right_to_edit(session: Session) -> None:
    with pytest.raises(Denied):
        segments.save(session, Actor("viewer", frozenset({Right.SEE})), "a", "everyone", now=NOW + timedelta(1))


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
