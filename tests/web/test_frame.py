"""The reader's language, and the headers of every answer."""

from __future__ import annotations

import httpx2
import pytest

from broadcaster.web.frame import language_for


@pytest.mark.parametrize(
    ("wish", "accepted", "expected"),
    [
        ("", "", "zh"),
        ("en", "zh-CN,zh;q=0.9", "en"),
        ("zh", "en", "zh"),
        ("fr", "en-GB,en;q=0.5", "en"),
        ("", "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("", "fr, en;q=0.4, zh-Hant-TW;q=0.3", "en"),
        ("", "en;q=0.2, zh;q=0.3", "zh"),
        ("", "EN-us", "en"),
        ("", "en;q=0", "zh"),
        ("", "en;q=much", "zh"),
        ("", ",;q=,=,;;", "zh"),
        ("", "de", "zh"),
    ],
)
def test_language_for(wish: str, accepted: str, expected: str) -> None:
    assert language_for(wish, accepted, "zh") == expected


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("path", ["/", "/health/live", "/health/ready", "/static/house.css", "/nowhere", "/hooks/none"])
def test_every_answer_keeps_to_itself(site: httpx2.Client, path: str) -> None:
    answer = site.get(path)
    assert answer.headers["x-content-type-options"] == "nosniff"
    policy = dict(rule.strip().split(" ", 1) for rule in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["form-action"] == ("'self'" if path == "/" else "'none'")
    assert policy["style-src"] == "'self'"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert "server" not in answer.headers
    assert ("max-age" in answer.headers["cache-control"]) == (path == "/static/house.css")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_language_that_was_chosen_stays(site: httpx2.Client) -> None:
    site.headers["accept-language"] = "en"
    assert site.get("/nowhere").text.startswith("There is nothing")
    assert site.get("/nowhere?lang=zh").text.startswith("这个地址没有内容")
    answer = site.get("/nowhere")
    assert answer.text.startswith("这个地址没有内容")
    assert "set-cookie" not in answer.headers
    assert site.get("/nowhere?lang=x").text.startswith("这个地址没有内容")
    assert site.get("/nowhere?lang=en").text.startswith("There is nothing")
