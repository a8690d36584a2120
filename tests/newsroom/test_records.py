"""Who made an edition, and who sent it, stands in the records in words."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

from broadcaster.campaigns import schedule
from broadcaster.campaigns.models import Campaign
from broadcaster.newspaper import editions
from broadcaster.runtime import Runtime
from subscribers import audit
from subscribers.actor import OPERATOR, Actor, Right
from tests.databases import Transactions
from tests.delivery.ledger import ROUTE, WAYS, ZONE, draft
from tests.factories import make_member, make_organisation
from tests.newsroom.test_checks import begin_edition, put, sign
from tests.newsroom.test_items import come
from tests.newsroom.test_older_words import campaigns, start
from tests.newsrooms import Browser

EDITION = """
number = 9
date = 2026-11-23
title = "入冬"
variants = ["everyone"]
[[columns]]
name = "要闻"
[[columns.items]]
headline = "供暖"
sms = "供暖了。"
"""


def lines(browser: Browser, path: str = "/settings/records") -> list[str]:
    """The rows of the records: who, what was done, what it was done to."""
    page = browser.get(path).text
    rows = re.findall(r'<tr><th scope="row">.*?</tr>', page, re.DOTALL)
    told = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in rows]
    return [unescape(" | ".join(cells)) for cells in told]


def test_who_made_an_edition_and_who_sent_it(house: Runtime, browser: Browser) -> None:
    begin_edition(house, browser)
    sign(house)
    put(browser, "供暖")
    browser.get("/editions/7/check")
    browser.post("/editions/7/draft")
    (send,) = campaigns(house)
    with house.begin() as tx:
        notice = draft(tx.session, "开会").id
    start(house, send)
    come(house, browser, "boss", "admin")
    told = lines(browser)
    assert "chief | edition: made | No. 7 | 0" in told
    assert f"chief | send: made | send {send} · No. 7 | 0" in told
    assert f"operator | send: started | send {send} · No. 7 | 1" in told
    assert f"operator | send: made | send {notice} | 0" in told, "a notice is of no edition"
    assert lines(browser, "/settings/records?deed=editions.") == ["chief | edition: made | No. 7 | 0"]
    zh = lines(browser, "/settings/records?lang=zh")
    assert "chief | 手机报：新建 | 第 7 期 | 0" in zh
    assert f"chief | 发送任务：新建 | 发送任务 {send} · 第 7 期 | 0" in zh
    started = f"运维 | 发送任务：开始发送 | 发送任务 {send} · 第 7 期 | 1"
    assert started in zh
    assert lines(browser, "/settings/records?by=运维&deed=campaigns.send") == [started], "by the word of the page"


def test_an_edition_of_a_file_is_made_once(begin: Transactions) -> None:
    for _ in range(2):
        with begin() as tx:
            editions.import_edition(tx.session, OPERATOR, EDITION, now=tx.now)
    with begin() as tx:
        found = audit.read(tx.session, OPERATOR, deed="editions.make")
        assert [(each.actor, each.thing) for each in found] == [("operator", "edition 9")]


def test_a_send_that_starts_by_itself_is_found_where_it_was_made(begin: Transactions) -> None:
    with begin() as tx:
        east = make_organisation(tx.session, "东城")
        make_member(tx.session, organisation=east)
        chief = Actor("li", frozenset(Right), east.path)
        campaign = draft(tx.session)
        campaign.under = east.path
        at = tx.now + timedelta(hours=1)
        schedule.schedule(tx.session, chief, campaign, at, ROUTE, WAYS, zone=ZONE, now=tx.now)
        number = campaign.id
    begin.clock.advance(hours=1)
    with begin() as tx:
        (due,) = schedule.claim_due(tx.session, now=tx.now)
        schedule.start_due(tx.session, due, ROUTE, WAYS, zone=ZONE, now=tx.now)
        assert tx.session.get_one(Campaign, number).state == "preparing"
        told = [(each.actor, each.deed) for each in audit.read(tx.session, chief, deed="campaigns.")]
    assert told == [("system", "campaigns.send"), ("li", "campaigns.schedule")]
