"""Every example on the page of the language is understood, and every word of the language is on the page."""

from __future__ import annotations

import re

import pytest

from subscribers.rules import parse
from subscribers.rules.fields import WORDS
from tests.rules import ROOT

PAGE = (ROOT / "docs/segments.md").read_text(encoding="utf-8")
BLOCKS = [line for block in re.findall(r"```rule\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
TABLE = re.findall(r"^\| (`[^|]*`(?: or `[^|]*`)?) \| (`[^|]*`(?: 或 `[^|]*`)?) \|", PAGE, re.MULTILINE)


def examples(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize("rule", BLOCKS)
def test_an_example_is_understood(rule: str) -> None:
    assert parse(rule)


@pytest.mark.parametrize(("english", "chinese"), TABLE)
def test_a_row_of_the_table_is_understood_in_both_languages(english: str, chinese: str) -> None:
    assert len(examples(english)) == len(examples(chinese))
    for rule in examples(english) + examples(chinese):
        assert parse(rule)


def test_the_page_has_examples_and_every_word() -> None:
    assert len(BLOCKS) > 10
    assert len(TABLE) > 20
    for word in WORDS:
        assert re.search(rf"`{word}\b|`[^`]*{word}", PAGE), word


def test_the_same_rule_with_and_without_brackets() -> None:
    at = BLOCKS.index('not retired and mobile or tag = "choir"')
    assert parse(BLOCKS[at]) == parse(BLOCKS[at + 1])
