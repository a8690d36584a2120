"""Whatever part of a name's spelling is typed, its search key begins as one of the readings says."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from subscribers import spelling
from subscribers.names import search_key
from subscribers.spelling import Spelling, Start

names = st.text("张伟单曾解放建国庄西安先吕昂恩欧阳尉迟万俟长孙儿娜", min_size=1, max_size=5)


def begins(key: str, start: Start) -> bool:
    initials, syllables = key.split(" ")
    return initials.startswith(start.initials) and syllables.startswith(start.syllables)


# the first name of all waits for the tables to be read
@given(names, st.data())
@example("西安娜", None)
@example("先安", None)
def test_whatever_part_of_a_spelling_is_typed(name: str, data: st.DataObject | None) -> None:
    key = search_key(name)
    initials, syllables = key.split(" ")
    typed = syllables[: data.draw(st.integers(1, len(syllables)))] if data else syllables
    assert any(begins(key, start) for start in spelling.read(typed).starts), typed
    assert key in spelling.read(syllables).keys
    assert any(begins(key, start) for start in spelling.read(initials).starts)


@given(st.text("abcdeghinouxyzlv ", max_size=100) | st.text(max_size=100))
@example("xian" * 25)
@example("zhangw" * 16)
def test_there_are_never_many_readings(text: str) -> None:
    found = spelling.read(text)
    assert len(found.keys) <= spelling.MOST + 1
    assert len(found.starts) <= 200
    letters = spelling.letters_of(text)
    assert bool(found.starts) == bool(letters)
    assert list(found.starts) == sorted(found.starts)


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("Zhang Wei", "zhangwei"),
        ("Zhāng Wěi", "zhangwei"),
        ("ｚｈａｎｇ", "zhang"),
        ("xi'an", "xian"),
        ("lü", "lv"),
        ("Lǚ Bù", "lvbu"),
        ("nyu", "nv"),
        ("张", ""),
        ("zhang3", ""),
        ("", ""),
        ("айгүл", ""),
    ],
)
def test_letters(text: str, letters: str) -> None:
    assert spelling.letters_of(text) == letters


def test_readings() -> None:
    assert spelling.read("zhangwei") == Spelling(("zw zhangwei",), (Start("zhangwei", ""), Start("zw", "zhangwei")))
    assert spelling.read("xian").keys == ("x xian", "xa xian")
    assert spelling.read("Anna Smith") == Spelling(("as annasmith",), (Start("as", "annasmith"),))
    assert spelling.read("smith").keys == ("s smith",)
    assert spelling.read("张") == Spelling()
    # a range within another is not looked through twice
    assert spelling.read("zw").starts == (Start("zw", ""),)
