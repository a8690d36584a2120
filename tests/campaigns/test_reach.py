"""Who gets which variant, whom it cannot reach and why, who is in two: counted, and told from a draw."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from broadcaster.campaigns import reach as reaching
from broadcaster.campaigns.audience import Route, count_audience
from broadcaster.campaigns.compose import Text, create_draft
from broadcaster.campaigns.dress import Dress
from broadcaster.campaigns.models import Campaign
from broadcaster.campaigns.proof import SAMPLE, Sampled, look_on, sample
from broadcaster.campaigns.reach import reach
from subscribers.actor import OPERATOR
from subscribers.segments import asked, counting
from tests.factories import NOW, make_member, make_members

ON = date(2026, 11, 21)
ROUTE = Route("carrier")


def _campaign(session: Session, *rules: str) -> Campaign:
    texts = [Text(name, name, "x") for name in rules]
    return create_draft(session, OPERATOR, texts, title="t", rule="everyone", dress=Dress(), now=NOW)


def test_each_is_in_one_variant_and_told_of_the_others(session: Session) -> None:
    make_members(session, 5)
    make_members(session, 3, status="retired")
    make_members(session, 2, status="retired", mobile=True)
    make_members(session, 4, mobile=True, subscribed=None)
    make_member(session, msisdn=None)
    campaign = _campaign(session, "retired", "mobile", "everyone")
    found = reach(session, OPERATOR, campaign, ROUTE, on=ON)
    retired, mobile, everyone = found.variants
    assert (retired.people, retired.reachable, dict(retired.earlier)) == (5, 5, {})
    assert (mobile.people, mobile.reachable, dict(mobile.earlier)) == (4, 0, {"retired": 2})
    assert dict(mobile.skipped) == {"no_consent": 4}
    assert (everyone.people, everyone.reachable, dict(everyone.skipped)) == (6, 5, {"no_number": 1})
    assert dict(everyone.earlier) == {"retired": 5, "mobile": 4}
    assert (mobile.emptied, everyone.emptied) == (frozenset(), {"retired", "mobile"})
    assert (found.people, found.reachable, found.left_out, found.is_exact) == (15, 10, 0, True)
    assert found.reachable == count_audience(session, campaign, ROUTE, on=ON).recipients


def test_who_is_in_no_variant_is_counted(session: Session) -> None:
    make_members(session, 5)
    make_members(session, 3, status="retired")
    found = reach(session, OPERATOR, _campaign(session, "retired"), ROUTE, on=ON)
    assert (found.people, found.left_out) == (3, 5)


def test_nobody_at_all(session: Session) -> None:
    found = reach(session, OPERATOR, _campaign(session, "retired", "everyone"), ROUTE, on=ON)
    assert [(each.people, each.reachable) for each in found.variants] == [(0, 0), (0, 0)]
    assert found.left_out == 0


def test_of_many_a_draw_tells_about_as_much(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "COUNTED", 100)
    monkeypatch.setattr(counting, "DRAWN", 400)
    make_members(session, 600)
    make_members(session, 400, status="retired", mobile=True, subscribed=None)
    found = reach(session, OPERATOR, _campaign(session, "retired", "mobile", "everyone"), ROUTE, on=ON)
    retired, mobile, everyone = found.variants
    assert not found.is_exact
    assert 340 < retired.people < 460
    assert retired.reachable == 0
    assert retired.skipped == {"no_consent": retired.people}
    assert (mobile.people, mobile.emptied) == (0, {"retired"})
    assert 340 < mobile.earlier["retired"] < 460
    assert 540 < everyone.reachable < 660
    assert everyone.emptied == {"retired"}
    assert (everyone.people, everyone.skipped, found.left_out) == (everyone.reachable, {}, 0)
    assert 540 < reach(session, OPERATOR, _campaign(session, "retired"), ROUTE, on=ON).left_out < 660


def test_a_tick_asks_for_what_is_new_only(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "COUNTED", 100)
    monkeypatch.setattr(counting, "DRAWN", 600)
    make_members(session, 300, mobile=True)
    make_members(session, 300, status="retired")
    campaign, known = _campaign(session, "retired", "mobile", "everyone"), {}
    found = reach(session, OPERATOR, campaign, ROUTE, on=ON, known=known)
    readers = sample(session, OPERATOR, campaign, on=ON, known=known).members
    monkeypatch.delattr(asked, "_look")
    monkeypatch.delattr(reaching, "select_audience")
    other = _campaign(session, "mobile", "retired")
    turned = reach(session, OPERATOR, other, ROUTE, on=ON, known=known)
    assert turned == replace(found, variants=[replace(found.variants[at], earlier={}) for at in (1, 0)])
    assert sample(session, OPERATOR, other, on=ON, known=known) == Sampled([readers[1], readers[0]], {})
    mobile, rest = sample(session, OPERATOR, _campaign(session, "mobile", "everyone"), on=ON, known=known).members
    assert len(mobile) == len(rest) == SAMPLE
    assert not set(mobile) & set(rest)
    taken = _campaign(session, "everyone", "mobile")
    monkeypatch.setattr(counting, "LOOKED_THROUGH", 1)
    statements: list[str] = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *given: statements.append(given[2]))
    others = sample(session, OPERATOR, taken, on=ON, known=known)
    assert others.members[1] == []
    assert not others.sought
    assert len(statements) < 8, "whom earlier variants have are not looked for among all"


def test_nobody_is_looked_for_further_each_time(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, small in (("COUNTED", 100), ("DRAWN", 50), ("LOOKED_THROUGH", 10), ("AT_MOST", 40)):
        monkeypatch.setattr(counting, name, small)
    first, *_ = make_members(session, 150)
    rare = make_member(session, name="解超超")
    before = first.id - 1
    campaign = _campaign(session, 'name = "解超超"', "status = applicant", "everyone")
    found = sample(session, OPERATOR, campaign, on=ON)
    assert found.members[:2] == [[], []]
    assert found.sought == {0: before + 40, 1: before + 10}
    look_on(session, OPERATOR, campaign, found, on=ON)
    assert found.sought == {0: before + 80, 1: before + 20}
    for _ in range(6):
        look_on(session, OPERATOR, campaign, found, on=ON)
    assert found.members[:2] == [[rare.id], []]
    assert not found.sought
