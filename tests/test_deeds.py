"""Every deed that the program writes into the audit has its words, in both languages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from broadcaster.deeds import deed_words, detail_word, noted_words
from broadcaster.language import set_language
from tests.rules import ROOT

_NOTED = re.compile(r"""(?:note|seen_in_full)\((?:[^()"]|\([^()]*\))*?"([a-z_]+(?:\.[a-z_]+)+)\"""")
DEEDS = sorted(
    {
        deed
        for room in ("subscribers", "broadcaster")
        for file in (ROOT / room).rglob("*.py")
        for deed in _NOTED.findall(file.read_text("utf-8"))
    }
)


def test_deeds_are_found() -> None:
    assert {"users.add", "members.import", "campaigns.send", "members.show", "organisations.move"} <= set(DEEDS)


@pytest.mark.parametrize(
    "deed", [*DEEDS, "login", "consent.in", "consent.out", "transfers.accepted", "gateways.profile.undo"]
)
def test_a_deed_has_words(deed: str) -> None:
    set_language("zh")
    assert deed_words(deed) != deed
    assert not deed_words(deed).isascii()
    set_language("en")
    assert deed_words(deed) != deed


@pytest.mark.parametrize(
    ("deed", "thing", "en", "zh"),
    [
        ("users.add", "user 2", "user 2", "用户 2"),
        ("editions.publish", "1", "edition 1", "手机报 1"),
        ("editions.proof", "edition 7", "edition 7", "手机报 7"),
        ("items.share", "3", "item 3", "稿件 3"),
        ("campaigns.send", "campaign 4", "send 4", "发送任务 4"),
        ("organisations.close", "东城/东街分会", "东城/东街分会", "东城/东街分会"),
        ("replies.settle", "answers", "answers", "自动回复"),
        ("members.import", "import 3", "list 3", "名单 3"),
        ("members.export", "", "", ""),
        ("gateways.test", "gateway carrier", "gateway carrier", "网关 carrier"),
        ("columns.remove", "user of things", "user of things", "user of things"),
    ],
)
def test_what_it_was_done_to_is_told_in_words(deed: str, thing: str, en: str, zh: str) -> None:
    for language, told in (("zh", zh), ("en", en)):
        set_language(language)
        assert noted_words(deed, thing) == told


def test_a_detail_has_words() -> None:
    set_language("zh")
    calls = [call for room in ("subscribers", "broadcaster") for call in _calls(ROOT / room)]
    names = {word.arg for call in calls for word in call.keywords if word.arg} - {"people", "now", "under"}
    assert {"role", "keys", "scheduled_by"} <= names
    assert not {name for name in names if detail_word(name) == name}


def _calls(room: Path) -> Iterator[ast.Call]:
    """Every note that is taken of a deed."""
    for file in room.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            called = ast.unparse(node.func).rpartition(".")[2] if isinstance(node, ast.Call) else ""
            if isinstance(node, ast.Call) and called in ("note", "seen_in_full"):
                yield node


def test_what_nobody_knows_is_told_as_it_stands() -> None:
    assert deed_words("old.deed") == "old.deed"
    assert deed_words("members.old") == "members.old"
