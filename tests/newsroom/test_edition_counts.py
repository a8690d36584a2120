"""An edition counted over its whole audience, beside the page."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from html import unescape

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.campaigns import counts, profile_changes
from broadcaster.campaigns.models import EditionCount
from broadcaster.newspaper import making
from broadcaster.runtime import Runtime
from broadcaster.tasks import counting, make_app
from subscribers import audit, consent, lists, membership
from subscribers.actor import OPERATOR, Actor
from subscribers.models import Number
from tests.databases import Clock
from tests.factories import make_member, make_organisation
from tests.newsroom.test_items import come
from tests.newsrooms import Browser, add_user, at, furnish, troubles

CHECK, COUNT = "/editions/1/check", "/editions/1/count"


@pytest.fixture
def editor(house: Runtime, browser: Browser) -> Browser:
    add_user(house, "li", "editor")
    furnish(house)
    with house.begin() as tx:
        east = make_organisation(tx.session, "东城/东街分会")
        make_member(tx.session, organisation=east, name="赵平", subscribed=False)
        make_member(tx.session, organisation=east, name="钱多", msisdn=None)
    come(house, browser, "chief", "editor")
    return browser


def begun(editor: Browser) -> str:
    editor.get(CHECK)
    return editor.follow(editor.post(COUNT)).text


def words(page: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", page).split())


def row(house: Runtime) -> EditionCount | None:
    with house.reading() as tx:
        return counts.find(tx.session, OPERATOR, 1)


def test_counted_beside_the_page(house: Runtime, editor: Browser) -> None:
    assert "Count the whole audience" in editor.get(CHECK).text
    page = begun(editor)
    assert "It begins in a moment" in page
    assert 'role="status">' in page
    assert 'class="done"' not in page, "a word that it is being counted would stay above the finished count"
    assert 'hx-get="/editions/1/count?live=1"' in page
    begun(editor)
    assert not counting.count_waiting(house)
    assert editor.get(COUNT).headers["location"] == CHECK + "#counted", "a part of a page is none"
    part = editor.get(COUNT + "?live=1").text
    assert "hx-get" not in part
    told = words(part)
    assert "61 readers · " in told
    assert "2 members are skipped: " in told
    assert "opted out 1" in told
    assert "no number 1" in told
    assert "retired 1" in told
    assert "all others 60" in told
    assert "figures of its earlier words" not in told
    assert words(part) in words(editor.get(CHECK).text)


def test_figures_of_earlier_words_say_so(house: Runtime, editor: Browser) -> None:
    begun(editor)
    counting.count_waiting(house)
    older = "The figures of the whole audience are older than the text. Whoever starts the send has it counted again"
    assert older not in editor.get(CHECK).text
    with house.begin() as tx:
        making.set_variants(tx.session, OPERATOR, 1, ["mobile", "retired", "everyone"], now=tx.now)
    page = editor.get(CHECK).text
    assert "figures of its earlier words" in page
    assert older in page.partition('id="next"')[2]
    begun(editor)
    counting.count_waiting(house)
    assert "figures of its earlier words" not in editor.get(CHECK).text


@pytest.mark.parametrize("given", [{"signature": "【晨晖手机报】"}, {"opt_out": "退订回T"}])
def test_figures_with_an_earlier_signature_say_so(house: Runtime, editor: Browser, given: dict[str, str]) -> None:
    redressed = "The signature or the opt-out line was changed since"
    begun(editor)
    counting.count_waiting(house)
    assert redressed not in editor.get(CHECK).text
    with house.begin() as tx:
        made = profile_changes.write(tx.session, OPERATOR, "simulator", given, tx.now.date(), now=tx.now)
    page = editor.get(CHECK).text
    assert redressed in page
    assert "The figures of the whole audience are older" in page.partition('id="next"')[2]
    with house.begin() as tx:
        profile_changes.undo(tx.session, OPERATOR, "simulator", change_id=made.id, now=tx.now)
    assert redressed not in editor.get(CHECK).text, "it is as it was counted"


def test_commands_are_for_those_who_run_it(house: Runtime, editor: Browser) -> None:
    with house.begin() as tx:
        profile_changes.write(tx.session, OPERATOR, "simulator", {"opt_out": ""}, tx.now.date(), now=tx.now)
    begun(editor)
    counting.count_waiting(house)
    page = editor.get(CHECK).text
    assert "Ask the operator to set the opt-out line" in page
    assert "broadsheet.toml" not in page
    with at(house) as other:
        page = come(house, other, "boss", "operator").get(CHECK).text
    assert "Ask the operator to set the opt-out line" in page
    assert "opt_out = " in page.partition("Technical details")[2]


def test_called_off(house: Runtime, editor: Browser) -> None:
    begun(editor)
    page = editor.follow(editor.post(COUNT + "/cancel")).text
    assert "It is not counted any more." in page
    assert row(house) is None
    assert "not being counted" in editor.post(COUNT + "/cancel").text
    begun(editor)
    counting.count_waiting(house)
    begun(editor)
    editor.post(COUNT + "/cancel")
    assert "61 readers" in words(editor.get(CHECK).text), "what was known stays"


def test_called_off_while_it_goes_on(house: Runtime, editor: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(editor)
    monkeypatch.setattr(counting, "TOLD_EVERY", 0.0)
    real = counting.check.check

    def called_off(*args, **more):
        with house.begin() as tx:
            counts.cancel(tx.session, OPERATOR, 1)
        return real(*args, **more)

    monkeypatch.setattr(counting.check, "check", called_off)
    counting.count_waiting(house)
    assert row(house) is None


def test_one_whose_process_died_is_begun_again(house: Runtime, editor: Browser, clock: Clock) -> None:
    begun(editor)
    with house.begin() as tx:
        dead = counts.claim(tx.session, now=tx.now)
    assert dead is not None
    with house.begin() as tx:
        assert counts.tell(tx.session, dead, 12, 63, now=tx.now)
        assert counts.claim(tx.session, now=tx.now) is None
    assert "Readers so far: 12, of about 63 members." in editor.get(CHECK).text
    clock.now += counts.DEAD + timedelta(seconds=1)
    counting.count_waiting(house)
    found = row(house)
    assert found is not None
    assert found.state == "done"
    with house.begin() as tx:
        assert not counts.tell(tx.session, dead, 13, 63, now=tx.now), "it is not theirs any more"


def test_a_process_that_is_stopped_leaves_it(house: Runtime, editor: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(editor)
    real = counting.check.check

    def stopping(*args, **more):
        house.stopping.set()
        return real(*args, **more)

    monkeypatch.setattr(counting.check, "check", stopping)
    counting.count_waiting(house)
    found = row(house)
    assert found is not None
    assert (found.state, found.runner) == ("waiting", "")


@pytest.mark.parametrize("kind", [RuntimeError("boom"), counts.Conflict("The {thing} is away.", thing="moon")])
def test_what_cannot_be_counted_says_why(
    house: Runtime, editor: Browser, monkeypatch: pytest.MonkeyPatch, kind: Exception
) -> None:
    begun(editor)

    def broken(*_args, **_more):
        raise kind

    monkeypatch.setattr(counting.check, "check", broken)
    counting.count_waiting(house)
    page = words(editor.get(CHECK).text)
    assert "It could not be counted (just now):" in page
    assert ("The moon is away." if isinstance(kind, counts.Conflict) else "Something went wrong here.") in page
    assert "Count it anew" in page


def test_a_lost_hint_is_given_again(house: Runtime, editor: Browser, clock: Clock) -> None:
    hints: list[str] = []
    begun(editor)
    house.publish = lambda wakes: hints.extend(wake.queue for wake in wakes)
    for later in (timedelta(0), counts.FORGOTTEN + timedelta(seconds=1)):
        clock.now += later
        with house.begin() as tx:
            counts.wake_forgotten(tx.session, now=tx.now)
    assert hints == [counts.COUNT]


def test_a_worker_knows_how(house: Runtime, editor: Browser) -> None:
    app = make_app(house)
    begun(editor)
    assert counts.COUNT in {queue.name for queue in app.conf.task_queues}
    app.tasks[counts.COUNT]()
    found = row(house)
    assert found is not None
    assert found.state == "done"


def test_a_list_that_is_gone_is_told_in_plain_words(house: Runtime, editor: Browser) -> None:
    with house.begin() as tx:
        lists.save_list(tx.session, OPERATOR, "骨干", ids=[1, 2], now=tx.now)
        making.set_variants(tx.session, OPERATOR, 1, ['list("骨干")', "everyone"], now=tx.now)
    begun(editor)
    with house.begin() as tx:
        lists.remove_list(tx.session, OPERATOR, "骨干", now=tx.now)
    counting.count_waiting(house)
    for tongue, told in (
        ("en", "It could not be counted (just now): There is no list 骨干. Once that is mended, count it anew."),
        ("zh", "没有数成（刚刚）：没有名单 骨干。改好以后，请重新计数。"),
    ):
        editor.client.headers["accept-language"] = tongue
        panel = editor.get(CHECK).text.partition('id="counted"')[2].partition("</section>")[0]
        assert told in unescape(words(panel))
        assert "^" not in panel
        assert not any(each in panel for each in ("column", "列"))
        assert 'href="/editions/1/who"' in panel
        assert ("Count it anew" if tongue == "en" else "重新计数") in panel.partition('action="/editions/1/count"')[2]
    with house.begin() as tx:
        making.set_variants(tx.session, OPERATOR, 1, ["everyone"], now=tx.now)
    begun(editor)
    counting.count_waiting(house)
    assert "没有数成" not in editor.get(CHECK).text


OTHERS = "Members, their wishes or lists were changed since"


def opted_out(session: Session, now: datetime) -> None:
    number = session.scalars(select(Number.msisdn).where(Number.msisdn.is_not(None))).first()
    assert number
    consent.opt_out(session, OPERATOR, number, source="sms", wording="R", now=now)


def left(session: Session, now: datetime) -> None:
    membership.leave(session, OPERATOR, 1, on=now.date(), now=now)


def listed(session: Session, now: datetime) -> None:
    lists.save_list(session, OPERATOR, "骨干", ids=[1], now=now)


def looked_at(session: Session, now: datetime) -> None:
    audit.note(session, OPERATOR, "members.show", "member 1", now=now)
    audit.note(session, OPERATOR, "login", "user 1", now=now)


@pytest.mark.parametrize(
    ("deed", "is_older"),
    [(opted_out, True), (left, True), (listed, True), (looked_at, False)],
    ids=["wish", "left", "list", "look"],
)
def test_figures_of_others_say_so(
    house: Runtime, editor: Browser, clock: Clock, deed: Callable[[Session, datetime], None], is_older: bool
) -> None:
    begun(editor)
    counting.count_waiting(house)
    assert OTHERS not in editor.get(CHECK).text
    clock.now += timedelta(minutes=5)
    with house.begin() as tx:
        deed(tx.session, tx.now)
    assert (OTHERS in editor.get(CHECK).text) is is_older
    clock.now += timedelta(minutes=5)
    begun(editor)
    counting.count_waiting(house)
    assert OTHERS not in editor.get(CHECK).text


def test_what_another_branch_does_makes_no_figures_old(house: Runtime, browser: Browser) -> None:
    with house.begin() as tx:
        east, west = (make_organisation(tx.session, name) for name in ("东城", "西城"))
        now = tx.now
        for under, deed in ((west.path, "members.import"), ("", "members.show"), (west.path, "lists.save")):
            audit.note(tx.session, Actor("x", frozenset(), under), deed, now=now)
        s = tx.session
        assert not audit.done_since(s, ["members.import"], east.path, now - timedelta(days=1))
        assert audit.done_since(s, ["members.import"], west.path, now - timedelta(days=1))
        assert audit.done_since(s, ["members.import"], "", now - timedelta(days=1))
        assert audit.done_since(s, ["members.show"], east.path, now - timedelta(days=1)), "done above, to all of it"
        assert not audit.done_since(s, ["members.import"], "", now)


def test_why_nobody_knows_what_it_costs(house: Runtime, editor: Browser, clock: Clock) -> None:
    begun(editor)
    counting.count_waiting(house)
    told = "No price is set at the gateway simulator, so nobody knows what it costs."
    page = editor.get(CHECK).text
    assert told in words(page)
    assert "The operator sets one." in page
    assert "/settings/gateways" not in page.partition('id="counted"')[2].partition("</section>")[0]
    with at(house) as other:
        boss = come(house, other, "boss", "operator")
        assert '<a href="/settings/gateways#price-head">Set one under' in boss.get(CHECK).text
        boss.get("/settings/gateways")
        day = house.clock().date().isoformat()
        for given, wrong in (
            ({"price": "x"}, "is no price of a part"),
            ({"price": "0"}, "is no price of a part"),
            ({"price": "1e3"}, "is no price of a part"),
            ({"price": "0.05", "currency": "yuan"}, "is no currency"),
            ({"price": "0.05", "of": "nobody"}, "There is no gateway"),
            ({"price": "0.05", "day": "x"}, "The day is missing."),
        ):
            answer = boss.post("/settings/gateways/price", **{"of": "simulator", "currency": "CNY", "day": day} | given)
            assert (answer.status_code, wrong in troubles(answer)) == (422, True), (given, troubles(answer))
            assert f'value="{given["price"]}"' in answer.text, "what was typed stays"
        answer = boss.post("/settings/gateways/price", of="simulator", price="０.０５", currency="cny", day=day)
        page = boss.follow(answer).text
        assert "A part costs CNY 0.050 at simulator from" in page
        assert "CNY 0.050" in page.partition('class="list"')[2]
        assert "A price was set since: count it anew" in editor.get(CHECK).text
        assert told not in words(editor.get(CHECK).text)
        begun(editor)
        counting.count_waiting(house)
        panel = words(editor.get(CHECK).text.partition('id="counted"')[2])
        assert "CNY 0.00" in panel, "nobody gets this variant: that costs nothing, and it is known"
        assert "—" not in panel.partition("Cost")[2].partition("Count it anew")[0]
        fields = dict(re.findall(r'name="(gateway|change)" value="([^"]*)"', page))
        assert "The price is as it was." in boss.follow(boss.post("/settings/gateways/price/undo", **fields)).text
        assert "no price is set" in boss.get("/settings/gateways").text
        assert told not in words(editor.get(CHECK).text), "of the price with which it was counted"
