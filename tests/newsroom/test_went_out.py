"""That an edition went out, when, and whether it was rehearsed: in the list, on its page, its check and the card."""

from __future__ import annotations

import re
from html import unescape

import pytest
from sqlalchemy import event

from broadcaster.campaigns.models import Campaign
from broadcaster.campaigns.states import CampaignState
from broadcaster.campaigns.went_out import gone_out
from broadcaster.newspaper.models import Edition
from broadcaster.runtime import Runtime
from subscribers.actor import Actor, Right
from tests.databases import Transactions
from tests.factories import make_organisation
from tests.newsroom.test_checks import begin_edition, put, sign
from tests.newsroom.test_items import come
from tests.newsroom.test_older_words import campaigns, findings, start
from tests.newsrooms import Browser
from tests.reports.ledger import make_campaign, make_message

RIGHTS = frozenset({Right.SEE, Right.EDIT})


@pytest.fixture
def editor(house: Runtime, browser: Browser) -> Browser:
    begin_edition(house, browser)
    sign(house)
    put(browser, "供暖")
    return browser


def make_send(house: Runtime, editor: Browser) -> int:
    editor.get("/editions/7/check")
    editor.post("/editions/7/draft")
    return max(campaigns(house))


def become(house: Runtime, send: int, state: CampaignState, *, rehearsed: dict[str, bool] | None = None) -> None:
    """As the press would have it after a while."""
    with house.begin() as tx:
        row = tx.session.get_one(Campaign, send)
        row.state, row.rehearsed = state, rehearsed


def words(editor: Browser, path: str) -> str:
    return " ".join(unescape(re.sub("<[^>]+>", " ", editor.get(path).text)).split())


def test_what_has_not_gone_out_says_nothing(house: Runtime, editor: Browser) -> None:
    make_send(house, editor)
    assert "No. 7 入冬 23 Nov 2026 not yet" in words(editor, "/editions")
    for path in ("/editions/7", "/editions/7/check", "/"):
        told = words(editor, path)
        assert "Went out" not in told, path
        assert not any(word in told for word in ("Rehearsed", "rehearsal")), path


def test_a_rehearsal_is_called_one_everywhere(house: Runtime, editor: Browser) -> None:
    send = make_send(house, editor)
    start(house, send)
    become(house, send, CampaignState.CLOSED, rehearsed=dict.fromkeys(house.gateways, True))
    assert "23 Nov 2026 just now · rehearsal" in words(editor, "/editions")
    assert f"Rehearsed just now, as send {send} (closed): nothing reached a phone." in words(editor, "/editions/7")
    check = words(editor, "/editions/7/check")
    assert f"Send {send} closed · rehearsal words of just now · started just now by operator" in check
    assert "A rehearsal: nothing of it reached a phone" in check
    assert "Nothing was found" in check, "nobody has it on a phone: nothing is to be looked at"
    assert "A rehearsal: nothing of it reached a phone" in words(editor, "/")
    for path, told in (("/editions", "刚刚 · 演练"), ("/editions/7", "没有发到任何手机"), ("/", "演练：没有发到")):
        assert told in words(editor, f"{path}?lang=zh"), path


def test_what_reached_phones_is_told_before_what_was_rehearsed(house: Runtime, editor: Browser) -> None:
    sent, rehearsed, draft = (make_send(house, editor) for _ in range(3))
    for send in (sent, rehearsed):
        start(house, send)
    become(house, sent, CampaignState.CLOSED, rehearsed=dict.fromkeys(house.gateways, False))
    become(house, rehearsed, CampaignState.SENDING, rehearsed=dict.fromkeys(house.gateways, True))
    listed = words(editor, "/editions")
    assert "23 Nov 2026 just now everyone" in listed, "finished: no state, no rehearsal"
    page, check = editor.get("/editions/7").text, words(editor, "/editions/7/check")
    told = f"Went out just now, as send {sent} (closed)."
    assert told in page
    assert page.index(told) < page.index(f"Rehearsed just now, as send {rehearsed} (sending)")
    assert f"! {told} Whoever has it already gets it once more by another send." in check
    assert "Nothing was found" not in check
    assert "must be mended" not in check, "it is no reason against sending it"
    assert len(findings(house, draft, "once more")) == 1, "the command line's check tells the same"
    become(house, sent, CampaignState.SENDING, rehearsed=None)
    assert f"It is going out: send {sent} (sending), started just now." in words(editor, "/editions/7")
    assert "23 Nov 2026 just now · sending everyone" in words(editor, "/editions")
    become(house, sent, CampaignState.CANCELLED)
    for path in ("/editions", "/editions/7"):
        assert "ehears" in words(editor, path)
        assert "as send 1" not in words(editor, path), "stopped before anything left"
    assert findings(house, draft, "once more") == []


def test_the_card_leads_to_the_send_and_the_send_tells_its_figures(house: Runtime, editor: Browser) -> None:
    send = make_send(house, editor)
    start(house, send)
    with house.begin() as tx:
        row = tx.session.get_one(Campaign, send)
        row.state, row.rehearsed = CampaignState.CLOSED, dict.fromkeys(house.gateways, False)
        for state in ("delivered", "delivered", "failed"):
            make_message(tx.session, row, state)
        make_message(tx.session, row, "skipped", reason="opted_out")
    card = editor.get("/").text
    assert f'href="/editions/7/check#send-{send}"' in card
    assert "rehearsal" not in words(editor, "/")
    check = editor.get("/editions/7/check").text
    told = check.partition(f'<li id="send-{send}">')[2].partition("</li>")[0]
    assert "Delivered to 2 of 3 people (66.7%); 1 skipped." in told
    assert "ehears" not in told


def test_a_send_of_no_edition_has_no_page_and_says_where_it_is_looked_at(house: Runtime, editor: Browser) -> None:
    with house.begin() as tx:
        notice = make_campaign(tx.session, state="closed", started_at=tx.now).id
        drafts = [make_campaign(tx.session, state="draft", started_at=None).id for _ in range(2)]
    page = editor.get("/").text
    assert "campaigns show" not in page, "whoever may not send is told of no command"
    assert "/check#send-" not in page
    come(house, editor, "boss", "operator")
    page = editor.get("/").text
    assert f"campaigns show {notice}</pre>" in page
    assert not any(f"campaigns show {each}<" in page for each in drafts)


def test_a_branch_is_told_what_went_out_above_it_and_not_beside_it(begin: Transactions) -> None:
    with begin() as tx:
        east, west = (make_organisation(tx.session, name).path for name in ("东城", "西城"))
        edition = Edition(
            number=7, date=tx.now.date(), title="入冬", source="", under="", created_by="x", created_at=tx.now
        )
        tx.session.add(edition)
        tx.session.flush()
        made = {"edition_id": edition.id, "started_at": tx.now}
        above = make_campaign(tx.session, rehearsed={"carrier": True}, **made).id
        beside = make_campaign(tx.session, under=west, rehearsed={"a": True, "b": False}, **made).id
        for _ in range(3):
            own = make_campaign(tx.session, under=east, rehearsed={"carrier": True}, **made).id
        make_campaign(tx.session, under=east, edition_id=edition.id, started_at=None)

        def seen(under: str) -> list[tuple[int, bool, bool]]:
            found = gone_out(tx.session, Actor("li", RIGHTS, under), [7, 8])
            assert set(found) <= {7}
            return [(each.campaign_id, each.is_rehearsal, each.is_own) for each in found.get(7, [])]

        assert seen("") == [(beside, False, True), (own, True, True)], "one gateway to phones makes it a send"
        assert seen(east) == [(own, True, True)]
        assert seen(west) == [(beside, False, True), (above, True, False)]


def test_a_page_of_editions_asks_once_for_all_of_them(house: Runtime, editor: Browser) -> None:
    def statements() -> int:
        told: list[str] = []

        def hear(*given: object) -> None:
            told.append(str(given[2]))

        event.listen(house.engine, "before_cursor_execute", hear)
        editor.get("/editions")
        event.remove(house.engine, "before_cursor_execute", hear)
        return len(told)

    send = make_send(house, editor)
    start(house, send)
    before = statements()
    with house.begin() as tx:
        edition = tx.session.get_one(Campaign, send).edition_id
        for number in range(8, 30):
            each = Edition(
                number=number, date=tx.now.date(), title="期", source="", under="", created_by="x", created_at=tx.now
            )
            tx.session.add(each)
            tx.session.flush()
            for _ in range(2):
                make_campaign(tx.session, edition_id=each.id, started_at=tx.now, state="closed")
        make_campaign(tx.session, edition_id=edition, started_at=tx.now, state="closed")
    assert statements() == before
    assert editor.get("/editions").text.count('data-label="Went out">just now<') == 23
