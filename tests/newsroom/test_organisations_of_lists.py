"""What a list says of organisations: nothing, the villages of people, or names of new ones."""

from __future__ import annotations

import pytest

from broadcaster.runtime import Runtime
from subscribers import importing
from tests.newsroom.test_members import LIST, hand_in, settled, token_of
from tests.newsrooms import Browser, Signed, add_user

pytestmark = pytest.mark.usefixtures("worker")


@pytest.fixture
def admin(house: Runtime, browser: Browser) -> Browser:
    add_user(house, "chief", "admin")
    browser.client.cookies["broadsheet"] = Signed(house, "chief").token
    return browser


def test_a_list_without_organisations_says_which_column_could_be_it(admin: Browser) -> None:
    told = "nobody new would be in one"
    look = hand_in(admin, LIST.replace("支部", "所属大队").encode(), agreed="signed")
    assert told in look.text
    assert "The column 所属大队 could be it" in look.text
    look = hand_in(admin, LIST.replace("支部", "爱好").encode(), agreed="signed")
    assert told in look.text
    assert "could be it" not in look.text
    assert told not in hand_in(admin, LIST.replace("支部", "村").encode(), agreed="signed").text


def test_whoever_is_in_no_organisation_is_in_one_with_a_name_in_each_language(admin: Browser) -> None:
    stored = importing.DEFAULT_ORGANISATION
    admin.get("/?lang=zh")
    page = hand_in(admin, LIST.replace("支部", "爱好").encode(), agreed="signed")
    assert "组织</span> 未分组织" in page.text
    assert "没有一列被当作组织" in page.text
    assert stored not in page.text
    admin.page = page
    settled(admin, admin.post(f"/members/import/{token_of(page.text)}/take", agreed="signed"))
    for path in ("/members", "/members/organisations", f"/members/organisations?under={stored}", "/place"):
        page = admin.get(path)
        assert "未分组织" in page.text, path
        assert f">{stored}<" not in page.text, path
    assert stored in admin.get("/members?lang=en").text


def test_names_in_a_chinese_sentence_stand_between_chinese_commas(admin: Browser) -> None:
    admin.get("/?lang=zh")
    content = "姓名,手机,村\n王秀兰,19900000011,东河村\n孙丽,19900000012,北沟村\n"
    assert "东河村、北沟村" in hand_in(admin, content.encode(), agreed="signed").text
