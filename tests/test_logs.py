"""What is logged: no whole number, no secret, whatever stands around them."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from broadcaster.logs import Seldom, configure, get


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    configure(stream=stream)
    yield stream
    root.handlers, root.level = handlers, level


@pytest.mark.parametrize(
    "told",
    [
        "+8619900000001",
        "8619900000001.",
        "no way to 8619900000001, it says",
        "张伟19900000001的短信",
        "tel:+8619900000001;",
        "8619900000001...",
        "«19900000001»",
        {"to": "8619900000001"},
        ["8619900000001", 1],
        ("a", b"8619900000001"),
        ValueError("cannot reach 8619900000001."),
    ],
)
def test_no_whole_number(logged: io.StringIO, told: object) -> None:
    get("x").warning("told", reason=told)
    assert "9900000" not in logged.getvalue()
    assert json.loads(logged.getvalue())["event"] == "told"


def test_no_whole_number_in_a_traceback(logged: io.StringIO) -> None:
    try:
        raise ValueError("no way to 8619900000001.")
    except ValueError:
        get("x").exception("failed")
    assert "0001" in logged.getvalue()
    assert "9900000" not in logged.getvalue()


@pytest.mark.parametrize("told", ["0.1234567", "a1b2c3d4e5f60718293", "id-x1234567y", "1234.5678901"])
def test_what_is_no_number_stays(logged: io.StringIO, told: str) -> None:
    get("x").warning("told", reason=told)
    assert json.loads(logged.getvalue())["reason"] == told


@pytest.mark.parametrize("key", ["password", "auth_token", "api_key_secret", "Authorization"])
def test_no_secret(logged: io.StringIO, key: str) -> None:
    get("x").warning("told", **{key: "hunter2"})
    assert "hunter2" not in logged.getvalue()


def test_what_happens_often_is_told_seldom_and_by_key() -> None:
    seldom = Seldom(10.0)
    assert [seldom.again("a", at) for at in (5.0, 6.0, 14.9, 15.0, 16.0, 100.0)] == [1, 0, 0, 3, 0, 2]
    assert seldom.again("b", 5.0) == 1
