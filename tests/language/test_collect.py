"""Sentences are found where they are said."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from broadcaster.language.collect import Collected, collect, fields


def read(tmp_path: Path, source: str) -> Collected:
    file = tmp_path / "module.py"
    file.write_text("class Invalid(BroadsheetError): ...\n" + dedent(source), encoding="utf-8")
    return collect([file], tmp_path)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("tr('a')", {"a"}),
        ("language.tr('a' 'b')", {"ab"}),
        ("msgid('a')", {"a"}),
        ("raise Invalid('a', hint='b', row=3)", {"a", "b"}),
        ("raise Invalid('a', hint='b' if here else '')", {"a", "b"}),
        ("TEXT = 'a'\ndef f(): tr(TEXT)", {"a"}),
        ("TABLE: dict = {1: 'a', 2: 'b'}\ndef f(k): tr(TABLE[k])", {"a", "b"}),
        ("class Lost(Invalid):\n    def __init__(self): super().__init__('a', hint='b')", {"a", "b"}),
        ("class Lost(Invalid):\n    def __init__(self, rows): super().__init__('a')\nraise Lost(rows)", {"a"}),
        ("class Lost(other.Invalid): ...\nraise Lost('a')", {"a"}),
        ("tr(error.message, **error.fields)", set()),
        ("Reason(State.FAILED, True, 'a')", {"a"}),
        ("Refused('7', reason='a')", {"a"}),
        ("ValueError('a')", set()),
        ("print('a')", set()),
    ],
)
def test_where_sentences_stand(tmp_path: Path, source: str, expected: set[str]) -> None:
    found = read(tmp_path, source)
    assert {sentence.msgid for sentence in found.sentences} == expected
    assert found.unreadable == []


@pytest.mark.parametrize(
    "source",
    [
        "tr(f'a {b}')",
        "tr('a' + b)",
        "tr(given)",
        "tr(f())",
        "raise Invalid('a {}'.format(b))",
        "raise Invalid('a', hint=f'{b}')",
        "ntr('a', many, 2)",
        "text = text or 'a'\ntr(text)",
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, source: str) -> None:
    found = read(tmp_path, source)
    assert [place.partition(":")[0] for place in found.unreadable] == ["module.py"]


def test_a_carriers_own_words_need_no_literal(tmp_path: Path) -> None:
    assert read(tmp_path, "Refused(code, answer['text'])") == Collected()


def test_a_count_has_two_forms(tmp_path: Path) -> None:
    [sentence] = read(tmp_path, "ntr('{n} man of {place}', '{n} men of {place}', 3, place=x)").sentences
    assert (sentence.msgid, sentence.plural) == ("{n} man of {place}", "{n} men of {place}")
    assert sentence.given == {"n", "place"}


@pytest.mark.parametrize(
    ("source", "given"),
    [
        ("raise Invalid('a', hint='b', row=3)", {"row"}),
        ("tr('a', n=3)", {"n"}),
        ("tr('a', **values)", None),
        ("msgid('{a}')", None),
    ],
)
def test_which_fields_are_given(tmp_path: Path, source: str, given: set[str] | None) -> None:
    assert {sentence.given for sentence in read(tmp_path, source).sentences} == {given and frozenset(given)}


def test_fields() -> None:
    assert fields("Row {row}: {cell!r} costs {price:.2f} of {member.name}, {{not}} {a[0]}.") == {
        "row",
        "cell",
        "price",
        "member",
        "a",
    }
