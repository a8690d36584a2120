"""Users and records on pages: made, changed, taken back; nobody of another part of the tree."""

from __future__ import annotations

import re

import pytest

from broadcaster.newsroom import users as users_page
from broadcaster.runtime import Runtime
from subscribers import tree_changes
from subscribers.actor import OPERATOR
from subscribers.nowhere import DEFAULT_ORGANISATION
from tests.factories import make_organisation
from tests.newsrooms import PASSWORD, Browser, Signed, add_user, at, framed, troubles


@pytest.fixture
def admin(house: Runtime, browser: Browser) -> Browser:
    with house.begin() as tx:
        make_organisation(tx.session, "East/First")
        make_organisation(tx.session, "West")
    add_user(house, "chief", "admin")
    browser.client.cookies["broadsheet"] = Signed(house, "chief").token
    browser.get("/settings/users")
    return browser


def test_a_user_is_made_changed_disabled_and_let_in_again(house: Runtime, admin: Browser) -> None:
    made = admin.post("/settings/users", name="Li", role="editor", under="East")
    assert made.status_code == 200, troubles(made)
    password = re.search(r'class="secret">([^<]+)<', made.text)
    assert password
    with at(house) as other:
        assert other.follow(other.sign_in("li", password[1])).headers["location"] == "/account/password"
    page = admin.follow(admin.post("/settings/users/change", name="li", role="viewer", under="East/First"))
    assert "Changed: li." in page.text
    assert "viewer, East/First" in page.text
    undo = dict(re.findall(r'name="(role|under)" value="([^"]*)"', page.text.partition('role="status"')[2][:900]))
    page = admin.follow(admin.post("/settings/users/change", name="li", **undo))
    assert "editor, East" in page.text
    page = admin.follow(admin.post("/settings/users/disable", name="li"))
    assert "li is let in no more." in page.text
    assert "Let in again" in page.text
    admin.follow(admin.post("/settings/users/change", name="li", role="editor", under="East", enable="1"))
    admin.client.headers["accept-language"] = "zh"
    assert "由运维添加" in admin.get("/settings/users").text, "who types commands is called as on every page"
    admin.client.headers["accept-language"] = "en"
    given = admin.post("/settings/users/password", name="li")
    assert "shown only now" in given.text
    text = admin.get("/settings/records").text
    for deed in ("user: added", "user: changed", "user: let in no more", "user: password changed"):
        assert deed in text
    assert password[1] not in text
    assert "user: added" not in admin.get("/settings/records?deed=users.change").text
    assert "Nothing of that kind" in admin.get("/settings/records?by=nobody").text


def test_another_phone(house: Runtime, admin: Browser) -> None:
    add_user(house, "signer", "approver")
    Signed(house, "signer")
    assert "Another phone" in admin.get("/settings/users").text
    page = admin.follow(admin.post("/settings/users/new-phone", name="signer"))
    assert "signer sets up another phone" in page.text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_refused_is_told_in_the_form(admin: Browser) -> None:
    for fields, told, wrong in (
        ({"name": "", "role": "editor"}, "cannot be a user", ["name"]),
        ({"name": "li", "role": "king"}, "There is no role", []),
        ({"name": "li", "role": "editor", "under": "Nowhere"}, "There is no organisation", ["under"]),
        ({"name": "chief", "role": "editor"}, "already", ["name"]),
        ({"name": "<script>alert(1)</script>", "role": "editor"}, "cannot be a user", ["name"]),
        ({"name": "x" * 5000, "role": "x" * 5000}, "", ["name"]),
    ):
        answer = admin.post("/settings/users", **fields)
        assert (answer.status_code, told in troubles(answer)) == (422, True), fields
        assert framed(answer) == wrong, fields
        assert "<script>alert" not in answer.text
    assert "last administrator" in troubles(admin.post("/settings/users/disable", name="chief"))
    for path in ("change", "disable", "password", "new-phone"):
        assert admin.post(f"/settings/users/{path}", name="nobody", role="viewer").status_code == 422


def test_a_local_administrator_reaches_nobody_outside(house: Runtime, admin: Browser) -> None:
    add_user(house, "wester", "editor", under="West")
    add_user(house, "easter", "admin", under="East")
    admin.post("/settings/users/password", name="wester")
    with at(house) as local:
        local.client.cookies["broadsheet"] = Signed(house, "easter").token
        page = local.get("/settings/users")
        assert "wester" not in page.text
        assert ">chief" not in page.text
        for name in ("wester", "chief"):
            for path in ("change", "disable", "password", "new-phone"):
                answer = local.post(f"/settings/users/{path}", name=name, role="viewer", under="")
                assert (answer.status_code, "There is no user" in troubles(answer)) == (422, True)
        answer = local.post("/settings/users", name="new", role="viewer", under="West")
        assert "There is no organisation" in troubles(answer)
        assert "wester" not in local.get("/settings/records").text
    with at(house) as wester:
        assert wester.sign_in("wester", PASSWORD).status_code == 422, "it was given another password above"


def test_who_lacks_a_right_is_told_who_gives_it(house: Runtime, admin: Browser) -> None:
    add_user(house, "easter", "admin", under="East")
    add_user(house, "wester", "admin", under="West")
    add_user(house, "writer", "writer", under="East/First")
    with at(house) as writer:
        writer.client.cookies["broadsheet"] = Signed(house, "writer").token
        page = writer.get("/members/import")
        assert page.status_code == 403
        assert "You do not have the right “change the registry” here." in page.text
        assert "Ask an administrator: easter, chief." in page.text
        writer.client.headers["accept-language"] = "zh"
        assert "您没有“改会员资料”权限。" in writer.get("/members/import").text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_deeds_are_told_in_words(admin: Browser) -> None:
    admin.post("/settings/users", name="li", role="editor", under="East")
    assert "user: added" in admin.get("/settings/records").text
    assert "用户：添加" in admin.get("/settings/records?lang=zh").text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_many_users_are_on_several_pages(house: Runtime, admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users_page, "PAGE", 3)
    for name in ("ann", "bob", "dan", "eve"):
        add_user(house, name, "viewer")
    seen, path = [], "/settings/users"
    while path:
        text = admin.get(path).text
        seen.append(re.findall(r'<h2 id="user-\d+">(\w+)', text))
        more = re.search(r'href="(\?after=\w+)"', text)
        path = f"/settings/users{more[1]}" if more else ""
    assert seen == [["ann", "bob", "chief"], ["dan", "eve"]]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_records_call_places_as_pages_do(house: Runtime, admin: Browser) -> None:
    with house.begin() as tx:
        make_organisation(tx.session, DEFAULT_ORGANISATION)
        place = f"{DEFAULT_ORGANISATION}/东街"
        tree_changes.add(tx.session, OPERATOR, "东街", under=DEFAULT_ORGANISATION, now=tx.now)
        tree_changes.move(tx.session, OPERATOR, place, under="West", now=tx.now)
        tree_changes.move(tx.session, OPERATOR, "West/东街", under=DEFAULT_ORGANISATION, now=tx.now)
    assert "No organisation/东街" in admin.get("/settings/records").text
    page = admin.get("/settings/records?lang=zh").text
    assert page.count("未分组织") == 3
    assert not re.search(rf"<td[^>]*>[^<]*{DEFAULT_ORGANISATION}", page)
    admin.post("/members/segments", name="东边", rule='under("East")')
    admin.post("/members/segments", name="东边", rule="everyone")
    assert "之前保存的人：chief · 之前保存的时间：刚刚" in admin.get("/settings/records?lang=zh").text
