"""An edition counted over its whole audience, beside the page."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from broadcaster.campaigns import counts, profile_changes
from broadcaster.campaigns.models import EditionCount
from broadcaster.newspaper import making
from broadcaster.runtime import Runtime
from broadcaster.tasks import counting, make_app
from subscribers.actor import OPERATOR
from tests.databases import Clock
from tests.factories import make_member, make_organisation
from tests.newsroom.test_items import come
from tests.newsrooms import Browser, add_user, at, furnish

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
    assert "It begins as soon as" in page
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
    assert "does not want it 1" in told
    assert "no number 1" in told
    assert "retired 1" in told
    assert "everyone 60" in told
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
    assert "It could not be counted." in page
    assert ("The moon is away." if isinstance(kind, counts.Conflict) else "Something went wrong here.") in page
    assert "Count the whole audience" in page


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
