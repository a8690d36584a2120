"""Every page in a real browser: in both languages, at both widths."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest
from playwright.sync_api import Browser

from broadcaster.app import make_web
from broadcaster.runtime import Runtime
from broadcaster.web.doors import DECLARED
from tests import wcag
from tests.browsers import DESKTOP, PHONE, Look, looking
from tests.every_page import (
    BEGUN,
    CHIEF,
    EDITOR,
    FURTHER,
    LEFT_OUT,
    NEWCOMER,
    NOTHING_YET,
    OF_OTHERS,
    Shown,
    before,
    begin_only,
    come_first,
    declared,
    open_page,
    passes,
    settle,
)
from tests.websites import hosted

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

#: the pages are dealt to so many tests of each language, so that workers share them
SHARES = 4
#: Latin letters that may stand on a Chinese page
ALLOWED = {
    # what this house was furnished with: its users, its gateways and their kinds, the file that was handed in
    *(CHIEF, EDITOR, NEWCOMER, "simulator", "carrier", "calling", "list.csv"),
    # pinyin that is given as an example
    "zw",
    # units, currencies and time zones
    *("KB", "MB", "CNY", "UTC", "Asia", "Shanghai"),
    # kinds of files, and programs, by the names that they have in Chinese, too
    *("CSV", "XLSX", "JPEG", "PNG", "WebP", "GIF", "Word"),
    *("Microsoft", "Google", "Authenticator", "FAS", "FreeOTP", "KeePassXC"),
    # this program, and the file that the operator writes
    *("Broadsheet", "broadsheet.toml"),
    # what stands on keys
    *("Alt", "Ctrl+K"),
}

#: lists without lines, and parts of a page in which nothing is said and nothing can be filled in
EMPTY = """() => {
    const found = [];
    const main = document.querySelector("main");
    // items are dragged into it
    for (const list of main.querySelectorAll("tbody, ul, ol:not(.placed), dl, select"))
        if (!list.children.length) found.push(`without a line: ${list.outerHTML}`);
    // what looks for some of what is there, or leads elsewhere, says nothing of where nothing is
    const apart = ".tabs, .head, .act, thead, [role=status], form.filter, #who div.filter";
    const speaks = each => each.matches("input, textarea, select, button") || each.textContent.trim();
    const about = "p, dd, th, td, li, input:not([type=hidden]), textarea, select, button";
    for (const part of [main, ...main.querySelectorAll("section, details, fieldset")])
        if (![...part.querySelectorAll(about)].some(each => !each.closest(apart) && speaks(each)))
            found.push(`says nothing: ${part.innerText}`);
    return found;
}"""


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize(("language", "looked_at"), [("zh-CN", PHONE), ("en", DESKTOP)], ids=["zh", "en"])
def test_nothing_is_wrong_with_it(
    house: Runtime, chrome: Browser, address: str, language: str, looked_at: tuple[int, int], share: int
) -> None:
    """At both widths it is no wider than that. Axe, which takes most of the time, looks at one of them."""
    come_first(house)
    pages = settle(house, address)[share::SHARES]
    cookies = passes(house)
    wrong = []
    with looking(chrome, address, language) as look:
        for shown in pages:
            look.page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
            try:
                open_page(look, shown, cookies.get(shown.who, ""))
                wrong += [f"{shown.path}: {word} in “{words}”" for word, words in look.latin() if word not in ALLOWED]
                for size in (DESKTOP, PHONE):
                    look.page.set_viewport_size({"width": size[0], "height": size[1]})
                    look.is_within_its_width()
                    if size == looked_at:
                        look.keeps_nobody_out()
                found = wcag.cuts_nothing_on_a_phone(look.page)
                if looked_at == PHONE:
                    # what is the same in both languages is looked at in one
                    found += wcag.shows_what_is_chosen(look.page) + wcag.prints_words_only(look.page)
                else:
                    # English takes more room
                    found += wcag.cuts_nothing_on_a_desk(look.page)
                wrong += [f"{shown.path} ({shown.name}) {each}" for each in found]
            except AssertionError as error:
                wrong.append(f"{shown.path} ({shown.name}): {error}")
            wrong += [f"{shown.path} ({shown.name}): {each}" for each in look.heard()]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("language", ["zh-CN", "en"], ids=["zh", "en"])
def test_no_page_of_an_empty_house_is_empty(house: Runtime, chrome: Browser, language: str) -> None:
    """Where nothing is yet, a page says so, or has a form for the first of it; an edition that was only begun, too."""
    web = make_web(house)
    with hosted(web) as address, looking(chrome, address, language, PHONE) as look:
        wrong = bare(look, before(web, address), {})
        come_first(house)
        cookies = passes(house)
        wrong += bare(look, NOTHING_YET, cookies)
        begin_only(house)
        wrong += bare(look, BEGUN, cookies)
    assert not wrong, "\n".join(wrong)


def bare(look: Look, pages: Iterable[Shown], cookies: Mapping[str, str]) -> list[str]:
    found = []
    for shown in pages:
        try:
            open_page(look, shown, cookies.get(shown.who, ""))
            look.is_within_its_width()
            found += [f"{shown.path}: {each}" for each in look.page.evaluate(EMPTY)]
        except AssertionError as error:
            found.append(f"{shown.path}: {error}")
        found += [f"{shown.path}: {each}" for each in look.heard()]
    return found


def test_what_is_left_out_is_there(database_url: str) -> None:
    """What is said of an address holds as long as there is such an address; and no picture covers another."""
    shows = {path for method, path in DECLARED if method == "GET"}
    assert {*LEFT_OUT, *OF_OTHERS} <= shows
    names = [each.name for each in (*declared({}), *FURTHER)]
    assert len(names) == len(set(names))
