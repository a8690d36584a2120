"""Recovery codes as they are made and kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.access import passwords, recovery


def test_what_is_kept_is_hashed_as_passwords_are() -> None:
    codes = recovery.generate()
    kept = recovery.hashes(codes[:2])
    assert set(kept) == {codes[0][0], codes[1][0]}
    for code in codes[:2]:
        hashed = kept[code[0]]
        assert hashed.startswith("$argon2id$")
        assert recovery.plain(code) not in hashed
        assert passwords.matches(recovery.plain(code), hashed)[0]
        assert not passwords.matches(recovery.plain(codes[2]), hashed)[0]


def test_no_two_of_a_user_begin_alike() -> None:
    for _ in range(50):
        codes = recovery.generate()
        assert len({code[0] for code in codes}) == len(codes) == recovery.CODES
        assert all(recovery.is_one(code) for code in codes)
    assert len({code for _ in range(50) for code in recovery.generate()}) == 50 * recovery.CODES


@pytest.mark.parametrize("typed", ["123456", "123 456", "１２３４５６", "", "abcd-efgh", "abcd-efgh-jkmn-p"])
def test_what_is_none(typed: str) -> None:
    assert not recovery.is_one(typed)


@given(st.text(max_size=100))
def test_whatever_is_typed_is_read(typed: str) -> None:
    assert recovery.plain(typed) == recovery.plain(recovery.plain(typed)) or not recovery.is_one(typed)
