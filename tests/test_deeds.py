"""Every deed that the program writes into the audit has its words, in both languages."""

from __future__ import annotations

import re

import pytest

from broadcaster.deeds import deed_words
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


def test_what_nobody_knows_is_told_as_it_stands() -> None:
    assert deed_words("old.deed") == "old.deed"
    assert deed_words("members.old") == "members.old"
