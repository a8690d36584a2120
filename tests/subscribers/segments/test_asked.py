"""Whom of the drawn members a rule holds, and who is found first by a rule that no index answers."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from subscribers import segments
from subscribers.actor import OPERATOR
from subscribers.drawn import Drawn
from subscribers.organisations import find_by_path
from subscribers.rules import Everyone, InSubtree, Reachable, Rule
from subscribers.segments import asked as asked_by
from subscribers.segments import counting
from tests.factories import make_member, make_members, make_organisation
from tests.subscribers.segments.asking import TODAY
from tests.subscribers.segments.test_counting import plans_of


def _of(lot: Drawn, bits: int) -> list[int]:
    return [id_ for n, id_ in enumerate(lot.ids) if bits >> n & 1]


def test_of_each_rule_whom_it_holds(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    west = make_organisation(session, "West")
    first, second, third = (
        make_member(session, status="retired", organisation=west).id,
        make_member(session, organisation="East", subscribed=False).id,
        make_member(session, status="retired", organisation="East").id,
    )
    lot = Drawn([first, second, 10**9, third], 1.0)
    known: dict[Rule | str, int] = {}
    retired = segments.resolved(session, "retired")
    asked = [retired, Everyone(), InSubtree(west.path), Reachable(), segments.resolved(session, "age > 150")]
    told = segments.held(session, "", asked, lot, on=TODAY, known=known)
    assert [_of(lot, each) for each in told] == [[first, third], [first, second, third], [first], [first, third], []]
    assert segments.held(session, west.path, asked[:2], lot, on=TODAY) == [1, 1]
    assert segments.held(session, make_organisation(session, "Empty").path, asked[:2], lot, on=TODAY) == [0, 0]
    monkeypatch.delattr(asked_by, "_look")
    assert segments.held(session, "", asked[::-1], lot, on=TODAY, known=known) == told[::-1]


def test_whoever_is_found_first(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    make_members(session, 40, organisation="East")
    rare = make_member(session, name="解超超", organisation="East")
    monkeypatch.setattr(counting, "LOOKED_THROUGH", 4)
    monkeypatch.setattr(counting, "AT_MOST", 100)

    def found(rule: str, after: int = 0, *, briefly: bool = False) -> tuple[list[int], int | None]:
        resolved = segments.resolved(session, rule)
        return segments.first_found(session, "", resolved, on=TODAY, limit=3, after=after, briefly=briefly)

    assert found('name = "解超超"') == ([rare.id], None), "however far behind"
    assert found(f'under("#{find_by_path(session, OPERATOR, "East").id}") and name = "解超超"', briefly=True)[0] == [
        rare.id
    ]
    assert found("status = applicant") == ([], None)
    assert found('name = "解超超"', briefly=True) == ([], rare.id - 37)
    assert found('name = "解超超"', rare.id - 37, briefly=True) == ([], rare.id - 33)
    assert found('name = "解超超"', rare.id - 4, briefly=True) == ([rare.id], None)
    assert len(found("everyone")[0]) == 3
    asked: list[Any] = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *given: asked.append(given[2]))
    found("status = applicant")
    # the greatest id, and pieces that double
    assert len(asked) <= 7


def test_those_drawn_are_looked_up_and_nobody_else(session: Session) -> None:
    made = make_members(session, 5_000)
    session.execute(text("ANALYZE"))
    lot = Drawn([each.id for each in made[::100]], 100.0)
    rules = [segments.resolved(session, rule) for rule in ("retired", "age > 60", "everyone")]
    seen = plans_of(session, "SELECT")
    assert segments.held(session, "", rules, lot, on=TODAY)[2].bit_count() == 50
    [told] = seen
    assert "ix_membership_member" in told
    assert "Seq Scan on member" not in told
    assert "SCAN m" not in told
