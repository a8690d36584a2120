"""Two who open the same form: who saves later is told what the other one has saved, and saves over it knowingly."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from html import unescape

import httpx2
import pytest

from broadcaster.access import users
from broadcaster.app import make_web
from broadcaster.newspaper import columns, making, publishing, variant_texts, word_lists
from broadcaster.runtime import Runtime
from subscribers import members, membership, numbers, records, seen, segments
from subscribers.actor import OPERATOR
from subscribers.db import Tx
from subscribers.errors import Outdated
from subscribers.models import Status
from tests.at_once import at_once
from tests.databases import Clock, Transactions
from tests.newsroom.forms import Form, forms_of, parsed
from tests.newsrooms import Browser, Signed, add_user, furnish, troubles
from tests.websites import hosted

#: numbers of the first member, beside the one that is used
MORE = ("19999994321", "19999994322")
DAY = date(2026, 11, 21)


#: whoever does the same once more is told so, and nothing is lost
ONCE = ("/transfer", "/leave", "/remove")


@dataclass(frozen=True)
class Case:
    """One form: what the other one types into it, or into another one, and what I had typed."""

    page: str
    path: str
    theirs: Mapping[str, str]
    mine: Mapping[str, str]
    #: what I am shown of theirs
    shown: str
    #: refused for another reason
    wrong: Mapping[str, str] | None = None
    #: theirs is another form of the page
    by: str = ""
    #: which one, where a page has several to the same path
    has: tuple[str, str] = ("", "")
    told: str = "li has changed this since you opened it."

    def __str__(self) -> str:
        return self.path


OLDER, OLDEST = "retired and age >= 70", "retired and age >= 80"
RULE = "li has saved another rule under the name 老人."
MEMBER, SEGMENTS, USERS, TEXT = "/members/1", "/members/segments", "/settings/users", "/editions/1/variants/0"
STANDING = {"status": "retired", "on": "2026-11-21"}
CASES = [
    Case("/editions/1", "/editions/1", {"title": "入冬第二周"}, {"title": "第一周"}, "入冬第二周", {"title": ""}),
    Case("/items/columns", "/items/columns/1", {"name": "近旁"}, {"name": "要闻"}, "近旁", {"name": ""}),
    Case("/items/columns", "/items/columns/3/remove", {"name": "告示"}, {"into": "1"}, "告示", by="/items/columns/3"),
    Case("/settings/words", "/settings/words", {"words": "中奖"}, {"words": "点击"}, "中奖", {"words": "长" * 51}),
    Case("/members/1", "/members/1/data", {"tags": "合唱"}, {"name": "李桂芳"}, "合唱", {"name": ""}),
    Case("/members/1", "/members/1/standing", STANDING, {"status": "applicant"}, "retired", {"status": "king"}),
    Case("/members/1", "/members/1/transfer", STANDING, {"to": "西城"}, "retired", {"to": "无"}, MEMBER + "/standing"),
    Case(
        "/members/1", "/members/1/leave", STANDING, {"on": "2026-11-21"}, "retired", {"on": "x"}, MEMBER + "/standing"
    ),
    Case(
        "/members/1", "/members/1/numbers", {"act": "add", "number": "19999995555"}, {}, "5555", has=("act", "prefer")
    ),
    Case(SEGMENTS, SEGMENTS, {"rule": OLDER}, {"name": "老人", "rule": OLDEST}, "70", {"name": ""}, told=RULE),
    Case(SEGMENTS, SEGMENTS + "/remove", {"rule": OLDER}, {}, "70", by=SEGMENTS, told=RULE),
    Case(
        USERS,
        USERS + "/change",
        {"role": "viewer"},
        {"role": "writer", "under": ""},
        "As li has saved it",
        {"under": "无"},
    ),
    Case(TEXT, TEXT + "/form", {"in_full": "1"}, {"in_full": "0"}, "full text"),
    Case(
        "/editions/1/check",
        "/editions/1/publish",
        {"readers": "retired"},
        {"readers": "mobile"},
        "retired",
        {"readers": "("},
    ),
]


def furnished(house: Runtime) -> None:
    """What both of them open."""
    for name, role in (("wang", "admin"), ("li", "admin"), ("chen", "editor")):
        add_user(house, name, role)
    furnish(house)
    with house.begin() as tx:
        segments.save(tx.session, OPERATOR, "老人", "retired", now=tx.now)
        word_lists.save(tx.session, OPERATOR, ["免费"], now=tx.now)
        for each in MORE:
            numbers.add_number(tx.session, OPERATOR, 1, each, now=tx.now)


@pytest.fixture
def two(house: Runtime) -> Iterator[tuple[Browser, Browser]]:
    """Two who may do everything, and what they open."""
    furnished(house)
    with hosted(make_web(house)) as address:
        here, there = Browser(address), Browser(address)
        with here.client, there.client:
            here.client.cookies["broadsheet"] = Signed(house, "wang").token
            there.client.cookies["broadsheet"] = Signed(house, "li").token
            yield here, there


def opened(browser: Browser, case: Case, path: str, has: tuple[str, str] = ("", "")) -> Form:
    """The form to this path, as the page has it now."""
    text = browser.get(case.page).text
    if case.page == path == "/members/segments":
        # a saved one is opened by its name
        link = re.search(r'href="([?]name=%E8%80%81[^"]+)"', text)
        assert link, text
        text = browser.get(case.page + unescape(link[1])).text
    return found(text, case.page, path, has)


def found(text: str, page: str, path: str, has: tuple[str, str] = ("", "")) -> Form:
    """The form to this path on a page."""
    forms = [each for each in forms_of(parsed(text), page) if each.method == "POST" and each.path == path]
    meant = [each for each in forms if not has[0] or has in each.pairs()]
    return meant[0]


def send(browser: Browser, form: Form, typed: Mapping[str, str]) -> httpx2.Response:
    """The form with this typed into it."""
    sent = {name: value for name, value in form.pairs() if name not in ("heading", "value")} | dict(typed)
    return browser.client.post(form.path, data=sent)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_who_opened_it_earlier_is_told(two: tuple[Browser, Browser], case: Case) -> None:
    here, there = two
    mine, theirs = opened(here, case, case.path, case.has), opened(there, case, case.by or case.path)
    assert send(there, theirs, case.theirs).status_code == 303
    if case.wrong is not None:
        # a page that is drawn anew for another mistake is no leave to write over what nobody has seen
        told = send(here, mine, case.wrong)
        assert (told.status_code, case.told in troubles(told)) == (422, False)
        mine = found(told.text, case.page, case.path, case.has)
    told = send(here, mine, case.mine)
    assert told.status_code == 422
    assert case.told in troubles(told)
    assert case.shown in told.text
    again = found(told.text, case.page, case.path, case.has)
    assert {name: value for name, value in again.pairs() if name in case.mine} == case.mine
    # who has seen it saves theirs over it
    assert send(here, again, {}).status_code == 303, troubles(send(here, again, {}))
    if not case.path.endswith(ONCE):
        assert send(here, again, {}).status_code == 303, "pressed twice"


def test_who_undoes_it_later_does_not_undo_what_came_between(two: tuple[Browser, Browser]) -> None:
    here, there = two
    for case, mine in ((CASES[1], {"name": "要闻"}), (CASES[4], {"name": "李桂芳"}), (CASES[5], STANDING)):
        done = here.follow(send(here, opened(here, case, case.path), mine)).text
        action = re.search(r'role="status".*?action="([^"]+)"', done, re.DOTALL)
        assert action
        undo = next(each for each in forms_of(parsed(done), case.page) if each.path == action[1])
        assert send(there, opened(there, case, case.path), case.theirs | {"status": "applicant"}).status_code == 303
        answer = send(here, undo, {})
        assert (answer.status_code, case.told in troubles(answer)) == (422, True), troubles(answer)


def test_of_columns_of_their_own_only_those_of_the_form_count(house: Runtime, two: tuple[Browser, Browser]) -> None:
    def give(**fields: str) -> None:
        with house.begin() as tx:
            members.update(tx.session, OPERATOR, 1, fields=fields, on=DAY, now=tx.now)

    here, _ = two
    give(职务="组长", 爱好="棋")
    form = opened(here, CASES[4], MEMBER + "/data")
    give(血型="A")
    # what the form has not is not written over by it
    assert here.client.post(form.path, data=form_with(form, 爱好="书画")).status_code == 303
    form = opened(here, CASES[4], MEMBER + "/data")
    give(职务="会长", 爱好="")
    answer = here.client.post(form.path, data=form_with(form, 爱好="诗"))
    assert "operator has changed this" in troubles(answer)
    typed = found(answer.text, MEMBER, MEMBER + "/data").pairs()
    named = dict(zip((v for n, v in typed if n == "heading"), (v for n, v in typed if n == "value"), strict=True))
    assert named == {"爱好": "诗", "职务": "组长", "血型": "A"}
    assert "会长" in answer.text


def form_with(form: Form, **own: str) -> dict[str, str | list[str]]:
    """The form of a member's data, with these in columns of their own."""
    sent: dict[str, str | list[str]] = dict(form.pairs())
    headings = [value for name, value in form.pairs() if name == "heading"]
    values = [value for name, value in form.pairs() if name == "value"]
    typed = [own.get(heading, value) for heading, value in zip(headings, values, strict=True)]
    return sent | {"heading": headings, "value": typed}


#: what is done twice at the same moment, and the mark of what both have read
RACES: dict[str, tuple[Callable[[Tx, str, int], object], Callable[[Tx], str]]] = {
    "edition": (
        lambda tx, read, n: making.rename(tx.session, OPERATOR, 1, day=DAY, title=f"{n}", read=read, now=tx.now),
        lambda tx: making.heading_mark(making.layout(tx.session, OPERATOR, 1).edition),
    ),
    "column": (
        lambda tx, read, n: columns.change(tx.session, OPERATOR, 1, name=f"{n}", owner="", read=read, now=tx.now),
        lambda tx: columns.mark_of(columns.get(tx.session, OPERATOR, 1)),
    ),
    "words": (
        lambda tx, read, n: word_lists.save(tx.session, OPERATOR, [f"{n}"], read=read, now=tx.now),
        lambda tx: seen.mark(word_lists.own(tx.session, OPERATOR)),
    ),
    "data": (
        lambda tx, read, n: members.update(tx.session, OPERATOR, 1, name=f"{n}", read=read, on=DAY, now=tx.now),
        lambda tx: records.marks(tx.session, OPERATOR, 1).data,
    ),
    "standing": (
        lambda tx, read, n: membership.update_status(
            tx.session, OPERATOR, 1, status=(Status.RETIRED, Status.APPLICANT)[n], read=read, on=DAY, now=tx.now
        ),
        lambda tx: records.marks(tx.session, OPERATOR, 1).places,
    ),
    "numbers": (
        lambda tx, read, n: numbers.prefer_number(tx.session, OPERATOR, 1, MORE[n], read=read, now=tx.now),
        lambda tx: records.marks(tx.session, OPERATOR, 1).numbers,
    ),
    "segment": (
        lambda tx, read, n: segments.save(tx.session, OPERATOR, "老人", f"age >= 7{n}", read=read, now=tx.now),
        lambda tx: segments.mark_of("retired"),
    ),
    "user": (
        lambda tx, read, n: users.change(
            tx.session, OPERATOR, "chen", role=("viewer", "writer")[n], read=read, now=tx.now
        ),
        lambda tx: users.mark_of(users.find(tx.session, OPERATOR, "chen")),
    ),
    "form": (
        lambda tx, read, n: variant_texts.set_form(
            tx.session, OPERATOR, 1, "retired", in_full=n > 0, with_link=n == 0, pages="x", read=read, now=tx.now
        ),
        lambda tx: variant_texts.form_mark(None),
    ),
    "page": (
        lambda tx, read, n: publishing.publish(
            tx.session, OPERATOR, 1, readers=("retired", "mobile")[n], read=read, now=tx.now
        ),
        lambda tx: publishing.mark_of("", is_published=True),
    ),
}


def test_of_two_at_the_same_moment_one_is_told(house: Runtime, clock: Clock) -> None:
    furnished(house)
    wrong = []
    for name, (act, mark) in RACES.items():
        with house.reading() as tx:
            read = seen.stamped(mark(tx), tx.now)
        told = at_once(
            house.engine,
            Transactions(house.engine, clock),
            lambda tx, act=act, read=read: act(tx, read, 0),  # type: ignore[misc]
            lambda tx, act=act, read=read: act(tx, read, 1),  # type: ignore[misc]
        )
        wrong += [(name, told)] if [type(each) for each in told] != [Outdated] else []
    assert not wrong
