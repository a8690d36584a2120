"""Every door with the ids of things that there are: of one's own part of the tree, and of the neighbour's.

Whoever asks may do everything, in their own part. What is next door is not there for them, whatever they knock at; and
looking changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from broadcaster.access import users
from broadcaster.newspaper import items, pictures
from broadcaster.newspaper.item_words import Words
from broadcaster.newspaper.models import Column, Edition, Placement
from broadcaster.runtime import Runtime
from broadcaster.tasks.lists import work_on_lists
from broadcaster.web.doors import DECLARED, Open
from subscribers.actor import OPERATOR, Right
from subscribers.db import Base
from tests.newsrooms import PASSWORD, Browser, Signed
from tests.pictures import shrunk
from tests.rights.world import Side, World, build, rows

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

#: that somebody was there, and by which browser, is written down by every look
_OF_THE_LOOK = {"session", "presence", "draft_presence"}
_LIST = "姓名,手机,支部\n{mark}新人,1990000{n}71,{mark}\n坏,1,{mark}\n"


@dataclass(frozen=True)
class Next:
    """One side, as an address names what is there."""

    side: Side
    item: int
    picture: int
    run: int
    token: str

    #: what forms name: field -> id
    typed: Mapping[str, str]

    def path(self, path: str) -> str:
        """This door with what is here."""
        named = {
            "/editions/{id}": self.side.edition,
            "/items/columns/{id}": self.side.column,
            "/items/pictures/{id}": self.picture,
            "/items/{id}": self.item,
            "/members/imports/{id}": self.run,
            "/members/{id}": self.side.member.id,
        }
        for start, value in named.items():
            if path.startswith(start):
                path = path.replace("{id}", str(value))
        return path.replace("{token}", self.token).replace("{name}", "0")


@pytest.fixture
def sides(house: Runtime, browser: Browser, tmp_path: Path) -> Iterator[tuple[Next, Next]]:
    """Where the browser is signed in, and next door."""
    with house.begin() as tx:
        world = build(tx.session, tmp_path / "sides")
    found = [_next(house, browser, world, side, n) for n, side in ((2, world.outside), (1, world.inside))]
    return found[1], found[0]


def _next(house: Runtime, browser: Browser, world: World, side: Side, n: int) -> Next:
    with house.begin() as tx:
        users.add(tx.session, OPERATOR, f"{side.mark}chief", "admin", under=side.names, password=PASSWORD, now=tx.now)
        picture = pictures.keep(tx.session, side.chief, shrunk(), now=tx.now)
        words = Words(f"{side.mark}新闻", f"{side.mark}新闻一条。", f"{side.mark}全文", picture_id=picture, alt="人")
        item = items.write(tx.session, side.chief, words, now=tx.now).id
    browser.client.cookies["broadsheet"] = Signed(house, f"{side.mark}chief").token
    tokens = []
    for act in ("take", "look"):
        page = browser.get("/members/import").text
        file = {"file": (f"{side.mark}.csv", _LIST.format(mark=side.mark, n=f"{n}0{len(tokens)}").encode())}
        form = {"form_token": _form(page)}
        answer = browser.client.post("/members/import", data=form, files=file)
        tokens.append(answer.headers["location"].rpartition("/")[2])
        work_on_lists(house)
        if act == "take":
            browser.client.post(f"/members/import/{tokens[-1]}/take", data={**form, "agreed": "signed"})
            work_on_lists(house)
    runs = re.findall(r'href="/members/imports/(\d+)"', browser.get("/members/imports").text)
    assert runs
    with house.reading() as tx:
        placed = select(Placement).join(Column).join(Edition).where(Edition.number == side.edition)
        placement = tx.session.scalars(placed).one()
    typed = {
        "placement": placement.id,
        "column": placement.column_id,
        "item": item,
        "parent": side.column,
        "into": side.column,
        "send": side.campaigns["draft"],
        "transfer": side.transfer_in,
        "import": runs[0],
        "member": side.member.id,
        "under": side.branch,
        "variant": "everyone",
        "corrects": item,
    }
    return Next(side, item, picture, int(runs[0]), tokens[-1], {name: str(value) for name, value in typed.items()})


def _form(page: str) -> str:
    found = re.search(r'form_token" value="([0-9a-f]{64})"', page)
    assert found, page
    return found[1]


def _kept(house: Runtime) -> dict[Any, Any]:
    with house.reading() as tx:
        return {key: row for key, row in rows(tx.session).items() if key[0] not in _OF_THE_LOOK}


def _ask(browser: Browser, method: str, path: str, typed: Mapping[str, str]) -> httpx2.Response:
    if method == "GET":
        return browser.client.get(path)
    browser.get("/account")
    return browser.post(path, **{"version": "1", "to": "up", "answer": "accept", "move": "accept", **typed})


#: what takes something away comes last
_LAST = ("remove", "out", "discard", "stop", "take-down", "leave", "take-back", "who", "variants")
NAMING = sorted(key for key, needs in DECLARED.items() if needs not in (Open.ANYBODY, Open.HALFWAY) and "{" in key[1])
NAMING.sort(key=lambda key: key[1].endswith(_LAST))
#: they send on, whatever the address names: to the page that looks, and to one's own telephone
_ON = {("GET", "/editions/{id}/shown"), ("POST", "/editions/{id}/proof")}
#: there is no earlier text to go back to
_NOTHING_KEPT = ("POST", "/editions/{id}/variants/{name}/back")
#: not for whoever has a part of the tree only; of nobody, or not published
_SHUT = {"/settings/gateways", "/first", "/p/{number}/reader"}
#: numbers are seen in full there, and that is written down
_WRITTEN_DOWN = "/members/imports/{id}/refused"


def test_what_is_next_door_is_not_there(house: Runtime, browser: Browser, sides: tuple[Next, Next]) -> None:
    here, there = sides
    before, wrong = _kept(house), []
    for method, path in NAMING:
        answer = _ask(browser, method, there.path(path), here.typed)
        right = {303} if (method, path) in _ON else {404}
        if answer.status_code not in right or there.side.mark in answer.text:
            wrong.append((method, path, answer.status_code, there.side.mark in answer.text))
        if (after := _kept(house)) != before:
            wrong.append((method, path, "changed", set(after.items()) ^ set(before.items())))
            before = after
    assert not wrong, wrong


def test_what_is_here_is_there(house: Runtime, browser: Browser, sides: tuple[Next, Next]) -> None:
    """Or the other test would show nothing."""
    here, _ = sides
    gone = []
    for method, path in NAMING:
        answer = _ask(browser, method, here.path(path), here.typed)
        is_gone = answer.status_code in (403, 404) or answer.status_code >= 500
        if is_gone and (method, path) != _NOTHING_KEPT:
            gone.append((method, path, answer.status_code))
    assert not gone, gone


def test_nothing_of_next_door_comes_through_a_form(house: Runtime, browser: Browser, sides: tuple[Next, Next]) -> None:
    """Addresses of here, and in the forms the ids of what is next door."""
    here, there = sides
    forms = sorted(path for (method, path), needs in DECLARED.items() if method == "POST" and isinstance(needs, Right))
    forms.sort(key=lambda path: path.endswith(_LAST))
    first = _kept(house)
    theirs = {key: row for key, row in first.items() if any(there.side.mark in cell for cell in row)}
    while more := {key: row for key, row in first.items() if key not in theirs and _leads_to(key[0], row, theirs)}:
        theirs |= more
    assert len({table for table, _ in theirs}) > 15
    wrong = []
    for path in forms:
        answer = _ask(browser, "POST", here.path(path), there.typed)
        after = _kept(house)
        if answer.status_code >= 500 or there.side.mark in answer.text.replace(there.side.branch, ""):
            wrong.append((path, answer.status_code, "told"))
        if touched := [key for key, row in theirs.items() if after.get(key) != row]:
            wrong.append((path, "changed", touched))
        if led := [key for key in after.keys() - first.keys() if _leads_to(key[0], after[key], theirs)]:
            wrong.append((path, "leads there", led))
        first = after
    assert not wrong, wrong


def _leads_to(table: str, row: Sequence[str], theirs: Mapping[Any, Any]) -> bool:
    columns = enumerate(Base.metadata.tables[table].columns)
    return any(
        (key.column.table.name, (each,)) in theirs
        for at, column in columns
        for key in column.foreign_keys
        for each in (row[at], int(row[at]) if row[at].isdecimal() else None)
    )


def test_looking_changes_nothing_and_shows_nothing_of_next_door(
    house: Runtime, browser: Browser, sides: tuple[Next, Next]
) -> None:
    here, there = sides
    pages = sorted(path for (method, path), needs in DECLARED.items() if method == "GET" and needs is not Open.HALFWAY)
    before, wrong = _kept(house), []
    for path in pages:
        answer = browser.client.get(here.path(path).replace("{number}", str(here.side.edition)))
        if there.side.mark in answer.text or (answer.status_code >= 400) != (path in _SHUT):
            wrong.append((path, answer.status_code, there.side.mark in answer.text))
        rules = (rule.split() for rule in answer.headers["content-security-policy"].split(";"))
        policy = {name: sources for name, *sources in rules}
        if policy["default-src"] != ["'none'"] or policy.get("script-src", ["'self'"]) != ["'self'"]:
            wrong.append((path, policy))
        if path != _WRITTEN_DOWN and (after := _kept(house)) != before:
            wrong.append((path, "changed", set(after.items()) ^ set(before.items())))
        before = _kept(house)
    assert not wrong, wrong
