"""Headings that mean one thing in one list and another in the next: 身份, 类别, 同意."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from subscribers.models import Subscription, Wish
from tests.subscribers.importing.test_importer import Importer, counts, load

__all__ = ["load"]


@pytest.mark.parametrize("heading", ["身份", "类别", "Category"])
def test_what_people_are_told_apart_by_is_no_status(session: Session, load: Importer, heading: str) -> None:
    result = load(f"姓名,手机,{heading}\n读者甲,19900000001,教师\n读者乙,19900000002,\n读者丙,19900000003,家长\n")
    assert counts(result) == (3, 0, 0, 0)
    assert heading in result.kept
    # whoever says that it is one is believed, and so is a list in which one is
    said = load(f"姓名,手机,{heading}\n读者丁,19900000004,教师\n", mapping={heading: "status"})
    mixed = load(f"姓名,手机,{heading}\n读者戊,19900000005,教师\n读者己,19900000006,离退休\n")
    assert (counts(said), counts(mixed)) == ((0, 0, 0, 1), (1, 0, 0, 1))
    assert load("姓名,手机,状态\n读者庚,19900000007,教师\n").refused, "a status that there is not"


@pytest.mark.parametrize("heading", ["愿意接收", "是否同意接收短信", "同意", "Consent"])
def test_who_says_no_is_never_taken_for_one_of_all_who_agreed(session: Session, load: Importer, heading: str) -> None:
    result = load(
        f"姓名,手机,{heading}\n甲,19900000001,否\n乙,19900000002,不愿意\n丙,19900000003,\n", agreed="开会时举手"
    )
    assert counts(result) == (3, 0, 0, 0)
    wishes = {each.msisdn[-1]: each.wish for each in session.scalars(select(Subscription))}
    assert wishes == {"1": Wish.OUT, "2": Wish.OUT, "3": Wish.IN}
