"""Every sentence in both languages, and the reader's language found."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextvars import copy_context
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

import broadcaster.language
from broadcaster.language import (
    CATALOGUE,
    Language,
    Phrase,
    clauses,
    filled,
    in_a_row,
    kept,
    language,
    listed,
    ntr,
    read_catalogue,
    retold,
    retold_hint,
    set_language,
    tell,
    tr,
    translated,
)
from broadcaster.language.__main__ import entry
from broadcaster.language.collect import ROOT, Collected, collect, fields, sources
from broadcaster.mistakes import OF_THE_SYSTEM
from subscribers.errors import Invalid, Unavailable

CATALOGUE_OF_THE_TEST = """
msgid ""
msgstr "Language: zh_CN\\n"

#: a comment
msgid "Row {row}: no number."
msgstr "第 {row} 行：没有号码。"

msgid ""
"Two "
"lines: \\"{name}\\"."
msgstr ""
"两行："
"“{name}”。\\n"

msgid "{n} person"
msgid_plural "{n} people"
msgstr[0] "{n} 人"

msgid "Give it."
msgstr "请填写 {row}。"

msgid "untranslated"
msgstr ""

#~ msgid "obsolete"
#~ msgstr "过时"
"""


@pytest.fixture(scope="module")
def collected() -> Collected:
    """Every sentence of the code: seconds of work, for the tests that ask."""
    return collect(sources())


@pytest.fixture(autouse=True)
def language_of_the_environment() -> Iterator[None]:
    set_language(None)
    yield
    set_language(None)


@pytest.fixture
def small_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "small.po"
    file.write_text(CATALOGUE_OF_THE_TEST, encoding="utf-8")
    monkeypatch.setattr(broadcaster.language, "CATALOGUE", file)
    return file


@pytest.fixture
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("BROADSHEET_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def spoken(tongue: Language, message: str, **given: object) -> str:
    set_language(tongue)
    return tr(message, **given)


class TestCatalogue:
    def test_every_sentence_has_chinese(self, collected: Collected) -> None:
        translations = read_catalogue(CATALOGUE)
        missing = {s.msgid: entry(s) for s in collected.sentences if not translations.get(s.msgid)}
        assert not missing, "python -m broadcaster.language --missing:\n" + "\n".join(missing.values())

    def test_no_entry_is_dead(self, collected: Collected) -> None:
        assert set(read_catalogue(CATALOGUE)) - {sentence.msgid for sentence in collected.sentences} == set()

    def test_chinese_has_the_same_fields(self, collected: Collected) -> None:
        plurals = {sentence.msgid: sentence.plural for sentence in collected.sentences}
        other = {
            msgid: chinese
            for msgid, chinese in read_catalogue(CATALOGUE).items()
            if fields(chinese) != fields(plurals.get(msgid) or msgid)
        }
        assert other == {}

    def test_every_field_is_given(self, collected: Collected) -> None:
        unfilled = [
            (sentence.where, sentence.msgid)
            for sentence in collected.sentences
            if sentence.given is not None and not fields(sentence.msgid) | fields(sentence.plural) <= sentence.given
        ]
        assert unfilled == []

    def test_every_sentence_is_a_literal(self, collected: Collected) -> None:
        assert collected.unreadable == []

    def test_tone(self) -> None:
        unwanted = {
            chinese
            for chinese in read_catalogue(CATALOGUE).values()
            for word in ("！", "抱歉", "请注意")
            if word in chinese
        }
        assert unwanted == set()

    def test_babel_reads_the_same(self) -> None:
        with CATALOGUE.open("rb") as file:
            catalogue = read_po(file, locale="zh_CN", abort_invalid=True)
        theirs = {}
        for message in catalogue:
            assert not message.fuzzy or not message.id, f"fuzzy: {message.id}"
            if message.id:
                plural = isinstance(message.id, tuple)
                theirs[message.id[0] if plural else message.id] = message.string[0] if plural else message.string
        assert theirs == read_catalogue(CATALOGUE)

    def test_no_entry_stands_twice(self) -> None:
        lines = [line for line in CATALOGUE.read_text(encoding="utf-8").splitlines() if line.startswith("msgid ")]
        assert sorted(lines) == sorted(set(lines))


class TestTr:
    def test_fields_are_filled_in(self, small_catalogue: Path) -> None:
        assert spoken("zh", "Row {row}: no number.", row=3) == "第 3 行：没有号码。"
        assert spoken("en", "Row {row}: no number.", row=3) == "Row 3: no number."

    def test_lines_and_escapes(self, small_catalogue: Path) -> None:
        assert spoken("zh", 'Two lines: "{name}".', name="李芳") == "两行：“李芳”。\n"

    def test_english_where_chinese_is_missing(self, small_catalogue: Path) -> None:
        assert spoken("zh", "untranslated") == "untranslated"
        assert spoken("zh", "obsolete") == "obsolete"
        assert spoken("zh", "nowhere: {what}", what=1) == "nowhere: 1"

    def test_the_head_of_the_file_is_no_translation(self, small_catalogue: Path) -> None:
        assert spoken("zh", "") == ""

    def test_braces_in_a_value_stay(self, small_catalogue: Path) -> None:
        assert spoken("zh", "Row {row}: no number.", row="{x}") == "第 {x} 行：没有号码。"

    def test_translated_leaves_fields_alone(self, small_catalogue: Path) -> None:
        set_language("zh")
        assert translated("Row {row}: no number.") == "第 {row} 行：没有号码。"
        assert translated("{ as the carrier wrote it") == "{ as the carrier wrote it"

    @pytest.mark.parametrize(
        ("tongue", "n", "told"),
        [("en", 1, "1 person"), ("en", 2, "2 people"), ("en", 0, "0 people"), ("zh", 1, "1 人")],
    )
    def test_counts(self, small_catalogue: Path, tongue: Language, n: int, told: str) -> None:
        set_language(tongue)
        assert ntr("{n} person", "{n} people", n) == told

    @pytest.mark.parametrize(("n", "told"), [(1, "1 dog"), (2, "2 dogs")])
    def test_counts_without_chinese(self, small_catalogue: Path, n: int, told: str) -> None:
        set_language("zh")
        assert ntr("{n} dog", "{n} dogs", n) == told

    def test_errors(self, small_catalogue: Path) -> None:
        error = Invalid("Row {row}: no number.", hint="Give it.", row=3)
        set_language("en")
        assert tell(error) == ("Row 3: no number.", "Give it.")
        set_language("zh")
        assert tell(error) == ("第 3 行：没有号码。", "请填写 3。")
        assert tell(Invalid("Row {row}: no number.", row=4)) == ("第 4 行：没有号码。", "")


class TestLanguage:
    @pytest.mark.parametrize(
        ("variables", "expected"),
        [
            ({}, "en"),
            ({"LANG": "zh_CN.UTF-8"}, "zh"),
            ({"LANG": "C.UTF-8"}, "en"),
            ({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, "en"),
            ({"LC_ALL": "", "LANG": "zh_CN.UTF-8"}, "zh"),
            ({"LC_MESSAGES": "zh_TW", "LANG": "en_GB"}, "zh"),
            ({"BROADSHEET_LANG": "zh", "LC_ALL": "C"}, "zh"),
            ({"BROADSHEET_LANG": "en", "LC_ALL": "zh_CN"}, "en"),
            ({"BROADSHEET_LANG": "ZH"}, "zh"),
        ],
    )
    def test_environment(
        self, bare_environment: pytest.MonkeyPatch, variables: dict[str, str], expected: Language
    ) -> None:
        for name, value in variables.items():
            bare_environment.setenv(name, value)
        assert language() == expected

    def test_what_was_set_comes_first_and_ends_with_its_context(self, bare_environment: pytest.MonkeyPatch) -> None:
        def within() -> Language:
            set_language("zh")
            return language()

        assert copy_context().run(within) == "zh"
        assert language() == "en"

    def test_english_reads_no_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(broadcaster.language, "CATALOGUE", tmp_path / "none.po")
        assert spoken("en", "Row {row}: no number.", row=3) == "Row 3: no number."


def test_missing_lists_entries_to_fill(tmp_path: Path, collected: Collected) -> None:
    command = [sys.executable, "-m", "broadcaster.language", "--missing"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    file = tmp_path / "missing.po"
    file.write_text(done.stdout, encoding="utf-8")
    translations = read_catalogue(CATALOGUE)
    missing = {each.msgid for each in collected.sentences if not translations.get(each.msgid)}
    assert set(read_catalogue(file)) == missing


class TestKept:
    """An error that is written down now and read by somebody else later."""

    LOST = Unavailable("Row {row}: no number.", row=3)

    @pytest.mark.parametrize(("reader", "told"), [("en", "Row 3: no number."), ("zh", "第 3 行：没有号码。")])
    def test_in_the_language_of_whoever_reads(self, small_catalogue: Path, reader: Language, told: str) -> None:
        text = kept(self.LOST, 300)
        set_language(reader)
        assert retold(text) == told

    def test_a_phrase_within_a_sentence(self, small_catalogue: Path) -> None:
        error = Unavailable("Row {row}: no number.", row=Phrase("Give it."))
        set_language("zh")
        assert retold(kept(error, 300)) == tell(error)[0] == "第 请填写 {row}。 行：没有号码。"

    def test_fields_that_are_formatted(self) -> None:
        assert retold(kept(Unavailable("after {n:.1f} of {n}", n=2.0), 300)) == "after 2.0 of 2.0"

    def test_what_has_no_room_is_a_sentence_of_so_many_characters(self) -> None:
        long = Unavailable("it said {what}", what="x" * 300)
        assert kept(long, 300) == str(long)[:300]
        assert len(kept(long, 300)) == 300

    @pytest.mark.parametrize("text", ["plain words", "3", "[]", "[1]", '["{a}", {}, []]', "null", '["a", null, []]'])
    def test_anything_else_stays_as_it_is(self, text: str) -> None:
        assert retold(text) == text


def test_sentences_and_things_in_a_row() -> None:
    assert in_a_row("One.", "", "Two.") == "One. Two."
    assert in_a_row("", "一。", "二。", "", "三") == "一。二。三"
    assert in_a_row() == ""
    spoken: tuple[tuple[Language, str, str], ...] = (("en", "a, b", "a; b"), ("zh", "a、b", "a；b"))
    for chosen, told, apart in spoken:
        set_language(chosen)
        assert listed(["a", "b"]) == told
        assert clauses("a", "", "b") == apart
        assert listed([]) == ""
    set_language(None)


@pytest.mark.parametrize(("chosen", "between"), [("en", ", "), ("zh", "、")])
def test_a_list_in_a_sentence_that_was_kept(chosen: Language, between: str) -> None:
    error = Invalid("There is no segment {name}.", hint="There are: {known}.", name="x", known=["a", "b", "c"])
    assert str(error) == "There is no segment x."
    set_language(chosen)
    try:
        assert between.join("abc") in filled("There are: {known}.", {"known": ["a", "b", "c"]})
        assert between.join("abc") in tell(error)[1]
        assert retold_hint(kept(error, 300)) == tell(error)[1]
    finally:
        set_language(None)


def test_no_sheet_puts_western_commas_between_things() -> None:
    joined = re.compile(r"""join\(["'],|loop\.last %}, """)
    sheets = (ROOT / "broadcaster").rglob("*.html")
    assert [sheet.name for sheet in sheets if joined.search(sheet.read_text("utf-8"))] == []


def test_what_the_system_says_is_a_phrase_of_ours() -> None:
    assert {os.strerror(number) for number in errno.errorcode} >= set(OF_THE_SYSTEM)
    set_language("zh")
    try:
        error = Unavailable("{path} cannot be used: {detail}.", path="x", detail=os.strerror(errno.ENOSPC))
        assert tell(error)[0] == retold(kept(error, 300)) == "x 不能用：磁盘已满。"
    finally:
        set_language(None)


#: what these join is SQL and headers; the first is where a list is told in English
_NOT_READ = [
    "subscribers/errors.py",
    "broadcaster/delivery/plans.py",
    "broadcaster/gateways/smpp/tables.py",
    "broadcaster/hooks.py",
    "subscribers/bulk.py",
    "subscribers/columnwise.py",
    "subscribers/db.py",
    "subscribers/importing/first_list.py",
]


def test_a_list_is_told_as_the_language_lists_things() -> None:
    joined = re.compile(r"""["'](?:[,;] |[、；])["']\.join""")
    files = [each for folder in ("broadcaster", "subscribers") for each in (ROOT / folder).rglob("*.py")]
    found = {str(each.relative_to(ROOT)) for each in files if joined.search(each.read_text("utf-8"))}
    assert found == set(_NOT_READ), "use language.listed or language.clauses"
