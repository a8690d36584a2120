"""What pages keep for a while: figures that are told as "about", never those that are exact."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select, update

from broadcaster.newspaper.models import Variant
from broadcaster.newsroom import remembered as module
from broadcaster.newsroom.remembered import remembered
from broadcaster.newsroom.warming import warming
from broadcaster.runtime import Runtime
from subscribers.models import Member, Membership
from subscribers.segments import asked as held_by
from subscribers.segments import counting
from tests.factories import make_member, make_members
from tests.newsroom.test_items import come
from tests.newsrooms import Browser, add_user, furnish


def test_found_once_until_it_is_too_old(house: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    at = 100.0
    monkeypatch.setattr(module, "monotonic", lambda: at)
    answers = iter(range(1, 9))

    def look(key: str = "a", lasts: float = 10.0) -> int:
        # what only reads has the same connections as what writes
        with house.reading() as reading, house.begin() as writing:
            sessions = [reading.session, writing.session]
            first, second = (remembered(one, (key,), lambda _: lasts, lambda: next(answers)) for one in sessions)
            assert first == second or lasts == 0
            return second

    assert (look(), look(), look("b")) == (1, 1, 2)
    at += 11
    assert (look(), look()) == (3, 3)
    assert look(lasts=0) == 5


def looks_at(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The rules that were asked of members who are drawn, look by look."""
    real, asked = held_by._look, []

    def look(session, under, rules, drawn, on):
        asked.append(rules)
        return real(session, under, rules, drawn, on)

    monkeypatch.setattr(held_by, "_look", look)
    return asked


def test_about_so_many_is_told_anew_with_somebody_new(
    house: Runtime, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_user(house, "li", "editor")
    furnish(house)
    come(house, browser, "wang", "editor")
    assert "61 members" in browser.get("/members").text
    with house.begin() as tx:
        # neither the first nor the last
        ended = update(Membership).where(Membership.member_id == select(func.min(Member.id) + 9).scalar_subquery())
        tx.session.execute(ended.values(valid_until=Membership.valid_from))
    assert "60 members" in browser.get("/members").text, "what is counted is never kept"
    for name, small in (("COUNTED", 20), ("DRAWN", 31), ("FEW", 1)):
        monkeypatch.setattr(counting, name, small)
    asked = looks_at(monkeypatch)
    for path in ("/members", "/editions/1"):
        asked.clear()
        first = browser.get(path).text
        assert "about" in first
        assert len(asked) == 1
        assert browser.get(path).text.count("about") == first.count("about")
        assert len(asked) == 1
    browser.get("/editions/1/check")
    assert len(asked) == 1
    with house.begin() as tx:
        make_members(tx.session, 3)
    browser.get("/editions/1/check")
    assert len(asked) > 1


def test_a_large_registry_is_looked_at_before_anybody_asks(
    house: Runtime, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_user(house, "li", "editor")
    furnish(house)
    come(house, browser, "wang", "editor")
    asked = looks_at(monkeypatch)
    with warming(house) as is_warm:
        assert is_warm.wait(60)
    assert not asked, "a small one is counted"
    for name, small in (("COUNTED", 20), ("DRAWN", 31), ("FEW", 1)):
        monkeypatch.setattr(counting, name, small)
    with warming(house) as is_warm:
        assert is_warm.wait(60)
    assert asked
    asked.clear()
    assert "about" in browser.get("/editions/1").text
    assert not asked
    with house.begin() as tx:
        tx.session.execute(update(Variant).values(name=Variant.name + " is gone"))
    with warming(house) as is_warm:
        assert is_warm.wait(60), "whatever is wrong with it"


def test_of_whom_nobody_is_found_they_are_looked_for_further(
    house: Runtime, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_user(house, "li", "editor")
    furnish(house)
    come(house, browser, "wang", "editor")
    with house.begin() as tx:
        make_members(tx.session, 60)
        rare = make_member(tx.session, name="解超超").id
        tx.session.execute(update(Variant).values(name='name = "解超超"').where(Variant.position == 0))
        least = tx.session.scalar(select(func.min(Member.id)))
    for name, small in (("COUNTED", 20), ("DRAWN", 31), ("FEW", 1), ("LOOKED_THROUGH", 20), ("AT_MOST", 40)):
        monkeypatch.setattr(counting, name, small)
    looks = (rare - least) // 40
    assert looks > 1
    for _ in range(looks):
        assert "Nobody was found in this segment yet" in browser.get("/editions/1").text
    assert "As 解超超 gets it" in browser.get("/editions/1").text
    # of another variant they were looked for more briefly meanwhile
    for _ in range(looks):
        shown = browser.get("/editions/1").text
    assert "Nobody was found" not in shown
    assert "Nobody is in this segment now" in shown
