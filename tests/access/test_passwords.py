"""Passwords: which are refused, how they are kept, and what is given out."""

from __future__ import annotations

import re

import pytest

from broadcaster.access import passwords
from subscribers.errors import Invalid


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "elevenchars",
        "x" * 201,
        "password1234",
        "Password123!",
        "P@ssw0rd2026!",
        "qwertyuiop123",
        "QwertyUiopAsdf",
        "1234567890123",
        "abcdefghijklm",
        "1qaz2wsx3edc4rfv",
        "aaaaaaaaaaaa",
        "abcabcabcabc",
        "hellohellohello",
        "iloveyou2026",
        "administrator1",
        "woaini1314520",
        "chocolate1234",
        "michael123456",
        "charlie12345",
        "qazwsxedcrfv",
        "1q2w3e4r5t6y7u",
        "qwertyuiop[]",
        "ch0c0late1234",
        "broadsheet2026",
        "zhangwei-2026-xu",
        "ZHANGWEI and horses",
        "correct\x00horse battery",
        "two lines\nof password",
        "\x1b[31mred battery staple",
    ],
)
def test_refused(password: str) -> None:
    with pytest.raises(Invalid):
        passwords.check(password, "zhangwei")


@pytest.mark.parametrize(
    "password",
    ["correct horse battery", "春眠不觉晓处处闻啼鸟夜来", "tr0ub4dor&3-xkcd", "x7Kp#m2Qz!v9", "believe in wx and go"],
)
def test_taken(password: str) -> None:
    assert passwords.check(password, "wx") == password


def test_one_sign_has_one_form() -> None:
    composed, apart = "caf\u00e9 au lait noir", "cafe\u0301 au lait noir"
    assert passwords.check(apart, "li") == composed
    assert passwords.matches(apart, passwords.hashed(passwords.check(composed, "li")))[0]


def test_marks_without_end_are_not_sorted() -> None:
    """Which takes their number squared, and holds everybody up: a small form would stop the house for minutes."""
    assert len(passwords.one_form("a" + "\u0300" * 100_000 + "\u0316" * 100_000)) <= 4 * passwords.LONGEST + 1


def test_kept_as_argon2id_and_never_twice_the_same() -> None:
    first, second = passwords.hashed("correct horse battery"), passwords.hashed("correct horse battery")
    assert first.startswith("$argon2id$v=19$m=65536,")
    assert first != second
    assert passwords.matches("correct horse battery", first)[0]
    assert not passwords.matches("correct horse batterz", first)[0]


def test_an_older_hash_is_replaced() -> None:
    from argon2 import PasswordHasher

    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash("correct horse battery")
    right, newer = passwords.matches("correct horse battery", old)
    assert right
    assert newer is not None
    assert passwords.matches("correct horse battery", newer) == (True, None)


@pytest.mark.parametrize("kept", [None, "", "rubbish", "$argon2id$"])
def test_nobody_matches_nothing(kept: str | None) -> None:
    assert passwords.matches("correct horse battery", kept)[0] is False
    assert passwords.matches("x" * 1_000_000, kept)[0] is False


def test_what_is_given_out_is_easy_to_type_and_good_enough() -> None:
    given = {passwords.generate() for _ in range(200)}
    assert len(given) == 200
    for one in given:
        assert re.fullmatch(r"[2-9a-hjkmnp-z]{4}(-[2-9a-hjkmnp-z]{4}){3}", one)
        assert passwords.check(one, "li") == one
