"""Everything that can be sent from the pages of a furnished house, by whoever is at them, again and again."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import quote_from_bytes, urljoin

import httpx2
from sqlalchemy import event, make_url, select

from broadcaster.access import own_phone, sessions
from broadcaster.access.models import Door, OwnPhone, User
from broadcaster.app import make_web
from broadcaster.newsroom.first_run import first_link
from broadcaster.runtime import Runtime
from broadcaster.settings import Routes
from broadcaster.tasks.lists import work_on_lists
from broadcaster.web.doors import DECLARED, Posted
from tests.every_page import hand_in
from tests.factories import make_member, make_organisation
from tests.newsroom.forms import Field, Form, forms_of, parsed
from tests.newsroom.naughty import encode
from tests.newsrooms import PASSWORD, Browser, Signed, add_user, furnish, troubles
from tests.pictures import drawn, encoded
from tests.websites import hosted

LONG = "another good long phrase"
A_LIST = "姓名,手机,职务\n王秀兰,19900007771,组长\n".encode()
A_PICTURE = encoded(drawn(64, 48))
#: by door and field, what stands in it when it is filled in well; else what the page has
RIGHT: dict[tuple[str, str], str] = {
    ("/login", "name"): "neu",
    ("/login", "password"): PASSWORD,
    ("/first", "name"): "erste",
    ("/first", "new"): LONG,
    ("/first", "again"): LONG,
    ("/account/password", "old"): PASSWORD,
    ("/account/password", "new"): LONG,
    ("/account/password", "again"): LONG,
    ("/p/{number}/reader", "number"): "19900008888",
    ("/account/phone", "number"): "19909990078",
    ("/editions/new", "title"): "第二周",
    ("/editions/{id}/columns", "name"): "增刊",
    ("/editions/{id}/move", "placement"): "1",
    ("/editions/{id}/move", "column"): "1",
    ("/editions/{id}/move", "position"): "0",
    ("/editions/{id}/place", "item"): "",
    ("/items/columns", "name"): "健康",
    ("/items/new", "headline"): "供暖",
    ("/items/new", "sms"): "今天供暖。",
    ("/members/import", "file"): "list.csv",
    ("/members/new", "name"): "周静",
    ("/members/new", "number"): "19900008888",
    ("/members/new", "organisation"): "东城/东街分会",
    ("/members/new", "agreed"): "在会上签字",
    ("/members/organisations", "name"): "新分会",
    ("/members/organisations/rename", "name"): "新名",
    ("/members/organisations/move", "to"): "西城",
    ("/members/organisations/close", "into"): "西城",
    ("/members/segments", "name"): "长者",
    ("/members/segments", "rule"): "retired",
    ("/members/segments/build", "field"): "age",
    ("/members/segments/build", "sign"): ">=",
    ("/members/segments/build", "value"): "60",
    ("/members/{id}/standing", "away"): "",
    ("/members/{id}/standing", "away_place"): "深圳",
    ("/members/{id}/transfer", "to"): "东城/长安里分会",
    ("/members/{id}/numbers", "number"): "19900009999",
    ("/members/{id}/consent", "wording"): "电话里说",
    ("/settings/gateways/price", "price"): "0.05",
    ("/settings/gateways", "number"): "19909990077",
    ("/settings/paper", "signature"): "【晨晖】",
    ("/settings/users", "name"): "zhou",
}
#: scripts send these by themselves: no form and no attribute of a page names the field
BY_SCRIPT = [("/items/new", Form("POST", "/items/pasted", (Field("html", "<p>今天</p>", "hidden"),)))]


#: of forms that are alike, as many are tried until one is taken
_ALIKE = 3


class Restored:
    """A database that is as it was, as often as it is asked for."""

    def __init__(self, url: str) -> None:
        self._file = sqlite3.connect(make_url(url).database or "", check_same_thread=False, isolation_level=None)
        self._file.execute("PRAGMA synchronous=OFF")
        self._version, self._is = self._seen(), None

    def _seen(self) -> int:
        (seen,) = self._file.execute("PRAGMA data_version").fetchone()
        return int(seen)

    def keep(self) -> sqlite3.Connection:
        """What it is now."""
        kept = sqlite3.connect(":memory:", check_same_thread=False)
        self._file.backup(kept)
        self._version, self._is = self._seen(), kept
        return kept

    def restore(self, kept: sqlite3.Connection) -> None:
        """Make it what it was then."""
        if kept is not self._is or self._seen() != self._version:
            kept.backup(self._file)
            self._version, self._is = self._seen(), kept


@dataclass(frozen=True, slots=True)
class Stand:
    """A form on somebody's page, and what the house was like."""

    form: Form
    page: str
    token: str
    cookies: dict[str, str]
    kept: sqlite3.Connection


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a form: its answer, and the page that one was sent to by it."""

    answer: httpx2.Response
    end: httpx2.Response
    #: names of the fields that its handler asked for
    read: frozenset[str]


class Tour:
    """All forms of a house; each is sent as often as one likes, and nothing is left of it."""

    def __init__(self, house: Runtime, browser: Browser, url: str) -> None:
        self.house, self.browser = house, browser
        self.data = Restored(url)
        #: those with the same fields for the same door are one
        self.found: dict[tuple[object, ...], list[Stand]] = {}
        self.stands: list[Stand] = []
        self.read: set[str] = set()

    def look(self, path: str, cookies: dict[str, str], kept: sqlite3.Connection) -> None:
        """Note what can be sent from this page."""
        self.data.restore(kept)
        self.be(cookies)
        answer = self.browser.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.headers.get("location"))
        self.note(answer, path, self.cookies(), kept)

    def note(
        self, answer: httpx2.Response, path: str, cookies: dict[str, str], kept: sqlite3.Connection | None = None
    ) -> None:
        """Note what can be sent from this answer, but for what was noted before. `kept`: otherwise as it is now."""
        top = parsed(answer.text)
        tokens = [each.attributes["value"] for each in top.walk() if each.attributes.get("name") == "form_token"]
        for form in forms_of(top, path):
            button = form.fields[-1] if form.fields and form.fields[-1].kind == "button" else None
            key = (*form.door, form.names, form.is_part, button and (button.name, button.value.partition(" ")[0]))
            alike = self.found.setdefault(key, [])
            if form.names and len(alike) < (_ALIKE if kept is not None else 1):
                kept = kept or self.data.keep()
                filled = form.filled({name: value for (door, name), value in RIGHT.items() if door == form.door[1]})
                alike.append(Stand(filled, path, tokens[0] if tokens else "", cookies, kept))

    def settle(self) -> list[str]:
        """Of forms that are alike, stay with the first that is taken as it is. Those of which none is, with the reason.

        What is found on the pages to which they lead is noted, too.
        """
        refused, looked_at = [], set()
        for _ in range(2):
            for key in [each for each in self.found if each not in looked_at]:
                looked_at.add(key)
                told = ""
                for stand in self.found[key]:
                    sent = self.send(stand, stand.form.pairs())
                    if not stand.form.is_part and sent.end.headers.get("content-type", "").startswith("text/html"):
                        self.note(sent.end, sent.end.url.raw_path.decode(), self.cookies())
                    if sent.answer.status_code < 400 and sent.end.status_code < 400:
                        break
                    told = told or f"{stand.form.door} {troubles(sent.answer) or sent.answer.status_code}"
                else:
                    stand = self.found[key][0] if self.found[key] else None
                    refused += [told] if told else []
                self.stands += [stand] if stand else []
        return refused

    def be(self, cookies: dict[str, str]) -> None:
        """Come with these."""
        self.browser.client.cookies.clear()
        for name, value in cookies.items():
            self.browser.client.cookies.set(name, value, domain=self.browser.client.base_url.host)

    def cookies(self) -> dict[str, str]:
        """What one comes with by now."""
        return {each.name: each.value or "" for each in self.browser.client.cookies.jar}

    def send(self, stand: Stand, pairs: list[tuple[str, str]]) -> Sent:
        """Send a form from its page as it was, and go where it leads."""
        self.data.restore(stand.kept)
        self.be(stand.cookies)
        self.read.clear()
        answer, path = self._sent(stand, pairs), stand.form.path
        if path.startswith("/members/import"):
            work_on_lists(self.house)
        read, end = frozenset(self.read), answer
        for _ in range(3):
            if end.status_code != 303:
                break
            path = urljoin(path, end.headers["location"])
            end = self.browser.client.get(path)
        return Sent(answer, end, read)

    def page_of(self, stand: Stand) -> httpx2.Response:
        """The page of a form, as it is by now."""
        return self.browser.client.get(stand.page)

    def _sent(self, stand: Stand, pairs: list[tuple[str, str]]) -> httpx2.Response:
        form, client = stand.form, self.browser.client
        headers = {"referer": str(client.base_url).rstrip("/") + stand.page}
        if form.is_part:
            headers["hx-request"] = "true"
        if all(name != "form_token" for name, _ in pairs):
            headers["x-form-token"] = stand.token
        if form.is_in_parts:
            headers["content-type"] = "multipart/form-data; boundary=border"
            return client.post(form.path, content=in_parts(form, pairs), headers=headers)
        body = "&".join(f"{quote_from_bytes(encode(n))}={quote_from_bytes(encode(v))}" for n, v in pairs)
        if form.method == "GET":
            return client.get(f"{form.path}?{body}", headers=headers)
        headers["content-type"] = "application/x-www-form-urlencoded"
        return client.post(form.path, content=body.encode(), headers=headers)


def in_parts(form: Form, pairs: list[tuple[str, str]]) -> bytes:
    """As a browser sends a form with files; the value of one is its name."""
    parts = []
    for name, value in pairs:
        head = f'Content-Disposition: form-data; name="{name}"'.encode()
        if any(each.name == name and each.kind == "file" for each in form.fields):
            told = value.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
            what = b"" if not value else A_PICTURE if name == "picture_file" else A_LIST
            head += b'; filename="' + encode(told) + b'"\r\nContent-Type: application/octet-stream'
        else:
            what = encode(value)
        parts.append(b"--border\r\n" + head + b"\r\n\r\n" + what + b"\r\n")
    return b"".join(parts) + b"--border--\r\n"


@contextlib.contextmanager
def touring(house: Runtime) -> Iterator[Tour]:
    """A house with something in every corner, and all its forms."""
    event.listen(house.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    house.engine.dispose()
    house.settings = house.settings.model_copy(update={"routes": Routes(default=("carrier",))})
    web = make_web(house)
    with hosted(web) as address:
        browser = Browser(address)
        with browser.client, _told_what_is_read(tour := Tour(house, browser, str(house.engine.url))):
            empty = tour.data.keep()
            first = first_link(web, address).removeprefix(address.rstrip("/"))
            tour.look(first, {}, empty)
            _furnish(house, browser)
            _look_at_all(house, tour)
            for path, form in BY_SCRIPT:
                stand = next(each for alike in tour.found.values() for each in alike if each.page == path)
                tour.found[form.door] = [replace(stand, form=form)]
            yield tour


@contextlib.contextmanager
def _told_what_is_read(tour: Tour) -> Iterator[None]:
    """What handlers ask of a form."""
    real = {name: getattr(Posted, name) for name in ("text", "texts", "file", "pairs")}

    def telling(name: str):  # type: ignore[no-untyped-def]
        def ask(form: Posted, *names: str) -> object:
            tour.read.update(names or [each for each, _ in real["pairs"](form)])
            return real[name](form, *names)

        return ask

    try:
        for name in real:
            setattr(Posted, name, telling(name))
        yield
    finally:
        for name, method in real.items():
            setattr(Posted, name, method)


def _furnish(house: Runtime, browser: Browser) -> None:
    """What `furnish` has, and what some forms are only there for."""
    for name, role in (("wang", "admin"), ("li", "editor"), ("halb", "admin"), ("neu", "viewer")):
        add_user(house, name, role)
    furnish(house)
    with house.begin() as tx:
        make_member(tx.session, organisation=make_organisation(tx.session, "西城/南门分会"), name="赵平")
    add_user(house, "dong", "operator", under="东城")
    Signed(house, "halb")
    _do(house, browser, "dong", "/members", ("/members/3/transfer", {"to": "西城/南门分会", "reason": "搬家"}))
    wang = [
        ("/members/segments", {"name": "骨干", "rule": "retired"}),
        ("/editions/new", {"number": "2", "day": "2026-11-30", "title": "第二周"}),
        ("/items/new", {"headline": "看病", "sms": "看病带卡，１２号去。", "whom": "chosen", "audience": "骨干"}),
        ("/items/4/decide", {"move": "accept", "note": ""}),
        ("/editions/2/place", {"column": "4", "item": "4", "q": ""}),
        ("/settings/paper", {"signature": "【晨晖】", "day": "2026-11-21", "gateway": "carrier"}),
        ("/editions/1/variants/2", {"variant": "everyone", "version": "0", "body": "今天供暖。"}),
        ("/editions/1/variants/2", {"variant": "everyone", "version": "1", "body": "今天１２点供暖。"}),
        ("/editions/1/draft", {}),
        ("/editions/1/variants/2", {"variant": "everyone", "version": "2", "body": "明天１２点供暖。"}),
        ("/items/keep", {"headline": "草稿", "sms": "还没有写完。", "draft": "", "saves": ""}),
    ]
    _do(house, browser, "wang", "/items", *wang)
    _do(house, browser, "li", "/items", ("/account/phone", {"number": "19909990077", "next": "/"}))
    with house.begin() as tx:
        user = tx.session.scalars(select(User.id).where(User.name == "wang")).one()
        own_phone.put(tx.session, user, "+8619909990076", now=tx.now)
        tx.session.get_one(OwnPhone, user).confirmed_at = tx.now


def _do(house: Runtime, browser: Browser, name: str, at: str, *forms: tuple[str, dict[str, str]]) -> None:
    browser.leave()
    browser.client.cookies.set("broadsheet", Signed(house, name).token)
    for path, fields in forms:
        browser.get(at)
        answer = browser.post(path, **fields)
        assert answer.status_code < 400, (path, troubles(answer))


def _look_at_all(house: Runtime, tour: Tour) -> None:
    cookie = Signed(house, "wang").token
    browser = tour.browser
    tour.be({"broadsheet": cookie})
    hand_in(house, browser, "1990000777", is_taken=True)
    names = {"{id}": "1", "{name}": "2", "{number}": "1", "{token}": hand_in(house, browser, "1990000888")}
    browser.leave()
    browser.sign_in("halb")
    halfway = tour.cookies()
    with house.begin() as tx:
        neu = tx.session.scalars(select(User.id).where(User.name == "neu")).one()
        newcomer = {"broadsheet": sessions.open_for(tx.session, neu, door=Door.WEB, now=tx.now)}
    waits = {"broadsheet": Signed(house, "li").token}
    kept = tour.data.keep()
    inside = {"broadsheet": cookie}
    for path in ("/login?next=/items", "/login?dialog=1", "/p", "/p/1", "/p/1/reader", "/p/1/reader/code"):
        tour.look(path, {}, kept)
    tour.look("/login/code", halfway, kept)
    tour.look("/account/phone", waits, kept)
    tour.look("/account/code", newcomer, kept)
    for method, path in sorted(DECLARED):
        for given, stands in names.items():
            path = path.replace(given, stands)
        if method == "GET" and path not in ELSEWHERE:
            tour.look(path, inside, kept)
    for path in FURTHER:
        tour.look(path, inside, kept)


#: no pages: files, and what leads to another page
ELSEWHERE = {
    "/account/code",
    "/editions/1/count",
    "/editions/1/shown",
    "/first",
    "/items/pictures/1",
    "/login",
    "/login/code",
    "/login/here",
    "/members/imports/1/refused",
    "/p/1/reader/forgotten",
}
#: pages that have more forms when they are asked in another way
FURTHER = (
    "/editions/1?add=1",
    "/editions/2",
    "/editions/2/check",
    "/items/new?corrects=2",
    "/items/new?draft=1",
    "/items/2",
    "/members/organisations?under=%E4%B8%9C%E5%9F%8E",
    "/members/organisations?under=%E8%A5%BF%E5%9F%8E/%E5%8D%97%E9%97%A8%E5%88%86%E4%BC%9A",
    "/members/3",
    "/place?q=%E4%B8%9C",
)
