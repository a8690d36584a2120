"""Drafts on pages: kept without touching the item, gone on with, thrown away; and who else is there."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select

from broadcaster.newspaper import items
from broadcaster.newspaper.item_words import Words
from broadcaster.newspaper.models import Item, ItemDraft
from broadcaster.runtime import Runtime
from subscribers.actor import OPERATOR
from tests.newsroom.naughty import NAUGHTY
from tests.newsrooms import Browser, Signed, add_user, at, furnish, troubles

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def writer(house: Runtime, browser: Browser) -> Browser:
    add_user(house, "li", "editor")
    browser.client.cookies["broadsheet"] = Signed(house, "li").token
    browser.get("/items/new")
    return browser


def fields_of(page: str) -> dict[str, str]:
    return dict(re.findall(r'name="(draft|saves)" value="(\d*)"', page))


def item_of(house: Runtime) -> int:
    with house.begin() as tx:
        return items.write(tx.session, OPERATOR, Words("供暖了", "今天供暖。"), now=tx.now).id


def test_a_new_item_is_kept_while_it_is_written(house: Runtime, writer: Browser) -> None:
    kept = writer.post("/items/keep", headline="供", sms="", audience="retired", valid_from="never")
    assert kept.status_code == 200
    assert "Draft kept" in kept.text
    assert "供" not in kept.text
    fields = fields_of(kept.text)
    again = fields_of(writer.post("/items/keep", headline="供暖", **fields).text)
    assert (again["draft"], again["saves"]) == (fields["draft"], "2")
    page = writer.get("/items/drafts").text
    assert "供暖" in page
    opened = writer.get(f"/items/new?draft={fields['draft']}").text
    assert 'value="供暖"' in opened
    assert "What you wrote is kept" in opened
    with house.reading() as tx:
        assert tx.session.scalar(select(func.count()).select_from(Item)) == 0
    refused = writer.post("/items/new", headline="供暖", sms="", **again)
    assert refused.status_code == 422
    again = fields_of(refused.text)
    assert again == {"draft": fields["draft"], "saves": "3"}
    assert writer.post("/items/new", headline="供暖", sms="今天。", **again).status_code == 303
    assert "Nothing is unsaved" in writer.get("/items/drafts").text


def test_a_new_item_that_was_refused_is_kept(writer: Browser) -> None:
    refused = writer.post("/items/new", headline="供暖", sms="", full="第一段", whom="chosen")
    assert refused.status_code == 422
    fields = fields_of(refused.text)
    assert "供暖" in writer.get("/items/drafts").text
    opened = writer.get(f"/items/new?draft={fields['draft']}").text
    assert "第一段</textarea>" in opened
    assert 'name="whom" value="chosen" checked' in opened
    again = writer.post("/items/new", headline="供暖", sms="", **fields)
    assert fields_of(again.text) == {"draft": fields["draft"], "saves": "2"}, "one draft, and no other"


def test_what_was_not_saved_is_in_the_form_of_its_writer_only(house: Runtime, writer: Browser) -> None:
    item = item_of(house)
    writer.post("/items/keep", item=str(item), version="1", headline="供暖提前了", sms="今天供暖。")
    mine = writer.get(f"/items/{item}").text
    assert 'value="供暖提前了"' in mine
    assert "供暖提前了" not in writer.get("/items").text
    fields = fields_of(mine)
    with at(house) as other:
        add_user(house, "wang", "editor")
        other.client.cookies["broadsheet"] = Signed(house, "wang").token
        page = other.get(f"/items/{item}").text
        assert 'value="供暖了"' in page
        assert "What you wrote is kept" not in page
        assert other.client.get(f"/items/new?draft={fields['draft']}").status_code == 404
        # the other one is faster
        assert other.post(f"/items/{item}", headline="推迟了", sms="明天。", version="1").status_code == 303
    late = writer.post("/items/keep", item=str(item), version="1", headline="供暖提前了", sms="今天。", **fields)
    assert "wang has saved this item meanwhile" in late.text
    assert "wang has saved this item meanwhile" in writer.post(f"/items/{item}/here?live=1", version="1").text
    again = writer.get(f"/items/{item}").text
    assert 'name="version" value="1"' in again
    answer = writer.post(f"/items/{item}", headline="供暖提前了", sms="今天。", version="1", **fields_of(late.text))
    assert answer.status_code == 422
    assert "推迟了" in answer.text
    assert "供暖提前了" in answer.text
    # theirs: what I had can still be taken back
    gone = writer.post("/items/drafts/discard", item=str(item), **fields_of(late.text))
    page = writer.follow(gone).text
    assert 'value="推迟了"' in page
    assert 'name="back" value="1"' in page


@SQLITE
def test_who_else_is_there(house: Runtime, writer: Browser) -> None:
    furnish(house)
    for path in ("/items/1/here?live=1", "/editions/1/here?live=1"):
        assert "has this open" not in writer.post(path, version="1").text
        with at(house) as other:
            add_user(house, f"wang{len(path)}", "editor")
            other.client.cookies["broadsheet"] = Signed(house, f"wang{len(path)}").token
            other.get("/items")
            answer = other.post(path, version="1")
            assert "li has this open since" in answer.text
            assert len(answer.content) < 6_000
    for path in ("/items/999/here", "/editions/999/here"):
        assert writer.post(path).status_code == 404


@SQLITE
def test_what_comes_through_broken(house: Runtime, writer: Browser) -> None:
    item = str(item_of(house))
    for fields in (
        {"item": "999"},
        {"item": item, "draft": "x", "saves": "-1", "version": "9" * 40},
        {"item": "-1"},
        {"draft": "999999999999999", "saves": "1"},
        {"full": "长" * 60_001},
    ):
        answer = writer.post("/items/keep", **{"headline": "x", **fields})
        assert answer.status_code in (200, 422), fields
        assert 'id="kept"' in answer.text
    assert troubles(writer.get("/items/drafts?draft=x")) == ""
    for draft in ("", "x", "999", "-1"):
        assert writer.post("/items/drafts/discard", draft=draft, item="x").status_code == 303
    assert writer.get("/items/new?draft=999").status_code == 404
    assert writer.get("/items/new?draft=x").status_code == 404


@SQLITE
def test_naughty_words_are_kept_as_they_are(house: Runtime, writer: Browser) -> None:
    for text in NAUGHTY:
        if "\0" in text:
            continue
        kept = writer.post("/items/keep", headline=text, sms=text, column=text, valid_to=text, corrects=text)
        assert kept.status_code == 200, text
        assert writer.get(f"/items/new?draft={fields_of(kept.text)['draft']}").status_code == 200
    assert writer.get("/items/drafts").status_code == 200
    with house.reading() as tx:
        assert tx.session.scalar(select(func.count()).select_from(ItemDraft)) > 1


@SQLITE
def test_what_is_pasted(writer: Browser) -> None:
    answer = writer.post("/items/pasted", html="<p><b>甲</b></p><script>x</script>")
    assert (answer.text, answer.headers["content-type"]) == ("**甲**", "text/plain; charset=utf-8")
    for text in NAUGHTY:
        if "\0" not in text:
            assert writer.post("/items/pasted", html=text).status_code == 200, text
    assert writer.post("/items/pasted").text == ""


@SQLITE
@pytest.mark.parametrize(
    ("field", "typed", "told"),
    [
        ("headline", "长" * 101, "101 characters"),
        ("sms", "长" * 501, "501 characters"),
        ("full", "长" * 20_001, "Shorten it, or make two items of it."),
        ("source", "长" * 101, "101 characters"),
        ("valid_from", "２月", "is no day"),
        ("valid_to", "2026-11-21", "end before it begins"),
    ],
)
def test_the_field_that_is_wrong_is_marked_and_no_other(writer: Browser, field: str, typed: str, told: str) -> None:
    words = {"headline": "供暖", "sms": "供暖了。", "whom": "everyone", "valid_from": "2026-11-22"}
    answer = writer.post("/items/new", **{**words, field: typed})
    assert told in troubles(answer)
    assert f'<a href="#{field}">' in answer.text
    assert re.findall(r'<(?:input|textarea) id="(\w+)"[^>]*aria-invalid="true"', answer.text) == [field]
