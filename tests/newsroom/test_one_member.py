"""One member on a page: corrected, moved, given numbers and a wish, and every one of these taken back or refused."""

from __future__ import annotations

import re
from html import unescape

import pytest
from sqlalchemy import func, select

from broadcaster.runtime import Runtime
from subscribers import consent, organisations
from subscribers.actor import OPERATOR
from subscribers.models import Audit, Member, Transfer
from tests.databases import Clock
from tests.factories import MadeMember, make_member, make_organisation
from tests.newsrooms import Browser, Signed, add_user, framed, troubles

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
#: every form about one member, with fields that are right
FORMS = {
    "data": {"name": "李桂英", "birthday": "1950-01-31", "tags": "合唱", "external_id": "E7"},
    "standing": {"status": "retired", "away": "1", "away_place": "深圳", "host_branch": "深圳支部", "on": "2026-11-25"},
    "leave": {"on": "2026-11-25"},
    "transfer": {"to": "East/Other", "reason": "moved house"},
    "numbers": {"act": "add", "number": "19900000009"},
    "consent": {"number": "5678", "wish": "out", "wording": "by telephone"},
    "take-back": {},
}


@pytest.fixture
def east(house: Runtime) -> MadeMember:
    with house.begin() as tx:
        make_organisation(tx.session, "East/Other")
        branch = make_organisation(tx.session, "East/First")
        return make_member(tx.session, organisation=branch, name="李桂英", msisdn="+8619912345678")


@pytest.fixture
def west(house: Runtime) -> MadeMember:
    with house.begin() as tx:
        branch = make_organisation(tx.session, "West/Second")
        return make_member(tx.session, organisation=branch, name="赵平", msisdn="+8619987654321")


def signed(house: Runtime, browser: Browser, name: str, role: str, under: str = "") -> Browser:
    add_user(house, name, role, under=under)
    browser.client.cookies["broadsheet"] = Signed(house, name).token
    browser.get("/members")
    return browser


@pytest.fixture
def admin(house: Runtime, browser: Browser, east: MadeMember, west: MadeMember) -> Browser:
    return signed(house, browser, "chief", "admin")


@pytest.fixture
def local(house: Runtime, browser: Browser, east: MadeMember, west: MadeMember) -> Browser:
    return signed(house, browser, "local", "admin", "East")


def undone(browser: Browser, text: str) -> str:
    """Press the button of the line that says what was done."""
    line = text.partition('role="status"')[2].partition("</div>")[0]
    action = re.search(r'action="([^"]+)"', line)
    assert action, line
    fields = {name: unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', line)}
    del fields["form_token"]
    return browser.follow(browser.post(action[1], **fields)).text


def test_their_data_are_corrected_and_taken_back(admin: Browser, east: MadeMember) -> None:
    path = f"/members/{east.id}"
    text = admin.follow(admin.post(f"{path}/data", **FORMS["data"] | {"name": "李桂芳", "tags": "合唱，书画、棋"})).text
    assert "Changed: 李桂芳." in text
    assert "合唱, 书画, 棋" in text
    assert "1950-01-31" in text
    text = undone(admin, text)
    assert "<h1>李桂英</h1>" in text
    assert "<dd>1950-01-31" not in text
    for fields, told in (
        ({"name": " "}, "name is missing"),
        ({"birthday": "31.1.1950"}, "is no day"),
        ({"birthday": "2050-01-31"}, "nobody"),
        ({"tags": "x" * 60}, "too long"),
    ):
        answer = admin.post(f"{path}/data", **FORMS["data"] | fields)
        assert (answer.status_code, told in troubles(answer)) == (422, True), troubles(answer)


def test_standing_and_leaving_and_back(admin: Browser, east: MadeMember) -> None:
    path = f"/members/{east.id}"
    text = admin.follow(admin.post(f"{path}/standing", **FORMS["standing"])).text
    assert "Their status is changed." in text
    assert "深圳支部" in text
    assert "(planned)" in text
    text = undone(admin, text)
    assert "深圳" not in text
    text = admin.follow(admin.post(f"{path}/leave", on="2026-11-21")).text
    assert "no member now" in text
    assert "A member again" in text
    text = admin.follow(admin.post(f"{path}/leave", on="2026-11-21", rejoin="1")).text
    assert "They are a member again." in text
    assert "Nothing about member" in troubles(admin.post(f"{path}/take-back"))
    assert "There is no status" in troubles(admin.post(f"{path}/standing", status="king"))


def test_within_ones_own_part_they_move_at_once(house: Runtime, local: Browser, east: MadeMember) -> None:
    path = f"/members/{east.id}"
    text = local.follow(local.post(f"{path}/transfer", to="East/Other")).text
    assert "They belong to East/Other now." in text
    text = undone(local, text)
    assert "They belong to East/First now." in text
    assert "belongs to East/First already" in troubles(local.post(f"{path}/transfer", to="East/First"))
    assert "There is no organisation" in troubles(local.post(f"{path}/transfer", to="Nowhere"))


def test_elsewhere_the_other_side_is_asked(house: Runtime, local: Browser, east: MadeMember, clock: Clock) -> None:
    text = local.follow(local.post(f"/members/{east.id}/transfer", to="West/Second", reason="moved <b>house</b>")).text
    assert "It is asked for." in text
    text = undone(local, text)
    assert "The transfer of 李桂英 is taken back." in text
    local.post(f"/members/{east.id}/transfer", to="West/Second", reason="moved <b>house</b>")
    with house.reading() as tx:
        number = str(tx.session.scalar(select(func.max(Transfer.id))))
    assert (
        "not theirs" in (told := troubles(local.post("/members/transfers", transfer=number, answer="accept"))) or told
    )
    other = signed(house, local, "wester", "operator", "West")
    text = other.get("/members/transfers").text
    assert "moved &lt;b&gt;house" in text
    assert f"/members/{east.id}" not in text, "of theirs the name, and nothing else"
    for wrong in ("x", "", "9" * 30, "999999"):
        answer = other.post("/members/transfers", transfer=wrong, answer="accept")
        assert answer.status_code == 422, wrong
    assert "is no answer" in troubles(other.post("/members/transfers", transfer=number, answer="maybe"))
    text = other.follow(other.post("/members/transfers", transfer=number, answer="accept")).text
    assert "李桂英 belongs to West/Second now." in text
    assert "No transfer waits." in text
    assert other.get(f"/members/{east.id}").status_code == 200
    assert other.post("/members/transfers", transfer=number, answer="refuse").status_code == 422


def test_numbers(admin: Browser, east: MadeMember, west: MadeMember) -> None:
    path = f"/members/{east.id}"
    text = admin.follow(admin.post(f"{path}/numbers", act="add", number="199 0000 0009")).text
    assert "199****0009" in text
    text = admin.follow(admin.post(f"{path}/numbers", act="prefer", number="0009")).text
    assert "This number is used from now on." in text
    text = admin.follow(admin.post(f"{path}/numbers", act="remove", number="5678")).text
    assert "199****5678" not in text
    for act, number, told in (
        ("add", "1990000", "digit"),
        ("add", "19987654321", "under another name"),
        ("remove", "5678", "has no number"),
        ("remove", "9", "has no number"),
        ("verified", "0009", "nothing to verify"),
        ("eat", "0009", "nothing to do"),
    ):
        answer = admin.post(f"{path}/numbers", act=act, number=number)
        assert (answer.status_code, told in troubles(answer)) == (422, True), (act, number, troubles(answer))
    assert (
        "The number is added."
        in admin.follow(admin.post(f"{path}/numbers", act="add", number="19987654321", shared="1")).text
    )


def test_what_they_want_as_somebody_told_us(house: Runtime, admin: Browser, east: MadeMember) -> None:
    path = f"/members/{east.id}"
    text = admin.follow(admin.post(f"{path}/consent", number="5678", wish="out", wording="by <i>telephone</i>")).text
    assert "They told us that they do not want the paper" in text
    assert "told to us · by &lt;i&gt;telephone&lt;/i&gt;" in text, "how it is known stands in the history"
    assert "There is no evidence." in troubles(admin.post(f"{path}/consent", number="5678", wish="in", wording=" "))
    text = admin.follow(admin.post(f"{path}/consent", number="5678", wish="in", wording="signed form")).text
    assert "do not want" not in text
    with house.begin() as tx:
        consent.opt_out(tx.session, OPERATOR, "+8619912345678", source="sms", wording="R", now=tx.now)
        assert {"consent.out", "consent.in"} <= set(tx.session.scalars(select(Audit.deed)))
    answer = admin.post(f"{path}/consent", number="5678", wish="in", wording="signed form")
    assert "opted out by their own word" in troubles(answer)


@SQLITE
@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("sms", "They opted out by an SMS of their own"),
        ("carrier", "Their carrier says that they opted out"),
        ("operator", "They told us that they do not want the paper"),
        ("import", "A list says that they do not want the paper"),
        ("form", "They do not want the paper (form)"),
    ],
)
def test_how_it_is_known_that_they_want_nothing(
    house: Runtime, admin: Browser, east: MadeMember, source: str, said: str
) -> None:
    with house.begin() as tx:
        consent.opt_out(tx.session, OPERATOR, "+8619912345678", source=source, wording="R", now=tx.now)
    path = f"/members/{east.id}"
    assert said in admin.get(path).text
    # another number of theirs is used from now on, and its holder has said nothing
    admin.post(f"{path}/numbers", act="add", number="19912340000")
    admin.post(f"{path}/numbers", act="prefer", number="0000")
    assert said not in admin.get(path).text


def test_one_more_member(house: Runtime, local: Browser) -> None:
    assert 'value="East"' in local.get("/members/new").text
    right = {
        "name": "王秀兰",
        "number": "19900000011",
        "organisation": "East/First",
        "status": "retired",
        "agreed": "form",
    }
    text = local.follow(local.post("/members/new", **right)).text
    assert "王秀兰 is on the list." in text
    assert "199****0011" in text
    assert "told to us · form" in text
    for fields, told, wrong in (
        ({"name": ""}, "name is missing", "name"),
        ({}, "under another name", ""),
        ({"number": "1"}, "too short", "number"),
        ({"organisation": "West/Second"}, "There is no organisation", "organisation"),
        ({"organisation": ""}, "empty name", "organisation"),
        ({"status": ""}, "There is no status", ""),
        ({"birthday": "x"}, "is no day", "birthday"),
        ({"joined_on": "2026-13-01"}, "is no day", "joined_on"),
    ):
        answer = local.post("/members/new", **right | fields)
        assert (answer.status_code, told in troubles(answer)) == (422, True), (fields, troubles(answer))
        assert f'value="{(right | fields)["name"]}"' in answer.text, "what was typed stays"
        assert not wrong or framed(answer) == [wrong], fields


def test_nobody_of_another_part_is_there(house: Runtime, local: Browser, west: MadeMember) -> None:
    for form, fields in FORMS.items():
        assert local.post(f"/members/{west.id}/{form}", **fields).status_code == 404, form
    with house.reading() as tx:
        member = tx.session.get_one(Member, west.id)
        assert (member.name, member.external_id, tx.session.scalar(select(func.count(Transfer.id)))) == (
            "赵平",
            None,
            0,
        )


def test_who_only_looks_finds_no_forms(house: Runtime, browser: Browser, east: MadeMember) -> None:
    viewer = signed(house, browser, "looker", "viewer")
    text = viewer.get(f"/members/{east.id}").text
    assert f'action="/members/{east.id}/' not in text
    assert 'href="/members/new"' not in viewer.get("/members").text
    assert "<details" not in viewer.get("/members/organisations?under=East").text


def test_the_tree_is_changed(house: Runtime, admin: Browser, east: MadeMember) -> None:
    text = admin.follow(admin.post("/members/organisations", under="East", name="Third", kind="branch")).text
    assert "Added: Third." in text
    path = "/members/organisations/rename"
    text = admin.follow(admin.post(path, under="East/Third", name="Fourth")).text
    assert "Third is called Fourth now." in text
    text = undone(admin, text)
    assert "Fourth is called Third now." in text
    text = admin.follow(admin.post("/members/organisations/move", under="East/First", to="West")).text
    assert "First is under West now." in text
    assert "李桂英" in admin.get('/members?rule=under("West")').text
    text = undone(admin, admin.follow(admin.post("/members/organisations/move", under="West/First", to="")).text)
    assert "First is under West now." in text
    close = "/members/organisations/close"
    assert "is not empty" in troubles(admin.post(close, under="West/First", on="", into=""))
    text = admin.follow(admin.post(close, under="West/First", on="2026-11-21", into="East/Third")).text
    assert "1 members and 0 organisations went elsewhere" in text
    text = admin.follow(admin.post(close, under="East/Other", on="2026-11-21")).text
    text = undone(admin, text)
    assert "Other is open again." in text


def test_a_large_move_asks_for_the_number(house: Runtime, admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    real = organisations.count_members
    monkeypatch.setattr(
        organisations, "count_members", lambda *given, **more: dict.fromkeys(real(*given, **more), 3105)
    )
    move = "/members/organisations/move"
    page = admin.post(move, under="East/First", to="West")
    assert (page.status_code, "Move 3,105 people" in page.text) == (200, True)
    wrong = admin.post(move, under="East/First", to="West", people="3,150")
    assert "3,105 people are affected, and 3,150 was typed" in troubles(wrong)
    text = admin.follow(admin.post(move, under="East/First", to="West", people="３，１０５")).text
    assert "First is under West now." in text


def test_nothing_of_another_part_of_the_tree_is_changed(local: Browser) -> None:
    for path, fields in {
        "": {"under": "West", "name": "x"},
        "/rename": {"under": "West", "name": "x"},
        "/move": {"under": "West", "to": "East"},
        "/close": {"under": "West/Second", "into": "East"},
    }.items():
        assert local.post(f"/members/organisations{path}", **fields).status_code == 404, path
    for path, fields in {"/rename": {"name": "x"}, "/move": {"to": "East/First"}}.items():
        answer = local.post(f"/members/organisations{path}", under="East", **fields)
        assert answer.status_code == 422, path
    answer = local.post("/members/organisations/move", under="East/First", to="West")
    assert "There is no organisation" in troubles(answer)
