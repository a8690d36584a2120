"""A browser without a screen: it keeps cookies, and sends the forms of the pages that it was given."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from html import unescape

import httpx2
import pyotp
from sqlalchemy import select, update

from broadcaster.access import sessions, users
from broadcaster.access.models import Door, User
from broadcaster.app import make_web
from broadcaster.newspaper import columns, items, making, pictures, publishing
from broadcaster.newspaper.item_words import Words
from broadcaster.runtime import Runtime
from subscribers.actor import OPERATOR
from tests.factories import make_member, make_members, make_organisation
from tests.pictures import shrunk
from tests.websites import hosted, make_client

#: headline, sentence, for whom
ITEMS = (
    ("社区食堂周一起供应老年套餐", "社区食堂周一起供应老年套餐，12元一份，会员证登记。", "everyone"),
    ("取暖季用气安全", "取暖季到了，睡前关好燃气阀门，窗户留一道缝。", "everyone"),
    ("11月28日分会开会", "11月28日（周六）下午两点半，离退休分会在三楼会议室开会。", "retired", "mobile"),
)
PASSWORD = "correct horse battery staple"
_TOKEN = re.compile(r'name="form_token" value="([0-9a-f]{64})"')
#: recovery codes on the page that shows them
RECOVERY = re.compile(r"\b(?:[2-9a-z]{4}-){2}[2-9a-z]{4}\b")
_SECRET = re.compile(r'class="secret">([A-Z2-7 ]+)<')


class Browser:
    """One person's browser, which speaks English."""

    def __init__(self, address: str) -> None:
        self.client = make_client(address, accept="text/html", **{"accept-language": "en"})
        self.page: httpx2.Response | None = None

    def get(self, path: str) -> httpx2.Response:
        """A page, without following where it sends one."""
        self.page = self.client.get(path)
        return self.page

    def post(self, path: str, /, **fields: str | list[str]) -> httpx2.Response:
        """A form of the page that was looked at last."""
        assert self.page is not None
        found = _TOKEN.search(self.page.text)
        assert found, self.page.text
        return self.client.post(path, data={"form_token": found[1], **fields})

    def sign_in(self, name: str, password: str = PASSWORD, **more: str) -> httpx2.Response:
        """As far as the first step goes."""
        self.get("/login")
        return self.post("/login", name=name, password=password, **more)

    def leave(self) -> None:
        """Close it, and open it again."""
        self.client.cookies.clear()

    def set_up_code(self, house: Runtime) -> pyotp.TOTP:
        """The second factor of who is signed in; what their phone shows from now on."""
        text = self.get("/account/code").text
        secret = _SECRET.search(text)
        assert secret, text
        phone = pyotp.TOTP(secret[1].replace(" ", ""))
        self.page = self.post("/account/code", code=phone.at(house.clock()))
        assert self.page.status_code == 200, troubles(self.page)
        return phone

    def follow(self, answer: httpx2.Response) -> httpx2.Response:
        """Where it sends one."""
        assert answer.status_code == 303, answer.text
        return self.get(answer.headers["location"])


@contextlib.contextmanager
def at(house: Runtime) -> Iterator[Browser]:
    """A browser at this house's newsroom."""
    with hosted(make_web(house)) as address:
        browser = Browser(address)
        with browser.client:
            yield browser


def add_user(house: Runtime, name: str, role: str, *, under: str = "", given_out: bool = False) -> None:
    """Somebody who works here."""
    with house.begin() as tx:
        users.add(tx.session, OPERATOR, name, role, under=under, password=PASSWORD, given_out=given_out, now=tx.now)


def troubles(answer: httpx2.Response) -> str:
    """What a page says went wrong."""
    found = re.search(r'<div class="trouble".*?</div>', answer.text, re.DOTALL)
    return " ".join(unescape(re.sub("<[^>]+>", " ", found[0])).split()) if found else ""


def framed(answer: httpx2.Response) -> list[str]:
    """The fields of a page that are said to be wrong."""
    return re.findall(r'<input id="(\w+)"[^>]*aria-invalid="true"', answer.text)


class Signed:
    """Somebody who is signed in and owes nothing, without having typed anything."""

    def __init__(self, house: Runtime, name: str, *, has_code: bool = True) -> None:
        with house.begin() as tx:
            user_id = tx.session.scalars(select(User.id).where(User.name == name)).one()
            # as if they had shown a code
            shown = {"code_since": tx.now, "code_seed": "0" * 40} if has_code else {}
            tx.session.execute(update(User).where(User.id == user_id).values(**shown, must_change=False))
            self.token = sessions.open_for(tx.session, user_id, door=Door.WEB, now=tx.now)


def furnish(house: Runtime) -> None:
    """A small registry and a few items, so that no page is empty."""
    with house.begin() as tx:
        east = make_organisation(tx.session, "东城/东街分会")
        make_organisation(tx.session, "东城/长安里分会")
        make_organisation(tx.session, "西城")
        make_members(tx.session, 60, organisation=east)
        make_member(tx.session, organisation=east, name="欧阳子涵", status="retired")
        news = columns.add(tx.session, OPERATOR, "身边事", owner="li", now=tx.now).id
        columns.add(tx.session, OPERATOR, "东城", parent=news, now=tx.now)
        columns.add(tx.session, OPERATOR, "通知", now=tx.now)
        picture = pictures.keep(tx.session, OPERATOR, shrunk(), now=tx.now)
        for number, (headline, sms, *audience) in enumerate(ITEMS):
            words = Words(headline, sms, f"**{headline}**，详情见下。", tuple(audience), "东街分会", news)
            if number:
                words = replace(words, picture_id=picture, alt="在窗口排队的人")
            made = items.write(tx.session, OPERATOR, words, now=tx.now).id
            if number:
                items.decide(tx.session, OPERATOR, made, items.Move.ACCEPT, now=tx.now)
        items.decide(tx.session, OPERATOR, made, items.Move.SHARE, now=tx.now)
        making.begin(tx.session, OPERATOR, number=1, day=date(2026, 11, 23), title="入冬第一周", now=tx.now)
        making.set_variants(tx.session, OPERATOR, 1, ["retired", "mobile", "everyone"], now=tx.now)
        column = making.layout(tx.session, OPERATOR, 1).columns[0].id
        making.place(tx.session, OPERATOR, 1, column, [made - 1, made])
        publishing.publish(tx.session, OPERATOR, 1, now=tx.now)
        items.contribute(tx.session, OPERATOR, 1, now=tx.now)
