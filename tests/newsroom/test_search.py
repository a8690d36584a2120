"""One field for everything, and the part of the tree that lists are narrowed to."""

from __future__ import annotations

import re
from html import unescape

import pytest
from sqlalchemy import select

from broadcaster.newsroom import members
from broadcaster.runtime import Runtime
from subscribers import organisations
from subscribers.actor import OPERATOR
from subscribers.models import Organisation
from tests.factories import generated_msisdn, make_member, make_organisation
from tests.newsroom.naughty import NAUGHTY
from tests.newsrooms import Browser, Signed, add_user, furnish, troubles

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def come(
    house: Runtime,
    browser: Browser,
    role: str = "editor",
    under: str = "",
    *,
    name: str = "zhao",
    furnished: bool = False,
) -> Browser:
    if not furnished:
        add_user(house, "li", "editor")
        furnish(house)
    add_user(house, name, role, under=under)
    browser.client.cookies["broadsheet"] = Signed(house, name).token
    browser.get("/search")
    return browser


def found(page: str) -> list[str]:
    return re.findall(r'<li><a href="([^"]+)"', page.partition("<h1>")[2])


def id_of(house: Runtime, name: str) -> str:
    with house.reading() as tx:
        return str(tx.session.scalars(select(Organisation.id).where(Organisation.name == name)).one())


def test_everything_is_found(house: Runtime, browser: Browser) -> None:
    editor = come(house, browser)
    answer = editor.post("/search", q="oyzh")
    assert answer.headers["location"] == "/search?q=oyzh"
    page = editor.follow(answer).text
    assert "欧阳子涵" in page
    assert found(editor.get("/search?q=取暖").text) == ["/items/2"]
    assert found(editor.get("/search?q=第1期").text)[0] == "/editions/1"
    assert found(editor.get("/search?q=1").text)[0] == "/editions/1"
    assert found(editor.get("/search?q=入冬").text) == ["/editions/1"]
    assert found(editor.get("/search?q=djfh").text) == [
        "/members/organisations?under=%E4%B8%9C%E5%9F%8E/%E4%B8%9C%E8%A1%97%E5%88%86%E4%BC%9A"
    ]
    assert "Nothing was found here" in editor.get("/search?q=zzzz").text


@SQLITE
def test_nobody_tries_out_what_is_behind_a_masked_number(
    house: Runtime, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "NUMBERS", 3)
    editor = come(house, browser)
    for n, path in enumerate(("/search", "/members", "/search", "/search", "/members")):
        assert (editor.post(path, q=f"1999999{n:04}").status_code == 200) == (n < 3), n
    assert "That was often enough for now." in troubles(editor.post("/members", q="+86 199 9999 0000"))
    assert editor.post("/search", q="4321").status_code == 200, "their ends are shown anyway"
    browser.leave()
    clerk = come(house, browser, "operator", name="sun", furnished=True)
    for n in range(5):
        assert clerk.post("/search", q=f"1999999{n:04}").status_code == 200, "who may see them sees them"


def test_a_number_is_in_no_address(house: Runtime, browser: Browser) -> None:
    editor = come(house, browser)
    with house.begin() as tx:
        make_member(tx.session, name="王小明", msisdn=generated_msisdn(999_001))
    number = generated_msisdn(999_001)
    answer = editor.post("/search", q=number)
    assert answer.status_code == 200
    assert "王小明" in answer.text
    assert number not in answer.text.replace(f'value="{number}"', "")
    assert f"q={number}" not in answer.text
    assert editor.get(f"/search?q={number}").status_code == 422
    assert number not in editor.get(f"/search?q={number}").text.partition("<h1>")[2]
    assert "王小明" in editor.post("/search", q=number[-4:]).text


def test_nobody_finds_what_is_of_others(house: Runtime, browser: Browser) -> None:
    west = come(house, browser, under="西城")
    for q in ("oyzh", "取暖", "djfh", "欧阳"):
        assert found(west.get(f"/search?q={q}").text) == [], q


@SQLITE
def test_naughty_words(house: Runtime, browser: Browser) -> None:
    editor = come(house, browser)
    for text in [each for each in NAUGHTY if "\0" not in each]:
        answer = editor.post("/search", q=text)
        assert answer.status_code in (200, 303), text
        if answer.status_code == 303:
            assert editor.follow(answer).status_code in (200, 422), text
        assert editor.client.get("/place", params={"q": text}).status_code == 200, text


def test_lists_are_narrowed(house: Runtime, browser: Browser) -> None:
    editor = come(house, browser, "admin")
    with house.begin() as tx:
        make_member(tx.session, organisation=make_organisation(tx.session, "西城/西街分会"), name="赵西")
    west, east = id_of(house, "西城"), id_of(house, "东城")
    assert "Organisation: all" in editor.get("/members").text
    answer = editor.post("/place", to=west, next="/members")
    page = editor.follow(answer).text
    assert "Organisation: 西城" in page
    assert "Lists and figures are of 西城" in page
    assert page.count('<th scope="row">') == 1
    assert "1 member" in page
    assert "欧阳" not in editor.get("/search?q=oyzh").text
    assert "取暖" not in editor.get("/items").text
    # rights, and pages with an address of their own, are as they were
    assert editor.get("/items/1").status_code == 200
    assert editor.get("/members/1").status_code == 200
    assert "西街分会" in editor.get("/members/organisations").text
    assert "东街分会" in editor.get("/members/organisations?under=东城").text
    written = editor.post("/items/new", headline="供暖了", sms="今天供暖。")
    assert "all organisations" in editor.follow(written).text
    editor.post("/place", to=east, next="/")
    page = editor.get("/place").text
    assert re.findall(
        r'name="to" value="(\d+)">([^<]+)<', page.partition('id="recent"')[2].partition("</section>")[0]
    ) == [
        (east, "东城"),
        (west, "西城"),
    ]
    assert "东街分会" in page.partition('id="below"')[2]
    editor.post("/place", to="0", next="/members")
    assert "Organisation: all" in editor.get("/members").text


def test_a_level_of_many_comes_in_pages(house: Runtime, browser: Browser) -> None:
    editor = come(house, browser)
    with house.begin() as tx:
        organisations.ensure_paths(tx.session, OPERATOR, [f"北城/支部{n:03d}" for n in range(120)], now=tx.now)
    editor.get("/place")
    editor.post("/place", to=id_of(house, "北城"), next="/place")
    for start in ("/place", "/members/organisations?under=北城"):
        seen, path = [], start
        for _ in range(3):
            page = editor.get(path).text
            part = page.partition('id="below"')[2] if start == "/place" else page.partition("<tbody>")[2]
            seen += re.findall(r"支部\d{3}(?=<)", part)
            onward = re.search(r'class="pages"><a class="button" href="([^"]*)"', part)
            path = start.partition("?")[0] + unescape(onward[1]) if onward else ""
        assert path == ""
        assert seen == [f"支部{n:03d}" for n in range(120)], start


def test_nobody_looks_where_they_may_not(house: Runtime, browser: Browser) -> None:
    west = come(house, browser, under="西城")
    east = id_of(house, "东城")
    assert west.post("/place", to=east).status_code == 404
    before = west.get("/members").text
    for kept in (east, f"{east}.{east}", "999999", "x", "-1", "1" * 30, ".", "1;2", "0.0.0"):
        west.client.cookies["places"] = kept
        page = west.get("/members").text
        assert "东城" not in page, kept
        assert page == before or "Organisation: 西城" in page, kept
        place = west.get("/place").text
        assert "东城" not in place, kept


@SQLITE
def test_what_comes_through_broken(house: Runtime, browser: Browser) -> None:
    editor = come(house, browser)
    for to in ("", "x", "-1", "1e3", "٣"):
        answer = editor.post("/place", to=to, next="https://evil.example/")
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert editor.post("/place", to="99999").status_code == 404
    for after in ("-1", "x", "9" * 30):
        assert editor.client.get("/place", params={"after": after}).status_code == 404
    assert troubles(editor.get("/place?q=%00")) == ""
    assert "evil" not in editor.get("/place?next=//evil.example").text.partition("<h1>")[2]
    assert editor.post("/search", q="   ").headers["location"] == "/search"
