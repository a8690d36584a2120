"""Every page there is: who looks at it, by which address, in a house where nothing is empty.

A page that was declared and stands nowhere here is looked at by the administrator, under the address it was declared
with.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import unquote, urlsplit

from fastapi import FastAPI
from sqlalchemy import select

from broadcaster.access import sessions
from broadcaster.access.models import Door, User
from broadcaster.campaigns import counts
from broadcaster.newspaper import drafts, items, making, publishing, word_lists
from broadcaster.newspaper.item_words import Words
from broadcaster.newsroom.first_run import first_link
from broadcaster.runtime import Runtime
from broadcaster.tasks.counting import count_waiting
from broadcaster.tasks.lists import work_on_lists
from broadcaster.web.doors import DECLARED
from subscribers import segments, transfers
from subscribers.actor import OPERATOR
from tests.browsers import Look
from tests.newsrooms import Browser, Signed, add_user, furnish, troubles

#: who looks: the administrator; an editor; an administrator who owes a second factor; who still owes its code; a reader
CHIEF, EDITOR, NEWCOMER, HALFWAY, NOBODY = "wang", "li", "chen", "halfway", "nobody"

#: what was declared and is no page of its own
LEFT_OUT = {
    "/editions/{id}/count": "stands on the page of the check, and sends one there",
    "/editions/{id}/shown": "sends one back to the page on which a phone was chosen",
    "/first": "opens only as long as nobody works here: see `before`",
    "/items/pictures/{id}": "a picture",
    "/login/here": "a line for a script",
    "/members/imports/{id}/refused": "a file",
}
#: pages that the administrator does not come to
OF_OTHERS = {"/login": NOBODY, "/login/code": HALFWAY, "/account/code": NEWCOMER}
#: those of editions that are for some of the members
_FOR_SOME = "/p/{number}/reader"


@dataclass(frozen=True, slots=True)
class Shown:
    """A page: its address, who looks, and what they press on it, as a selector of Playwright."""

    path: str
    who: str = CHIEF
    status: int = 200
    press: str = ""
    #: the same address in two states has two names
    called: str = ""
    #: the address one is at in the end; "": the one that was asked for
    lands: str = ""

    @property
    def name(self) -> str:
        """What it is called as a file."""
        words = re.sub(r"[^\w]+", "-", self.path).strip("-")
        return self.called or words or "home"


#: what nobody declared: pages for members, and states of a page that have no address of their own
FURTHER = (
    Shown("/p", NOBODY),
    Shown("/p/1", NOBODY),
    Shown("/p/1?z=3", NOBODY),
    Shown("/p/2", NOBODY, status=403, called="p-for-some"),
    Shown("/p/99", NOBODY, status=404, called="p-not-there"),
    Shown("/p?q=zz", NOBODY, called="p-search-in-vain"),
    Shown("/login", NOBODY, status=422, press="main form button", called="login-refused"),
    Shown("/nowhere", status=404),
    Shown("/editions/99", status=404, called="edition-not-there"),
    Shown("/settings/users", EDITOR, status=403, called="no-right"),
    Shown("/search?q=13800138000", status=422, called="search-of-a-number"),
    Shown("/search?q=东"),
    Shown("/search?q=zz", called="search-in-vain"),
    Shown("/items?q=zz", called="items-search-in-vain"),
    Shown("/members?q=zz", called="members-search-in-vain"),
    Shown("/members?rule=age >", status=422, called="members-rule-that-cannot-be-read"),
    Shown("/editions/1?who=odd"),
    Shown("/editions/2", called="edition-begun"),
    Shown("/items/2"),
    Shown("/items/3"),
    Shown("/members?rule=retired"),
    Shown("/members/segments?rule=retired"),
    Shown("/members/organisations?under=东城"),
    Shown("/members/imports", press="td.act form button", called="question-before-undoing"),
    Shown(
        "/members/segments",
        press="[action='/members/segments/remove'] button",
        lands="/members/segments/remove",
        called="question-before-removing",
    ),
    Shown(
        "/members/segments?name=东街离退休&rule=retired&read=long-ago",
        status=422,
        press="form.narrow[action='/members/segments'] button",
        lands="/members/segments",
        called="saved-by-another-one",
    ),
)
#: of a house in which an edition and an item were begun, and nothing else
BEGUN = (
    *map(Shown, ("/editions", "/editions/1", "/editions/1/check", "/editions/1/proofs", "/editions/1/who")),
    *map(Shown, ("/items", "/items/1")),
)

_LIST = "姓名,手机,支部,职务\n王秀兰,{0}1,东城/东街分会,组长\n赵平,{0}2,东城/新分会,\n坏,1,东城,\n"


def before(web: FastAPI, address: str) -> list[Shown]:
    """The pages of a house in which nobody works yet."""
    link = first_link(web, address).removeprefix(address.rstrip("/"))
    return [Shown("/", NOBODY, called="not-set-up"), Shown(link, NOBODY, called="first")]


def come_first(house: Runtime) -> None:
    """The first administrator, and nobody and nothing else."""
    add_user(house, CHIEF, "admin")


def declared(house: Mapping[str, str]) -> list[Shown]:
    """Every page that was declared, in a house where `{...}` of an address is this."""
    found = []
    for method, path in sorted(DECLARED):
        if method != "GET" or path in LEFT_OUT:
            continue
        who = NOBODY if path.startswith("/p/") else OF_OTHERS.get(path, CHIEF)
        filled = path.replace("{number}", "2" if path.startswith(_FOR_SOME) else "1")
        for field, value in house.items():
            filled = filled.replace(field, value)
        found.append(Shown(filled, who))
    return found


#: of a house in which there is nothing but the first administrator
NOTHING_YET = (
    *(each for each in declared({}) if each.who == CHIEF and "{" not in each.path),
    Shown("/p", NOBODY),
)


def settle(house: Runtime, address: str) -> list[Shown]:
    """Let others in after the first administrator, and furnish the house, so that no page is empty: all its pages."""
    for name, role in ((EDITOR, "editor"), (NEWCOMER, "admin")):
        add_user(house, name, role)
    furnish(house)
    visitor = Browser(address)
    with visitor.client:
        visitor.client.cookies["broadsheet"] = Signed(house, CHIEF).token
        hand_in(house, visitor, "1990000777", is_taken=True)
        looked_at = hand_in(house, visitor, "1990000888")
        _proof(visitor)
        waits = hand_in(house, visitor, "1990000999", is_worked_on=False)
    _furnish_more(house)
    pages = declared({"{id}": "1", "{name}": "0", "{token}": looked_at})
    return [*pages, *FURTHER, Shown(f"/members/import/{waits}", called="list-that-waits")]


def begin_only(house: Runtime) -> None:
    """An edition without columns, and an item with what is asked for."""
    with house.begin() as tx:
        making.begin(tx.session, OPERATOR, number=1, day=date(2026, 11, 23), title="入冬第一周", now=tx.now)
        items.write(tx.session, OPERATOR, Words("供暖", "今天起供暖。"), now=tx.now)


def passes(house: Runtime) -> dict[str, str]:
    """By who looks: the cookie they come with, as far as they are here; a stranger has none."""
    with house.reading() as tx:
        ids = {user.name: user.id for user in tx.session.scalars(select(User))}
    made = {who: Signed(house, who, has_code=who != NEWCOMER).token for who in (CHIEF, EDITOR, NEWCOMER) if who in ids}
    with house.begin() as tx:
        made[HALFWAY] = sessions.open_for(tx.session, ids[CHIEF], door=Door.WEB, code_due=True, now=tx.now)
    return made


def open_page(look: Look, shown: Shown, cookie: str) -> None:
    """Come to a page as whoever holds this cookie: it answers as it should, under the address that was asked for."""
    look.context.clear_cookies(name="broadsheet")
    if cookie:
        look.context.add_cookies([{"name": "broadsheet", "value": cookie, "url": look.address}])
    # a browser writes on its console what is answered with a refusal
    look.expected = ["422", str(shown.status)] if shown.status != 200 else ["422"]
    answer = look.page.goto(shown.path)
    if shown.press:
        with look.page.expect_response(lambda each: each.request.is_navigation_request()) as pressed:
            # what a browser itself would ask to be filled in is not what is looked at here
            look.page.locator("form").evaluate_all("forms => forms.forEach(form => form.noValidate = true)")
            look.page.locator(shown.press).first.click()
        answer = pressed.value
    look.page.wait_for_load_state()
    assert answer is not None
    assert answer.status == shown.status, f"{shown.path}: {answer.status}"
    landed, asked = (urlsplit(each) for each in (look.page.url, look.address + (shown.lands or shown.path).lstrip("/")))
    assert _plain(landed.path, landed.query) == _plain(asked.path, asked.query), f"{shown.path} led to {look.page.url}"


def _plain(path: str, query: str) -> tuple[str, str]:
    return unquote(path), unquote(query)


def hand_in(
    house: Runtime, visitor: Browser, numbers: str, *, is_worked_on: bool = True, is_taken: bool = False
) -> str:
    """The name of a list that was handed in, to be seen looked at; or taken in; or as it waits to be looked at."""
    visitor.get("/members/import")
    assert visitor.page is not None
    form = re.search(r'form_token" value="([0-9a-f]{64})"', visitor.page.text)
    assert form
    answer = visitor.client.post(
        "/members/import",
        data={"form_token": form[1]},
        files={"file": ("list.csv", _LIST.format(numbers).encode())},
    )
    token = answer.headers["location"].rpartition("/")[2]
    if is_worked_on:
        work_on_lists(house)
    if is_taken:
        visitor.post(f"/members/import/{token}/take", agreed="signed")
        work_on_lists(house)
    return token


def _proof(visitor: Browser) -> None:
    """One edition on its way to the administrator's own phone."""
    visitor.get("/account/phone")
    assert visitor.post("/account/phone", number="19900000077").status_code == 303
    sent = visitor.post("/editions/1/proof", variant="0")
    assert sent.status_code == 303, troubles(sent)


def _furnish_more(house: Runtime) -> None:
    """An edition for some, a segment that it names, a transfer that waits and one that does not, a draft, words."""
    with house.begin() as tx:
        session, now = tx.session, tx.now
        segments.save(session, OPERATOR, "东街离退休", 'retired and under("东城/东街分会")', now=now)
        making.begin(session, OPERATOR, number=2, day=date(2026, 11, 30), title="入冬第二周", now=now)
        making.set_variants(session, OPERATOR, 2, ["东街离退休", "everyone"], now=now)
        column = making.layout(session, OPERATOR, 2).columns[0].id
        making.place(session, OPERATOR, 2, column, [2])
        publishing.publish(session, OPERATOR, 2, now=now, readers="retired")
        word_lists.save(session, OPERATOR, ["免费领取"], now=now)
        on = now.astimezone(house.settings.zone).date()
        for member in (1, 2):
            asked = transfers.ask(session, OPERATOR, member, "西城", on=on, now=now)
        transfers.refuse(session, OPERATOR, asked.id, now=now)
        user = session.scalars(select(User.id).where(User.name == CHIEF)).one()
        fields = [("headline", "还没写完的稿件"), ("sms", "写到一半。")]
        drafts.keep(session, OPERATOR, user, fields, now=now)
        counts.ask(session, OPERATOR, 1, now=now)
    count_waiting(house)
