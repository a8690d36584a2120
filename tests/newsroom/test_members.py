"""Members on pages: found, listed, looked at, taken in from a file and taken back; nothing of anybody else's."""

from __future__ import annotations

import re
import threading
import time
from time import monotonic

import pytest
from sqlalchemy import select

from broadcaster.runtime import Runtime
from broadcaster.tasks import lists, rounds
from subscribers import audit, importing, organisations
from subscribers.actor import OPERATOR
from subscribers.models import ListPiece
from tests.databases import Clock
from tests.factories import MadeMember, generated_msisdn, make_member, make_organisation
from tests.newsroom.naughty import NAUGHTY
from tests.newsrooms import Browser, Signed, add_user, troubles

pytestmark = pytest.mark.usefixtures("worker")
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def east(house: Runtime) -> MadeMember:
    with house.begin() as tx:
        branch = make_organisation(tx.session, "East/First")
        return make_member(tx.session, organisation=branch, name="李桂英", msisdn="+8619912345678")


@pytest.fixture
def west(house: Runtime) -> MadeMember:
    with house.begin() as tx:
        branch = make_organisation(tx.session, "West/Second")
        return make_member(tx.session, organisation=branch, name="赵平", msisdn="+8619987654321")


@pytest.fixture
def admin(house: Runtime, browser: Browser, east: MadeMember, west: MadeMember) -> Browser:
    add_user(house, "chief", "admin")
    browser.client.cookies["broadsheet"] = Signed(house, "chief").token
    return browser


@pytest.mark.parametrize("written", ["19987654321", "４３２１", "+86 199-8765-4321", "۴۳۲۱"])
def test_a_number_stands_in_no_address(admin: Browser, written: str) -> None:
    admin.get("/members")
    found = admin.post("/members", q=written)
    assert found.status_code == 200, "it is not sent on to an address"
    if written[0] != "۴":
        assert "赵平" in found.text
        assert "李桂英" not in found.text
    answer = admin.client.get("/members", params={"q": written})
    assert answer.status_code == 422
    assert "赵平" not in answer.text


@pytest.fixture
def local(house: Runtime, browser: Browser, east: MadeMember, west: MadeMember) -> Browser:
    """An administrator of the east."""
    add_user(house, "local", "admin", under="East")
    browser.client.cookies["broadsheet"] = Signed(house, "local").token
    return browser


def test_found_and_listed(admin: Browser, east: MadeMember) -> None:
    page = admin.get("/members").text
    assert "李桂英" in page
    assert "赵平" in page
    assert "199****5678" in page
    assert "12345678" not in page
    for query, there, away in (
        ("q=guiy", "李桂英", "赵平"),
        ('rule=under("East")', "李桂英", "赵平"),
        ("after=" + str(east.id), "赵平", "李桂英"),
    ):
        page = admin.get(f"/members?{query}").text
        assert (there in page, away in page) == (True, False), query
    assert "Nobody was found." in admin.get("/members?q=nobody").text
    assert "Nobody was found." not in admin.get("/members?rule=age%20%3E").text
    page = admin.follow(admin.post("/members", q="guiy", rule="")).text
    assert "李桂英" in page
    assert "赵平" not in page
    assert admin.post("/members", q=" ").headers["location"] == "/members"
    assert re.search(r"2 members.*can be sent to", admin.get("/members?count=1").text)


@SQLITE
def test_more_than_a_page(house: Runtime, admin: Browser) -> None:
    with house.begin() as tx:
        for n in range(60):
            make_member(tx.session, name=f"第{n:02}人")
    seen = set(re.findall("第[0-9]{2}人", admin.get("/members").text))
    onward = re.search(r'href="\?(rule=&amp;after=\d+)"', admin.page.text if admin.page else "")
    assert onward
    rest = set(re.findall("第[0-9]{2}人", admin.get("/members?" + onward[1].replace("&amp;", "&")).text))
    assert (len(seen), len(rest), len(seen | rest)) == (48, 12, 60)


def test_one_member(house: Runtime, admin: Browser, east: MadeMember) -> None:
    page = admin.get(f"/members/{east.id}")
    assert "199****5678" in page.text
    assert "19912345678" not in page.text
    full = admin.post(f"/members/{east.id}")
    assert "+8619912345678" in full.text
    with house.reading() as tx:
        assert audit.read(tx.session, OPERATOR, deed="members.show")[0].thing == f"member {east.id}"


def test_nothing_of_anybody_elses(local: Browser, east: MadeMember, west: MadeMember) -> None:
    page = local.get("/members").text
    assert ("李桂英" in page, "赵平" in page) == (True, False)
    assert local.get(f"/members/{west.id}").status_code == local.get("/members/999999").status_code == 404
    local.get(f"/members/{east.id}")
    assert local.post(f"/members/{west.id}").status_code == 404
    for query in ("q=赵平", "q=4321", f"q=%23{west.id}", "rule=everyone", "after=0&count=1"):
        text = local.get(f"/members?{query}").text
        assert "赵平</a>" not in text
        assert "87654321" not in text
    assert "West" not in local.get("/members/organisations").text
    assert local.get("/members/organisations?under=West").status_code == 404


@SQLITE
def test_what_is_no_member(admin: Browser) -> None:
    for typed in ("0", "-1", "x", "9" * 30, "1.5", "%00", "1e3", "１"):
        answer = admin.get(f"/members/{typed}")
        assert answer.status_code == 404, typed
        assert "There is nothing at this address." in answer.text or "no member" in answer.text


def test_the_tree_one_level_at_a_time(admin: Browser) -> None:
    top = admin.get("/members/organisations").text
    assert "?under=East" in top
    assert "First" not in top
    below = admin.get("/members/organisations?under=East").text
    assert "?under=East/First" in below
    assert "There is no organisation below this one." in admin.get("/members/organisations?under=East/First").text


LIST = """姓名,手机,支部,状态,备注
王秀兰,19900000011,East/First,离退休,甲
孙丽,19900000012,East/First,在职,乙
坏行,12,East/First,在职,丙
"""


def hand_in(browser: Browser, content: bytes, name: str = "list.csv", **fields: str):
    browser.get("/members/import")
    assert browser.page is not None
    token = re.search(r'name="form_token" value="([0-9a-f]{64})"', browser.page.text)
    assert token
    answer = browser.client.post(
        "/members/import", data={"form_token": token[1], **fields}, files={"file": (name, content, "text/csv")}
    )
    browser.page = answer
    return settled(browser, answer) if answer.status_code == 303 else answer


def settled(browser: Browser, answer):
    """What comes of a file once it is looked at, or taken in."""
    deadline = monotonic() + 60
    page = browser.follow(answer)
    while 'id="live"' in page.text and monotonic() < deadline:
        time.sleep(0.02)
        part = browser.client.get(answer.headers["location"] + "?live=1")
        assert ('id="live"' in part.text) or part.headers["hx-redirect"] == answer.headers["location"]
        page = browser.follow(answer)
    assert 'id="live"' not in page.text
    return page


def token_of(text: str) -> str:
    found = re.search(r'action="/members/import/([0-9a-f]{32})/', text)
    assert found, text
    return found[1]


def test_a_list_is_looked_at_taken_in_and_taken_back(house: Runtime, admin: Browser) -> None:
    look = hand_in(admin, LIST.encode(), agreed="signed")
    assert look.status_code == 200, troubles(look)
    assert "Take 2 people in" in look.text
    assert "Refused rows" in look.text
    assert "<td>坏行 · 12 · East/First · 在职</td>" in look.text, "whose row it is"
    assert "王秀兰" not in admin.get("/members").text, "nothing is written yet"

    admin.page = look
    token = token_of(look.text)
    assert look.text.count("199****00") == 2, "so the first of them would stand there"
    page = settled(admin, admin.post(f"/members/import/{token}/take", agreed="signed"))
    assert "Taken in: 2 new, 0 changed, 0 as they were, 1 refused." in page.text
    assert "would be made" not in page.text
    assert "王秀兰" in admin.get("/members").text
    with house.reading() as tx:
        assert tx.session.scalar(select(ListPiece.job_id)) is None, "the file is gone"
    assert admin.post(f"/members/import/{token}/take", agreed="signed").status_code == 404, "it is taken in once"
    undo = re.search(r'name="import" value="(\d+)"', page.text)
    assert undo
    past = admin.get("/members/imports").text
    assert "2 new, 0 changed, 0 as they were, 1 refused" in past
    own = re.search(rf'<a href="(/members/imports/{undo[1]})">', past)
    assert own, "its name leads to what came of it"
    came = admin.get(own[1]).text
    assert "2 new, 0 changed, 0 as they were, 1 refused" in came
    assert re.search(r"<li><strong>Row 4</strong> .*too short", came)
    refused = admin.get(f"/members/imports/{undo[1]}/refused")
    assert "attachment" in refused.headers["content-disposition"]
    assert "too short" in refused.text
    assert refused.text.lstrip("\ufeff").startswith("Refused row,Refused reason,姓名")
    assert "refused rows downloaded" in admin.get("/settings/records").text
    admin.get("/members/imports")
    asked = admin.post("/members/imports", **{"import": undo[1]})
    assert "Undo the import of list.csv, just now?" in asked.text
    assert "2 people who came with it are removed, with their numbers." in asked.text
    assert "王秀兰" in admin.get("/members").text, "nothing is done before somebody means it"
    admin.page = asked
    page = admin.follow(settled(admin, admin.post("/members/imports", **{"import": undo[1], "sure": "yes"})))
    assert "Taken back: 2 gone again" in page.text
    assert "taken back" in page.text
    assert "王秀兰" not in admin.get("/members").text
    admin.get("/members/imports")
    assert "undone already" in troubles(admin.post("/members/imports", **{"import": undo[1]}))


@SQLITE
def test_a_page_does_not_wait_for_a_list(admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "TOLD_EVERY", 0.0)
    go_on, real = threading.Event(), importing.import_members

    def slowly(*given, progress, **more):
        progress(1234)
        assert go_on.wait(60)
        progress(2345)
        return real(*given, progress=progress, **more)

    monkeypatch.setattr(importing, "import_members", slowly)
    admin.get("/members/import")
    form = re.search(r'form_token" value="([0-9a-f]{64})"', admin.page.text if admin.page else "")
    assert form
    sent = admin.client.post(
        "/members/import", data={"form_token": form[1]}, files={"file": ("list.csv", LIST.encode())}
    )
    deadline = monotonic() + 60
    while "1,234 rows so far" not in (text := admin.follow(sent).text) and monotonic() < deadline:
        time.sleep(0.02)
    assert "1,234 rows so far" in text
    token = sent.headers["location"].rpartition("/")[2]
    again = admin.post(f"/members/import/{token}/look")
    assert again.headers["location"] == sent.headers["location"], "what is being done is not begun again"
    assert admin.post(f"/members/import/{token}/stop").headers["location"] == sent.headers["location"]
    go_on.set()
    assert "It was stopped, and nothing of it was written." in troubles(settled(admin, sent))
    assert "Take 2 people in" in settled(admin, admin.post(f"/members/import/{token}/look")).text

    def broken(*given, **more):
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(importing, "import_members", broken)
    assert "Something went wrong here." in troubles(settled(admin, admin.post(f"/members/import/{token}/look")))


@SQLITE
def test_a_list_that_nobody_begins_says_so(house: Runtime, admin: Browser, clock: Clock) -> None:
    house.publish = None
    admin.get("/members/import")
    form = re.search(r'form_token" value="([0-9a-f]{64})"', admin.page.text if admin.page else "")
    assert form
    sent = admin.client.post(
        "/members/import", data={"form_token": form[1]}, files={"file": ("list.csv", LIST.encode())}
    )
    assert "If this stays so, tell the operator." not in admin.follow(sent).text
    clock.advance(seconds=31)
    assert "If this stays so, tell the operator." in admin.follow(sent).text
    assert not lists.work_on_lists(house)
    assert "Take 2 people in" in admin.follow(sent).text


@SQLITE
def test_refused_rows_are_kept_for_a_month(house: Runtime, admin: Browser, clock: Clock) -> None:
    look = hand_in(admin, LIST.encode())
    taken = settled(admin, admin.post(f"/members/import/{token_of(look.text)}/take"))
    number = re.search(r'name="import" value="(\d+)"', taken.text)
    assert number
    for days, status in ((29, 200), (2, 404)):
        clock.advance(days=days)
        rounds.keep(house)
        admin.client.cookies["broadsheet"] = Signed(house, "chief").token
        assert admin.get(f"/members/imports/{number[1]}/refused").status_code == status
        assert ("Row " in admin.get(f"/members/imports/{number[1]}").text) == (status == 200)
    assert admin.get(f"/members/imports/{number[1]}/refused").status_code == 404
    assert admin.get(f"/members/imports/{int(number[1]) + 1}").status_code == 404, "of another number nothing is shown"


def test_columns_are_chosen_by_hand(admin: Browser) -> None:
    content = "who,cell\n王秀兰,19900000011\n".encode()
    refused = troubles(hand_in(admin, content))
    assert "no row of headings" in refused
    assert "Write name,msisdn" in refused
    assert "--map" not in refused, "nobody types commands on a page"
    content = "姓名,手机,谁\n王秀兰,19900000011,东\n".encode()
    look = hand_in(admin, content)
    token = token_of(look.text)
    assert admin.page is not None
    form = re.search(r'form_token" value="([0-9a-f]{64})"', look.text)
    assert form
    answer = admin.client.post(
        f"/members/import/{token}/look",
        data={
            "form_token": form[1],
            "heading": ["姓名", "手机", "谁"],
            "field": ["name", "msisdn", "organisation"],
        },
    )
    answer = settled(admin, answer)
    assert answer.status_code == 200, troubles(answer)
    assert "1 organisation would be made, which is not there yet: 东." in answer.text


@SQLITE
def test_files_that_are_no_lists(house: Runtime, admin: Browser) -> None:
    for name, content in (
        ("list.exe", b"MZ"),
        ("list.csv", b""),
        ("list.csv", b"\x00\x01\x02" * 1000),
        ("list.csv", b'"never closed,' + b"x" * 100_000),
        ("list.xlsx", b"PK\x03\x04 broken"),
        ("x", b"x"),
        ("../../evil.csv", b"\xff\xfe"),
        ("." * 200 + ".csv", "姓名\n李".encode()),
    ):
        answer = hand_in(admin, content, name)
        assert answer.status_code == 422, name
        assert troubles(answer), name
    assert list(house.settings.data.parent.rglob("evil*")) == []


def test_a_file_is_its_owners(house: Runtime, admin: Browser) -> None:
    token = token_of(hand_in(admin, LIST.encode()).text)
    add_user(house, "other", "admin")
    admin.client.cookies.clear()
    admin.client.cookies["broadsheet"] = Signed(house, "other").token
    admin.get("/members/import")
    for given in (token, "x" * 32, "%2e%2e", "0" * 32):
        for path in ("look", "take"):
            assert admin.post(f"/members/import/{given}/{path}").status_code == 404
        assert admin.client.get(f"/members/import/{given}").status_code == 404


@SQLITE
def test_a_file_that_nobody_took_in_is_forgotten(house: Runtime, admin: Browser, clock: Clock) -> None:
    first = token_of(hand_in(admin, LIST.encode()).text)
    clock.advance(minutes=40)
    admin.client.cookies["broadsheet"] = Signed(house, "chief").token
    second = token_of(hand_in(admin, LIST.encode()).text)
    clock.advance(minutes=30)
    admin.client.cookies["broadsheet"] = Signed(house, "chief").token
    rounds.keep(house)
    assert admin.get(f"/members/import/{first}").status_code == 404
    assert "Take 2 people in" in admin.get(f"/members/import/{second}").text
    with house.reading() as tx:
        assert len(tx.session.scalars(select(ListPiece.job_id)).all()) == 1


def test_an_import_of_elsewhere_is_not_taken_back(house: Runtime, local: Browser) -> None:
    file = house.settings.data / "west.csv"
    file.write_text(f"姓名,手机,支部\n钱一,{generated_msisdn()},West/Second\n", encoding="utf-8")
    with house.begin() as tx:
        made = importing.import_members(tx.session, OPERATOR, file, now=tx.now)
        assert organisations.find_by_path(tx.session, OPERATOR, "West/Second")
    local.get("/members/import")
    for wrong in (str(made.import_id), "", "x", "-1", "9" * 40, "１"):
        for sure in ("", "yes"):
            answer = local.post("/members/imports", **{"import": wrong, "sure": sure})
            assert (answer.status_code, bool(troubles(answer))) == (422, True), wrong
            assert "west.csv" not in answer.text
    assert local.get(f"/members/imports/{made.import_id}/refused").status_code == 404
    assert local.get(f"/members/imports/{made.import_id}").status_code == 404
    assert "west.csv" not in local.get("/members/imports").text


def test_naughty_strings(admin: Browser) -> None:
    for typed in NAUGHTY:
        _type(admin, typed)


def _type(admin: Browser, typed: str) -> None:
    for path, name in (("/members", "q"), ("/members", "rule"), ("/members/organisations", "under")):
        answer = admin.client.get(path, params={name: typed})
        assert answer.status_code in (200, 400, 404, 422), (path, name, answer.status_code)
        assert "<script>alert" not in answer.text
        assert "<img src=x" not in answer.text
    look = hand_in(
        admin, f'姓名,手机,"{typed[:80].replace(chr(34), "")}"\n王秀兰,19900000011,x\n'.encode(), agreed=typed
    )
    assert look.status_code in (200, 422), look.status_code
    assert "<script>alert" not in look.text
    assert "<img src=x" not in look.text
