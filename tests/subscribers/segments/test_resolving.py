"""What the names in a rule mean: to whoever asks, and not without end."""

from __future__ import annotations

import pytest
from sqlalchemy import insert
from sqlalchemy.orm import Session

from subscribers.actor import OPERATOR
from subscribers.errors import Invalid
from subscribers.models import Segment
from subscribers.organisations import find_by_path
from tests.factories import NOW, make_members
from tests.subscribers.segments.asking import clerk, count


def test_the_end_of_a_path_is_enough_if_only_one_has_it(session: Session) -> None:
    make_members(session, 2, organisation="East/First/A")
    make_members(session, 1, organisation="West/First/B")
    assert count(session, "under(A)").members == 2
    assert count(session, "under(West/First)").members == 1
    with pytest.raises(Invalid, match="2 organisations, at column 7"):
        count(session, "under(First)")
    with pytest.raises(Invalid, match="no organisation North, at column 18"):
        count(session, "mobile and under(North)")


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
