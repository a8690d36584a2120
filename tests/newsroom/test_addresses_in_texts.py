"""A text that ends with the address of its reading page: counted with it, and not sent before the page is there."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from broadcaster.campaigns import compose
from broadcaster.campaigns.dress import Dress
from broadcaster.campaigns.models import CampaignVariant
from broadcaster.newspaper import publishing
from broadcaster.newspaper.models import Item
from broadcaster.runtime import Runtime
from broadcaster.settings import Web
from subscribers.actor import OPERATOR
from subscribers.errors import Conflict
from tests.newsroom.test_composer import bubbles
from tests.newsroom.test_variant_page import PAGE, body_of, editor  # noqa: F401
from tests.newsrooms import Browser, troubles

LINK = "https://paper.example.org/p/7"


def found_at(house: Runtime, public_url: str = "https://paper.example.org") -> None:
    house.settings = house.settings.model_copy(update={"web": Web(public_url=public_url)})


def end_with_it(browser: Browser, *, on: bool = True) -> str:
    browser.get(PAGE)
    return browser.follow(browser.post(f"{PAGE}/form", in_full="0", with_link="1" if on else "0")).text


def draft(house: Runtime) -> dict[str, dict[str, object]]:
    """The texts of a send that is made of the edition, by variant."""
    with house.begin() as tx:
        made = compose.draft_edition(
            tx.session,
            OPERATOR,
            7,
            paper="晨晖",
            language="zh",
            dress=Dress("", "拒收请回复R"),
            pages=house.settings.web.pages,
            now=tx.now,
        )
        rows = tx.session.scalars(select(CampaignVariant).where(CampaignVariant.campaign_id == made.id))
        return {row.name: {"source": row.source, **row.context} for row in rows}


def test_on_the_phone_it_is_counted(house: Runtime, editor: Browser) -> None:  # noqa: F811
    found_at(house)
    before = bubbles(editor.get(PAGE).text)
    page = end_with_it(editor)
    after = bubbles(page)
    assert f"\n全文 {LINK} 拒收请回复R" in "".join(after)
    assert LINK not in "".join(before)
    assert len("".join(after)) == len("".join(before)) + len(f"\n全文 {LINK} ")
    assert LINK not in body_of(page), "it is added by the system"
    # also behind what is written by hand, and while that is typed
    typed = editor.post(f"{PAGE}/look", body="供暖了").text
    assert f"供暖了\n全文 {LINK} 拒收请回复R" in "".join(bubbles(typed))
    long = editor.post(f"{PAGE}/look", body="供" * 60).text
    assert "end of part 2" in long, "60 characters and the opt-out line are one part without it"
    # the other variant is as it was
    assert LINK not in "".join(bubbles(editor.get("/editions/7/variants/1").text))
    assert LINK not in "".join(bubbles(end_with_it(editor, on=False)))
    assert "end of part 2" not in editor.post(f"{PAGE}/look", body="供" * 60).text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_not_to_be_chosen_where_there_is_no_address(house: Runtime, editor: Browser) -> None:  # noqa: F811
    none = "There is no address of pages yet"
    greyed = 'value="1" disabled>the address of the reading page'
    page = editor.get(PAGE).text
    assert greyed in page
    assert none in page
    found_at(house)
    end_with_it(editor)
    found_at(house, "")
    page = editor.get(PAGE).text
    assert 'value="1" selected>the address of the reading page' in page, "one that has it can let it go"
    assert none in page
    end_with_it(editor, on=False)
    found_at(house)
    page = editor.get(PAGE).text
    assert greyed not in page
    assert none not in page


def test_not_sent_before_the_page_is_there(house: Runtime, editor: Browser) -> None:  # noqa: F811
    found_at(house)
    end_with_it(editor)
    found_at(house, "")
    page = editor.get("/editions/7/check").text
    told = page.partition("it is not set where pages are found")[2].partition("</li>")[0]
    assert '<a href="/editions/7/variants/0">Change the text' in told
    assert "web.public_url" not in page
    with pytest.raises(Conflict, match="not set where pages are found"):
        draft(house)
    found_at(house)
    page = editor.get("/editions/7/check").text
    assert "which is not published" in page
    with pytest.raises(Conflict, match="which is not published"):
        draft(house)
    assert editor.post("/editions/7/draft").status_code == 422
    with house.begin() as tx:
        publishing.publish(tx.session, OPERATOR, 7, now=tx.now)
    page = editor.get("/editions/7/check").text
    assert "It ends with the address" not in page
    texts = draft(house)
    assert texts["retired"]["link"] == LINK
    assert str(texts["retired"]["source"]).endswith("全文 {{ link }}")
    assert "link" not in texts["everyone"]
    assert re.search(r"#next$", editor.post("/editions/7/draft").headers["location"])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_behind_a_path(house: Runtime, editor: Browser) -> None:  # noqa: F811
    found_at(house, "https://example.org/paper/")
    assert "https://example.org/paper/p/7" in "".join(bubbles(end_with_it(editor)))


def test_without_an_address_the_choice_is_refused_in_words(house: Runtime, editor: Browser) -> None:  # noqa: F811
    editor.get(PAGE)
    answer = editor.post(f"{PAGE}/form", in_full="1", with_link="1")
    assert answer.status_code == 422
    assert "There is no address of reading pages yet: no text can end with it." in troubles(answer)
    assert '<a href="#with_link">' in answer.text
    page = editor.get(PAGE).text
    chosen = re.findall(r'<option value="(\d)" selected', page)
    assert chosen == ["0", "0"], "nothing of it was kept"
    # one that ended with it while there was an address can be changed otherwise, and let it go
    found_at(house)
    end_with_it(editor)
    found_at(house, "")
    assert editor.post(f"{PAGE}/form", in_full="1", with_link="1").status_code == 303
    assert re.findall(r'<option value="(\d)" selected', editor.get(PAGE).text) == ["1", "1"]
    assert editor.post(f"{PAGE}/form", in_full="1", with_link="0").status_code == 303
    assert editor.post(f"{PAGE}/form", in_full="1", with_link="1").status_code == 422


def test_what_is_on_the_reading_page_only_is_told_where_it_is_written(house: Runtime, editor: Browser) -> None:  # noqa: F811
    led = "is on the reading page only, and no text leads there"
    assert "It stands on the reading page only" in editor.get("/items/new").text
    for full, is_told in (("", False), ("今天开始供暖，请关好门窗。", True)):
        with house.begin() as tx:
            tx.session.scalars(select(Item).where(Item.headline == "供暖")).one().full = full
        assert (led in editor.get("/editions/7").text) is is_told
    for path in ("/editions/7", "/editions/7/check"):
        page = editor.get(path).text
        assert f"{led}: 供暖." in page, path
        assert "There is no address of pages yet: ask the operator to set it." in page
    found_at(house)
    assert "Choose at the text of a variant that it ends with the address" in editor.get("/editions/7").text
    end_with_it(editor)
    for path in ("/editions/7", "/editions/7/check"):
        assert led not in editor.get(path).text, path
    end_with_it(editor, on=False)
    assert led in editor.get("/editions/7").text
    # what stands in a text in full is read there
    editor.get(PAGE)
    editor.post(f"{PAGE}/form", in_full="1", with_link="0")
    assert led not in editor.get("/editions/7").text


def test_a_missing_address_is_told_before_anything_is_written_for_it(house: Runtime, editor: Browser) -> None:  # noqa: F811
    missing = "There is no address of pages yet: ask the operator to set it."
    form = "/items/new"
    for path, at in (
        (form, "full-hint"),
        (form, "picture-hint"),
        ("/items/1", "full-hint"),
        ("/editions/7/check", "reading"),
    ):
        page = editor.get(path).text
        assert missing in page.partition(f'id="{at}">')[2].partition("<form")[0], (path, at)
        assert "阅读页还没有网址，请运维设好。" in editor.get(f"{path}?lang=zh").text
        editor.get("/account?lang=en")
    page = editor.get(form).text
    for hint in ("full-hint", "picture-hint"):
        told = page.partition(f'id="{hint}">')[2].partition("</p>")[0]
        assert f"to which no text can lead yet. {missing}" in told, "beside the field, before a picture is chosen"
    found_at(house)
    for path in (form, "/items/1", "/editions/7/check"):
        page = editor.get(path).text
        assert missing not in page, path
        assert "can lead" not in page, path
