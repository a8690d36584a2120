"""Sentences of one column never run into each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.newspaper.sentences import kept_apart


@pytest.mark.parametrize(
    ("sentences", "joined"),
    [
        (["Heating starts", "Canteen opens.", "Bye"], "Heating starts; Canteen opens. Bye"),
        (["供暖了。", "食堂开了", "再见"], "供暖了。食堂开了；再见"),
        (["见 https://example.org/p/1", "供暖"], "见 https://example.org/p/1; 供暖"),
        (["电话 010-0000 0000", "供暖", "WiFi"], "电话 010-0000 0000；供暖；WiFi"),
        (["OK", "供暖"], "OK；供暖"),
        (["祝您好，{{ name }}", "再见"], "祝您好，{{ name }}；再见"),
        (["“好”", "(ok)", "！"], "“好”(ok) ！"),
        (["", "x"], "x"),
        ([], ""),
    ],
)
def test_what_stands_between(sentences: list[str], joined: str) -> None:
    assert "".join(kept_apart(sentences)) == joined


@given(st.lists(st.text(alphabet="ab。.x供 ", max_size=6), max_size=5))
def test_nothing_is_lost(sentences: list[str]) -> None:
    apart = kept_apart(sentences)
    assert [each.startswith(one) for each, one in zip(apart, sentences, strict=True)] == [True] * len(sentences)
    assert apart[-1:] == sentences[-1:]
