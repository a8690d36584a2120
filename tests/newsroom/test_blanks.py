"""Chinese has no blank between two sentences: a browser draws one, or a line break of the template, as a gap."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from broadcaster.language import CATALOGUE, read_catalogue
from tests.browsers import GAPS
from tests.rules import ROOT

PAGES = sorted((ROOT / "broadcaster").rglob("*.html"))
CHINESE = {said: told if isinstance(told, str) else told[0] for said, told in read_catalogue(CATALOGUE).items()}

_SAID = re.compile(r'\bn?tr\(\s*("(?:[^"\\]|\\.)*")')
#: what stands in a line with the words around it; what looks like a button stands apart
_IN_LINE = re.compile(r'<a class="(?:button|step)[^>]*>|</?(?:a|span|strong|em|code)\b[^>]*>')
_GAP = re.compile(r"[^<>\n]{0,20}[。！？；：，、][ \n\xa0]+[\u3400-\u9fff“‘（《][^<>\n]{0,20}")


def gaps(source: str) -> list[str]:
    """Where a template has a blank behind a Chinese stop, as far as that can be seen without drawing it."""
    text = re.sub(r"\{#.*?#\}", "", source, flags=re.DOTALL)
    text = re.sub(r"\s*\{%-", "{%", text)
    text = re.sub(r"-%\}\s*", "%}", text)
    text = re.sub(r"\{\{-?(.*?)-?\}\}", _drawn, text, flags=re.DOTALL)
    text = re.sub(r"\{%.*?%\}", "", text, flags=re.DOTALL)
    text = _IN_LINE.sub(lambda tag: "<b>" if "class=" in tag[0] and tag[0].startswith('<a class="') else "", text)
    return [found[0] for found in _GAP.finditer(text)]


def _drawn(braces: re.Match[str]) -> str:
    inside = braces[1].strip()
    if inside == "gap":
        return ""
    said = _SAID.findall(inside)
    if inside.startswith(("tr(", "ntr(")) and said:
        return CHINESE.get(said[-1][1:-1].replace('\\"', '"'), "")
    # a macro draws blocks; of any other value nobody knows how it begins
    return "<b>" if re.match(r"\w+\(", inside) else "甲"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_no_page_has_a_gap_behind_a_stop(path: Path) -> None:
    assert gaps(path.read_text("utf-8")) == []


def test_no_sentence_has_a_gap_inside() -> None:
    assert [told for told in CHINESE.values() if _GAP.search(told)] == []


@pytest.mark.parametrize(
    ("source", "has_a_gap"),
    [
        ('<p>{{ tr("Nobody was found.") }} <a href="/">{{ tr("Show everybody") }}</a></p>', True),
        ('<p>{{ tr("Nobody was found.") }}\n{{ words }}</p>', True),
        ('<p>{{ tr("Nobody was found.") }}{% if more %} <span>{{ tr("Show all") }}</span>{% endif %}</p>', True),
        ('<p>{{ tr("Nobody was found.") }}{{ gap }}<a href="/">{{ tr("Show everybody") }}</a></p>', False),
        ('<p>{{ tr("Nobody was found.") }}</p>\n<p>{{ tr("Show everybody") }}</p>', False),
        ('<p>{{ tr("Nobody was found.") }} <a class="button" href="/">{{ tr("Show everybody") }}</a></p>', False),
        ('{{ field("a", tr("A"), hint=tr("Nobody was found.")) }}\n{{ field("b", tr("Show all")) }}', False),
    ],
)
def test_what_is_found(source: str, has_a_gap: bool) -> None:
    assert bool(gaps(source)) is has_a_gap


@pytest.mark.parametrize(
    ("page", "gaps"),
    [
        ("<p>没有找到。 <a href='/'>看全部</a></p>", ["没有找到。 看全部"]),
        ("<p>没有找到。\n看全部</p>", ["没有找到。 看全部"]),
        ("<p>没有找到。<a href='/'>看全部</a></p><p>看全部</p>", []),
        ("<p>没有找到。 <button>看全部</button> <a class='button' href='/'>看全部</a></p>", []),
        (
            "<li>没有找到。 <div>看全部</div></li><textarea>一。 二</textarea><div class='bubble'><p>一。 二</p></div>",
            [],
        ),
    ],
)
def test_a_browser_finds_what_is_drawn(chrome: Browser, page: str, gaps: list[str]) -> None:
    """It is held against every Chinese page at which a browser looks."""
    window = chrome.new_page()
    for language, found in (("zh-CN", gaps), ("en", [])):
        window.set_content(f"<!doctype html><html lang='{language}'><body>{page}</body></html>")
        assert window.evaluate(GAPS) == found
    window.close()
