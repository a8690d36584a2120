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
#: one that is looked for as well as noted has a name of its own
_NAMED = re.compile(r"""(?:note|seen_in_full)\((?:[^()"]|\([^()]*\))*?\b([A-Z_]{3,})\b""")


def _deeds(text: str) -> set[str]:
    named = {name: re.search(rf'^{name} = "([a-z_.]+)"', text, re.MULTILINE) for name in _NAMED.findall(text)}
    return {*_NOTED.findall(text), *(found[1] for found in named.values() if found)}


DEEDS = sorted(
    {
        deed
        for room in ("subscribers", "broadcaster")
        for file in (ROOT / room).rglob("*.py")
        for deed in _deeds(file.read_text("utf-8"))
    }
)


def test_deeds_are_found() -> None:
    assert {
        "users.add",
        "members.import",
        "campaigns.send",
        "members.show",
        "organisations.move",
        "editions.variants",
    } <= set(DEEDS)


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
        ("editions.publish", "1", "No. 1", "第 1 期"),
        ("editions.proof", "edition 7", "No. 7", "第 7 期"),
        ("items.share", "3", "item 3", "稿件 3"),
        ("editions.make", "edition 7", "No. 7", "第 7 期"),
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
    names = {word.arg for call, _ in calls for word in call.keywords if word.arg} - {"people", "now", "under"}
    names |= {name for call, tree in calls for name in _spread(call, tree)}
    assert {"role", "keys", "scheduled_by", "before_by"} <= names
    assert not {name for name in names if detail_word(name) == name}


def _spread(call: ast.Call, tree: ast.Module) -> Iterator[str]:
    """The names in a dictionary that was written down before, and is handed on with two stars."""
    handed_on = {ast.unparse(word.value) for word in call.keywords if word.arg is None}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Dict)
            and ast.unparse(node.targets[0]) in handed_on
        ):
            yield from (
                key.value for key in node.value.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)
            )


def _calls(room: Path) -> Iterator[tuple[ast.Call, ast.Module]]:
    """Every note that is taken of a deed, and its module."""
    for file in room.rglob("*.py"):
        tree = ast.parse(file.read_text("utf-8"))
        for node in ast.walk(tree):
            called = ast.unparse(node.func).rpartition(".")[2] if isinstance(node, ast.Call) else ""
            if isinstance(node, ast.Call) and called in ("note", "seen_in_full"):
                yield node, tree


def test_what_nobody_knows_is_told_as_it_stands() -> None:
    assert deed_words("old.deed") == "old.deed"
    assert deed_words("members.old") == "members.old"
