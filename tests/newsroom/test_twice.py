"""A button that is pressed twice, or by two at once: whoever comes second is told so, and nobody meets a fault."""

from __future__ import annotations

import threading

import httpx2
import pytest

from broadcaster.runtime import Runtime
from tests.newsrooms import Browser, Signed, add_user, furnish

#: SQLite has one writer
pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

#: in this order: later ones need what came of earlier ones
FORMS = (
    ("/editions/new", {"number": "2", "day": "2026-11-30", "title": "第二周"}),
    ("/editions/2/place", {"column": "4", "item": ["2", "3"]}),
    ("/editions/2/publish", {}),
    ("/editions/2/publish", {}),
    ("/editions/2/take-down", {}),
    ("/editions/1/count", {}),
    ("/editions/1/variants/0", {"variant": "retired", "version": "0", "body": "今天供暖。"}),
    ("/editions/1/variants/1/form", {"variant": "mobile", "in_full": "1"}),
    ("/items/1", {"headline": "供暖", "sms": "今天供暖。", "version": "1", "act": "accept"}),
    ("/items/columns/2/remove", {"into": "1"}),
    ("/account/phone", {"number": "19909990077"}),
    ("/members/organisations", {"name": "新分会", "under": "东城"}),
    ("/members/1/numbers", {"act": "add", "number": "19900009999"}),
    ("/members/1/transfer", {"to": "西城"}),
    ("/members/2/leave", {}),
    ("/members/segments", {"name": "骨干", "rule": "retired"}),
    ("/members/segments/remove", {"name": "骨干"}),
    ("/settings/words", {"words": "甲\n乙"}),
    ("/settings/users", {"name": "zhou", "role": "editor"}),
)
#: who press at once
TIMES = 3


def test_nobody_who_is_second_meets_a_fault(house: Runtime, browser: Browser) -> None:
    for name, role in (("wang", "admin"), ("li", "editor")):
        add_user(house, name, role)
    furnish(house)
    browser.client.cookies.set("broadsheet", Signed(house, "wang").token)
    browser.get("/account")
    told = [(path, sorted(_pressed(browser, path, fields))) for path, fields in FORMS]
    assert all(each[0] < 400 and each[-1] < 500 for _, each in told), told


def _pressed(browser: Browser, path: str, fields: dict[str, str | list[str]]) -> list[int]:
    together = threading.Barrier(TIMES)
    answers: list[httpx2.Response] = []

    def press() -> None:
        together.wait()
        answers.append(browser.post(path, **fields))

    threads = [threading.Thread(target=press) for _ in range(TIMES)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return [each.status_code for each in answers]
