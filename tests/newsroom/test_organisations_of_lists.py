"""What a list says of organisations: nothing, the villages of people, or names of new ones."""

from __future__ import annotations

import re
from html import unescape

import pytest

from broadcaster.runtime import Runtime
from subscribers import nowhere
from tests.factories import make_member, make_members, make_organisation
from tests.newsroom.test_members import LIST, hand_in, settled, token_of
from tests.newsrooms import Browser, Signed, add_user, troubles

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


def test_it_is_said_also_where_every_row_is_refused(admin: Browser) -> None:
    content = "姓名,手机,状态,学校\n王秀兰,19900000011,教师,一小\n孙丽,19900000012,家长,一小\n"
    look = hand_in(admin, content.encode(), agreed="signed")
    assert "There is no status 教师" in look.text
    assert "The column 学校 could be it" in look.text
    # whoever is known already stays where they are
    known = content.replace("状态", "身份").replace("学校", "爱好")
    look = hand_in(admin, known.encode(), agreed="signed")
    admin.page = look
    settled(admin, admin.post(f"/members/import/{token_of(look.text)}/take", agreed="signed"))
    assert "nobody new would be in one" not in hand_in(admin, known.encode(), agreed="signed").text


def test_a_list_without_standings_says_what_everybody_would_be(admin: Browser) -> None:
    told = "No column was read as the status: everybody new would be in service."
    choose = "choose “status” for it below"
    assert told not in hand_in(admin, LIST.encode(), agreed="signed").text
    page = hand_in(admin, LIST.replace("状态", "工作").encode(), agreed="signed").text
    assert told in page
    assert choose in page
    admin.get("/?lang=zh")
    page = hand_in(admin, LIST.replace("状态", "工作").encode(), agreed="signed").text
    assert "没有一列被当作状态：新加的人都会记为“在职”。" in page


def test_whoever_is_in_no_organisation_is_in_one_with_a_name_in_each_language(admin: Browser) -> None:
    stored = nowhere.DEFAULT_ORGANISATION
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
    english = admin.get("/members?lang=en").text
    assert "No organisation" in english
    assert f"{stored}<" not in english.partition("<tbody>")[2]
    assert "王秀兰" in admin.get('/members?rule=under("No organisation")').text


def test_that_name_is_the_only_one_that_is_read_or_typed(house: Runtime, admin: Browser) -> None:
    stored = nowhere.DEFAULT_ORGANISATION
    with house.begin() as tx:
        there, other = make_organisation(tx.session, stored), make_organisation(tx.session, "东街")
        make_members(tx.session, 1001, organisation=other)
        somebody = make_member(tx.session, organisation=there, name="李敏").id
    admin.get("/?lang=zh")
    pages = [admin.get("/settings/users"), admin.get(f"/members/new?under={stored}"), admin.get("/members/segments")]
    assert 'value="未分组织"' in pages[1].text
    assert 'value="未分组织"' in pages[2].text, "it is offered while somebody types"
    # there is such a place already, whatever language its name is typed in
    assert "未分组织" in troubles(admin.post("/members/organisations", name="未分组织"))
    pages.append(admin.follow(admin.post(f"/members/{somebody}/transfer", to="东街")))
    pages.append(admin.get("/members/transfers"))
    assert "未分组织 → 东街" in pages[-1].text
    pages.append(admin.follow(admin.post(f"/members/{somebody}/transfer", to="未分组织")))
    assert "未分组织" in pages[-1].text
    pages.append(admin.post("/members/organisations/move", under="东街", to="未分组织"))
    assert "<dd>未分组织</dd>" in pages[-1].text
    assert "未分组织" in admin.get("/place?q=no+org").text
    pages.append(admin.get("/place?q=wfz"))
    assert "未分组织" in pages[-1].text
    pages.append(admin.follow(admin.post("/members/segments/build", field="under", sign="=", value="未分组织")))
    assert "1 人" in pages[-1].text
    pages.append(admin.get("/members/organisations?under=未分组织"))
    link = re.search(r'href="(/members\?rule=[^"]+)"', pages[-1].text)
    assert link
    pages.append(admin.get(unescape(link[1])))
    assert "李敏" in pages[-1].text
    for page in pages:
        shown = re.sub('<input type="hidden"[^>]*>', "", page.text)
        assert not re.search(rf'>[^<]*{stored}|value="[^"]*{stored}', shown), page.url


def test_below_the_top_the_word_is_a_name_like_any_other(house: Runtime, admin: Browser) -> None:
    with house.begin() as tx:
        make_organisation(tx.session, "东街")
    admin.get("/?lang=zh")
    page = admin.follow(admin.post("/members/organisations", under="东街", name="未分组织"))
    assert "东街" in page.text
    assert nowhere.DEFAULT_ORGANISATION not in page.text


def test_names_in_a_chinese_sentence_stand_between_chinese_commas(admin: Browser) -> None:
    admin.get("/?lang=zh")
    content = "姓名,手机,村\n王秀兰,19900000011,东河村\n孙丽,19900000012,北沟村\n"
    assert "东河村、北沟村" in hand_in(admin, content.encode(), agreed="signed").text


def test_undoing_says_what_goes_and_takes_the_empty_place_along(house: Runtime, admin: Browser) -> None:
    with house.begin() as tx:
        make_member(tx.session, organisation="东街", name="李敏", msisdn="+8619900000019")
    admin.get("/?lang=zh")
    content = "姓名,手机,村\n王秀兰,19900000011,\n孙丽,19900000012,北沟村\n李敏,19900000019,东街\n"
    look = hand_in(admin, content.encode(), name="名册.csv", agreed="签字")
    admin.page = look
    taken = settled(admin, admin.post(f"/members/import/{token_of(look.text)}/take", agreed="签字"))
    assert "未分组织" in admin.get("/members/organisations").text
    admin.page = taken
    found = re.search(r'name="import" value="(\d+)"', taken.text)
    assert found
    asked = admin.post("/members/imports", **{"import": found[1]})
    for told in (
        "撤销 名册.csv（刚刚）的导入？",
        "随它新加的 2 人会移除，连同号码。",
        "随它新建的 2 个组织，没有人的一并移除。",
        "之后又改过、转移过，或在后来的名单中改过的人，保持现在的样子。",
        "只凭这份名单的同意接收，不再算数。",
    ):
        assert told in asked.text
    assert "恢复原样" not in asked.text, "nobody was changed"
    assert "王秀兰" in admin.get("/members").text, "nothing is done before it is meant"
    fields = dict(re.findall(r'name="(import|sure)" value="([^"]*)"', asked.text))
    admin.page = asked
    page = admin.follow(settled(admin, admin.post("/members/imports", **fields)))
    assert "移除 2，恢复原样 0，之后又改过、保持不动 0。移除的组织：2。" in page.text
    tree = admin.get("/members/organisations").text
    assert "东街" in tree
    assert "未分组织" not in tree
    assert "北沟村" not in tree
    assert "移除的组织：2" in admin.get("/settings/records").text
