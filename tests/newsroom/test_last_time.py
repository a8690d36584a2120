"""What was chosen for a list is suggested for the next one like it, and said so; that people agreed is confirmed."""

from __future__ import annotations

import re
from html import unescape

import httpx2
import pytest
from sqlalchemy import select

from broadcaster.runtime import Runtime
from subscribers.models import Consent, Member, Membership, Organisation
from tests.databases import Clock
from tests.newsroom.test_looks_at_lists import words
from tests.newsroom.test_members import hand_in, settled, token_of
from tests.newsrooms import Browser, Signed, add_user

pytestmark = pytest.mark.usefixtures("worker")

FIRST = "姓名,手机,学校,班级\n李敏,19900000011,一小,三班\n赵平,19900000012,一小,三班\n"
NEXT = "班级,学校,手机,姓名\n四班,二小,19900000013,周静\n四班,二小,19900000013,周强\n"
AGREED = "家长会上签字“同意”"
CHOSEN = ["name", "msisdn", "organisation", "tags"]
SUGGESTED = 'name="agreed_again"'


@pytest.fixture
def admin(house: Runtime, browser: Browser) -> Browser:
    add_user(house, "chief", "admin")
    browser.client.cookies["broadsheet"] = Signed(house, "chief").token
    return browser


def choose(browser: Browser, look: httpx2.Response, act: str, fields: list[str], **more: str) -> httpx2.Response:
    """A button of the page, with the columns in its order so."""
    browser.page = look
    headings = [unescape(each) for each in re.findall(r'name="heading" value="([^"]*)"', look.text)]
    given = {"heading": headings, "field": fields, **more}
    return settled(browser, browser.post(f"/members/import/{token_of(look.text)}/{act}", **given))


def chosen(look: httpx2.Response) -> list[str]:
    """What the page has for each column, as a browser would send it."""
    boxes = re.findall(r'<select id="column-\d+".*?</select>', look.text, re.DOTALL)
    marked = [re.search(r'<option value="(\w*)" selected>', box) for box in boxes]
    return [found[1] if found else "" for found in marked]


def take_first(admin: Browser) -> str:
    """The first list, for which everything is chosen by hand; the number of its import."""
    look = hand_in(admin, FIRST.encode())
    assert chosen(look) == ["name", "msisdn", "", ""]
    assert "As last time" not in look.text
    assert SUGGESTED not in look.text
    given = {"agreed": AGREED, "shared": "1"}
    taken = choose(admin, choose(admin, look, "look", CHOSEN, **given), "take", CHOSEN, **given)
    assert "Taken in: 2 new" in taken.text
    found = re.search(r'name="import" value="(\d+)"', taken.text)
    assert found
    return found[1]


def test_columns_are_chosen_as_last_time_and_it_is_said(house: Runtime, admin: Browser, clock: Clock) -> None:
    take_first(admin)
    clock.advance(minutes=5)
    look = hand_in(admin, NEXT.encode(), name="新生.csv")
    as_then = CHOSEN[::-1]
    assert chosen(look) == as_then
    assert "Take 2 people in" in look.text, "two may share a handset, as then"
    assert words(look).count("As last time: list.csv, 5 minutes ago, by chief.") == 3
    assert "People who can be sent to: 0 of 2." in words(look), "nobody has said that these agreed"
    assert f"It holds for these people, too: {AGREED}" in words(look)
    assert 'id="agreed" name="agreed" type="text" value=""' in look.text

    again = choose(admin, look, "take", as_then, agreed_again=AGREED, shared="1")
    assert "Something was chosen otherwise since you looked." in again.text
    assert names(house) == ["李敏", "赵平"], "nobody is taken in who was not shown as one who can be sent to"
    assert "People who can be sent to: 1 of 2." in words(again)
    assert SUGGESTED not in again.text
    assert words(again).count("As last time: list.csv") == 3, "beside the sentence, too"
    taken = choose(admin, again, "take", as_then, agreed=AGREED, shared="1")
    assert "Taken in: 2 new" in taken.text
    with house.reading() as tx:
        s = tx.session
        said = s.scalars(select(Consent.wording).order_by(Consent.id)).all()
        assert said == [f"{AGREED} (list.csv)", f"{AGREED} (新生.csv)"]
        places = s.execute(
            select(Member.name, Organisation.name)
            .join(Membership, Membership.member_id == Member.id)
            .join(Organisation, Organisation.id == Membership.organisation_id)
        )
        assert dict(places.all())["周静"] == "二小"
        assert s.scalars(select(Member.tags).where(Member.name == "周静")).one() == ["四班"]


def test_what_is_suggested_can_be_chosen_otherwise(house: Runtime, admin: Browser) -> None:
    take_first(admin)
    look = hand_in(admin, NEXT.encode(), agreed="told us themselves")
    assert SUGGESTED not in look.text, "how it is known is said already"
    other = ["", "organisation", "msisdn", "name"]
    look = choose(admin, look, "look", other, agreed="told us themselves")
    assert chosen(look) == other
    assert "As last time" not in look.text
    assert "1 × " in words(look) or "Refused rows" in words(look), "they no longer share a handset"
    look = choose(admin, look, "look", other, agreed_again="typed here", agreed="and there")
    assert 'value="and there"' in look.text
    taken = choose(admin, look, "take", other, agreed="and there")
    assert "Taken in: 1 new" in taken.text
    newest = hand_in(admin, FIRST.encode())
    assert chosen(newest) == ["name", "msisdn", "organisation", ""], "the last time is the newest"
    assert "and there" in words(newest)


def test_an_import_that_was_undone_is_remembered_as_one(admin: Browser) -> None:
    number = take_first(admin)
    admin.get("/members/imports")
    admin.follow(settled(admin, admin.post("/members/imports", **{"import": number, "sure": "yes"})))
    look = hand_in(admin, FIRST.encode())
    assert chosen(look) == CHOSEN
    assert "As last time: list.csv, just now, by chief; that import was undone." in words(look)
    assert SUGGESTED in look.text
    admin.get("/?lang=zh")
    look = hand_in(admin, FIRST.encode())
    assert "与上次相同：list.csv，刚刚，chief 导入；那次导入已撤销。" in words(look)
    assert f"对这些人也适用：{AGREED}" in words(look)


def test_what_stands_in_a_sentence_is_text(admin: Browser) -> None:
    look = hand_in(admin, FIRST.encode(), agreed="<script>alert(1)</script>")
    fields = ["name", "msisdn", "", ""]
    choose(admin, look, "take", fields, agreed="<script>alert(1)</script>")
    assert "<script>alert" not in hand_in(admin, FIRST.encode()).text


def names(house: Runtime) -> list[str]:
    with house.reading() as tx:
        return sorted(tx.session.scalars(select(Member.name)))
