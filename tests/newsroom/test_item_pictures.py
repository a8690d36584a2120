"""A picture in the form of an item: handed in, described, saved, taken out and put back; nothing typed gets lost."""

from __future__ import annotations

import re
from urllib.parse import quote

import httpx2
import pytest

from broadcaster.newspaper import items
from broadcaster.runtime import Runtime
from subscribers.actor import OPERATOR
from tests.newsroom.naughty import NAUGHTY
from tests.newsroom.test_items import come, handed_in, id_of, version_of, written
from tests.newsrooms import Browser, at, troubles
from tests.pictures import claiming, drawn, encoded, noisy

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PHOTO = encoded(drawn(1600, 1200), quality=95)
#: as the form sends it
TYPED = {"headline": "食堂开了", "sms": "食堂周一开了。", "full": "**全文**", "audience": "retired", "source": "东街"}


@pytest.fixture
def editor(house: Runtime, browser: Browser) -> Browser:
    return come(house, browser, "chief", "editor")


def hand_in(browser: Browser, path: str, content: bytes | None = PHOTO, **fields: str) -> httpx2.Response:
    assert browser.page is not None
    token = re.search(r'name="form_token" value="([0-9a-f]{64})"', browser.page.text)
    assert token
    files = {"picture_file": ("IMG_1.jpg", content)} if content is not None else None
    return browser.client.post(path, data={"form_token": token[1], "act": "put", **fields}, files=files)


def hidden(page: str) -> dict[str, str]:
    """What the form of the item carries along."""
    form = page[page.index('<form id="item"') :]
    return dict(re.findall(r'type="hidden" name="(item|version|draft|saves|picture)" value="(\d+)"', form))


def undo(browser: Browser, page: str) -> str:
    done = page[page.index('class="done"') :]
    path = re.search(r'action="([^"]+)"', done)
    fields = dict(re.findall(r'name="(act|draft|picture|alt)" value="([^"]*)"', done[: done.index("</form>")]))
    assert path
    return browser.follow(browser.post(path[1], **fields)).text


def test_chosen_described_and_saved(house: Runtime, editor: Browser) -> None:
    editor.get("/items/new")
    answer = hand_in(editor, "/items/new/picture", **TYPED)
    assert answer.headers["location"].endswith("#alt"), "what is to be filled in next is in sight"
    page = editor.follow(answer).text
    assert f"The picture had {-(-len(PHOTO) // 1000)} KB and has" in page
    for kept in ("食堂开了", "食堂周一开了。</textarea>", "**全文**</textarea>", 'value="retired" checked'):
        assert kept in page, "nothing that was typed is lost"
    carried = hidden(page)
    answer = editor.post("/items/new", **TYPED, **carried)
    assert "It is not said what is in the picture." in troubles(answer)
    assert 'href="#alt"' in answer.text
    assert hidden(answer.text)["picture"] == carried["picture"]
    answer = editor.post("/items/new", **TYPED, **carried, alt="老人在排队")
    item = id_of(editor.follow(answer).text)
    with house.reading() as tx:
        found = items.words_of(items.get(tx.session, OPERATOR, item))
    assert (found.picture_id, found.alt) == (int(carried["picture"]), "老人在排队")
    assert "What you wrote is kept" not in editor.get(f"/items/{item}").text
    picture = editor.get(f"/items/pictures/{carried['picture']}")
    assert picture.headers["content-type"] == "image/jpeg"
    assert len(picture.content) <= 20_000
    assert len(picture.content) < len(editor.get(f"/items/pictures/{carried['picture']}?large=1").content) <= 150_000


def test_another_one_none_and_back(editor: Browser) -> None:
    editor.get("/items/new")
    first = hidden(editor.follow(hand_in(editor, "/items/new/picture", **TYPED)).text)
    item = id_of(editor.follow(editor.post("/items/new", **TYPED, **first, alt="老人")).text)
    path, carried = f"/items/{item}/picture", {"picture": first["picture"], "alt": "老人"}
    carried["version"] = version_of(editor, item)
    page = editor.follow(hand_in(editor, path, encoded(drawn(blue=0)), **TYPED, **carried)).text
    assert hidden(page)["picture"] != first["picture"]
    assert 'name="alt" value=""' in page, "the words were those of another picture"
    page = undo(editor, page)
    assert "The picture is as it was." in page
    assert hidden(page)["picture"] == first["picture"]
    assert 'name="alt" value="老人"' in page
    page = editor.follow(editor.post(path, act="out", **TYPED, **hidden(page), alt="老人")).text
    assert "picture" not in hidden(page)
    assert f"/items/pictures/{first['picture']}" not in page
    page = undo(editor, page)
    assert hidden(page)["picture"] == first["picture"]
    assert 'name="alt" value="老人"' in editor.get(f"/items/{item}").text
    page = editor.follow(editor.post(path, act="out", **TYPED, **hidden(page))).text
    editor.follow(editor.post(f"/items/{item}", **TYPED, **hidden(page)))
    assert "/items/pictures/" not in editor.get(f"/items/{item}").text


@SQLITE
def test_pressed_without_choosing_another_one(editor: Browser) -> None:
    editor.get("/items/new")
    carried = hidden(editor.follow(hand_in(editor, "/items/new/picture", **TYPED)).text)
    page = editor.follow(hand_in(editor, "/items/new/picture", None, **TYPED, **carried, alt="老人")).text
    assert "The picture is as it was." in page
    assert hidden(page)["picture"] == carried["picture"]
    assert 'name="alt" value="老人"' in page
    assert "食堂周一开了。</textarea>" in page
    editor.get("/items/new")
    assert "No picture was chosen." in troubles(hand_in(editor, "/items/new/picture", None, **TYPED))


def test_two_in_one_item_see_both_pictures(house: Runtime, editor: Browser) -> None:
    editor.get("/items/new")
    carried = hidden(editor.follow(hand_in(editor, "/items/new/picture", **TYPED)).text)
    item = id_of(editor.follow(editor.post("/items/new", **TYPED, **carried, alt="老人")).text)
    version = version_of(editor, item)
    with at(house) as other:
        come(house, other, "li", "editor")
        other.get(f"/items/{item}")
        page = other.follow(
            hand_in(other, f"/items/{item}/picture", encoded(drawn(blue=0)), **TYPED, version=version)
        ).text
        theirs = hidden(page)
        assert other.post(f"/items/{item}", **TYPED, **theirs, alt="灶台").status_code == 303
    answer = editor.post(f"/items/{item}", **TYPED, picture=carried["picture"], alt="老人", version=version)
    assert answer.status_code == 422
    beside, _, mine = answer.text.partition("As you have it")
    assert f"/items/pictures/{theirs['picture']}" in beside
    assert "灶台" in beside
    assert hidden(answer.text)["picture"] == carried["picture"]
    assert 'name="alt" value="老人"' in mine


def test_for_whoever_sees_the_item(house: Runtime, editor: Browser) -> None:
    item = written(editor)
    editor.get(f"/items/{item}")
    page = editor.follow(hand_in(editor, f"/items/{item}/picture", **TYPED, version="1")).text
    picture = hidden(page)["picture"]
    with at(house) as branch:
        come(house, branch, "zhang", "writer", "East/First")
        assert branch.client.get(f"/items/pictures/{picture}").status_code == 404
        own = written(branch)
        answer = branch.post(f"/items/{own}", **TYPED, version="1", picture=picture, alt="别人的")
        assert "The picture is not here any more." in troubles(answer)
        assert hand_in(branch, f"/items/{item}/picture", **TYPED, version="1").status_code == 404
        handed_in(branch, own)
        assert hand_in(branch, f"/items/{own}/picture", **TYPED, version="1").status_code == 403
        editor.post(f"/items/{item}", **TYPED, version="1", picture=picture, alt="老人")
        editor.post(f"/items/{item}/decide", move="accept")
        editor.post(f"/items/{item}/decide", move="share")
        assert 'alt="老人"' in branch.get(f"/items/{item}").text
        assert branch.client.get(f"/items/pictures/{picture}").status_code == 200
        assert hand_in(branch, f"/items/{item}/picture", **TYPED, version="2").status_code == 403


@SQLITE
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "No picture was chosen."),
        (b"", "The file of the picture is empty."),
        (b"<svg onload=alert(1)>", "This is no picture"),
        (claiming(30_000, 30_000), "50 million"),
        (PHOTO[:9000], "cannot be read to its end"),
    ],
    ids=["none", "empty", "a drawing", "a bomb", "cut"],
)
def test_what_is_refused_loses_nothing(editor: Browser, content: bytes | None, told: str) -> None:
    editor.get("/items/new")
    answer = hand_in(editor, "/items/new/picture", content, **TYPED)
    assert answer.status_code == 422
    assert told in troubles(answer)
    assert 'href="#picture_file"' in answer.text
    assert "**全文**</textarea>" in answer.text
    assert "/items/pictures/" not in answer.text


@SQLITE
def test_larger_than_five_megabytes(editor: Browser) -> None:
    photo = encoded(noisy(3200, 2400), quality=95)
    assert len(photo) > 5_000_000
    editor.get("/items/new")
    page = editor.follow(hand_in(editor, "/items/new/picture", photo, **TYPED)).text
    told = re.search(r"The picture had (\d+) KB and has (\d+) KB now", page)
    assert told
    assert int(told[1]) > 5000
    assert int(told[2]) <= 150


@SQLITE
def test_chosen_and_not_handed_in(editor: Browser) -> None:
    """Without a script, the button that saves sends of a file its name only."""
    editor.get("/items/new")
    answer = editor.post("/items/new", **TYPED, picture_file="C:\\fakepath\\IMG_1.jpg")
    assert "The picture IMG_1.jpg was chosen and not handed in." in troubles(answer)
    assert "**全文**</textarea>" in answer.text
    assert editor.post("/items/new", **TYPED, picture_file="").status_code == 303


@SQLITE
def test_no_picture_has_such_an_address(editor: Browser) -> None:
    written(editor)
    for typed in NAUGHTY:
        assert editor.client.get(f"/items/pictures/{quote(typed[:40], safe='')}").status_code == 404
    assert editor.client.get("/items/pictures/1?large=x").status_code == 404
