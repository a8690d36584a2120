"""Rows that are clicked together: which is wrong, what each suggests, and a box of an item that comes of them."""

from __future__ import annotations

import re
from datetime import date
from html import unescape
from itertools import pairwise

import httpx2
import pytest

from broadcaster.language import Language
from broadcaster.newspaper import items, making
from broadcaster.newspaper.items import Shelf
from broadcaster.runtime import Runtime
from subscribers import segments
from subscribers.actor import OPERATOR
from tests.factories import make_member, make_organisation
from tests.newsroom.test_items import come, id_of, ticked, version_of
from tests.newsrooms import Browser, troubles

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
#: every page with rows, and where they go from there
PAGES = [
    ("/members/segments", "/members/segments/build", {}),
    ("/editions/7/who", "/editions/7/who", {"who": "everyone"}),
    ("/editions/7/who", "/editions/7/who/look", {"who": "everyone"}),
    ("/items/new", "/items/new", {"headline": "供暖", "sms": "供暖了。", "whom": "chosen"}),
    ("/items/new", "/items/new/places", {"headline": "供暖", "sms": "供暖了。", "act": "box"}),
]
WORDS = {"headline": "供暖", "sms": "供暖了。"}
TEACHERS = {"field": ["own:身份", "", ""], "sign": ["=", "=", "="], "value": ["教师", "", ""]}


@pytest.fixture
def editor(house: Runtime, browser: Browser) -> Browser:
    with house.begin() as tx:
        for name, post in (("李敏", "教师"), ("赵平", "教师"), ("孙丽", "家长"), ("周家", "家长")):
            make_member(
                tx.session, organisation=make_organisation(tx.session, "东街"), name=name, fields={"身份": post}
            )
        making.begin(tx.session, OPERATOR, number=7, day=date(2026, 11, 23), title="入冬", now=tx.now)
        segments.save(tx.session, OPERATOR, "老人", "retired", now=tx.now)
    return come(house, browser, "chief", "editor")


def speak(browser: Browser, tongue: Language) -> None:
    browser.client.headers["accept-language"] = tongue


@pytest.mark.parametrize(("page", "path", "more"), PAGES, ids=[path for _, path, _ in PAGES])
def test_a_row_that_is_half_made_is_named_and_framed(
    editor: Browser, page: str, path: str, more: dict[str, str]
) -> None:
    rows = {"field": ["status", "own:身份", ""], "sign": ["!=", "=", "="], "value": ["retired", " ", ""]}
    for tongue, told in (
        ("en", "Put together by clicking, row 2: what 身份 shall be is not filled in. Fill it in,"),
        ("zh", "“点选条件”第 2 行：“身份”还没有填值。 请填上"),
    ):
        speak(editor, tongue)  # type: ignore[arg-type]
        editor.get(page)
        answer = editor.post(path, joined="any", **more, **rows)
        assert answer.status_code == 422
        assert told in troubles(answer)
        assert 'href="#value-2"' in answer.text
        assert re.findall(r'id="([\w-]+)"[^>]*aria-invalid="true"', answer.text) == ["value-2"]
        # the first one of a page is what a browser goes to
        assert re.findall(r'<\w+ (?:id="([\w-]+)")?[^>]*\bautofocus', answer.text) == ["value-2"]
        assert told.partition(".")[0].partition("。")[0] in unescape(answer.text).partition('id="row-wrong"')[2][:200]
        # nothing of it is lost
        assert chosen(answer.text) == [("status", "!=", "retired"), ("own:身份", "=", " "), ("", "=", "")]
        assert '<option value="any" selected>' in answer.text


def chosen(page: str) -> list[tuple[str, str, str]]:
    """What stands in the rows."""
    found = re.findall(r'<fieldset class="filter row">(.*?)</fieldset>', page, re.DOTALL)
    made = []
    for row in found:
        field, sign = (re.search(rf'name="{name}".*?</select>', row, re.DOTALL)[0] for name in ("field", "sign"))  # type: ignore[index]
        picked = [re.search(r'value="([^"]*)" selected', each) for each in (field, sign)]
        value = re.search(r'name="value" value="([^"]*)"', row)
        assert value
        made.append(tuple(unescape(each[1]) if each else "" for each in (*picked, value)))
    return made  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("row", "at", "told"),
    [
        (("", "=", "教师"), "field", "of what 教师 is asked is not chosen"),
        (("under", "=", "nowhere"), "value", "There is no organisation nowhere."),
        (("segment", "=", "nobody"), "value", "There is no segment nobody."),
        (("list", "=", "nobody"), "value", "There is no list nobody."),
        (("age", "=", "old"), "value", "old cannot be this number. Give a whole number from 0 to"),
        (("joined", ">=", "2020"), "value", "2020 is no day."),
        (("status", "=", "happy"), "value", "There is no status happy."),
        (("tag", ">=", "合唱"), "sign", "Tag cannot be asked with “is at least”. Choose one of these: is, is not."),
        (("under", "starts", "东街"), "sign", "cannot be asked with “begins with”."),
        (("own:身份", ">=", "教师"), "sign", "Choose one of these: is, is not, begins with."),
        (("tag", "=", "\"“‘'「"), "value", "too many kinds of quotes"),
    ],
    ids=lambda each: "-".join(each) if isinstance(each, tuple) else "",
)
def test_what_is_wrong_in_a_row_is_told_there(editor: Browser, row: tuple[str, str, str], at: str, told: str) -> None:
    rows = {name: ["status", each] for name, each in zip(("field", "sign", "value"), row, strict=True)}
    rows["value"][0], rows["sign"][0] = "retired", "="
    for page, path, more in PAGES[:2]:
        editor.get(page)
        answer = editor.post(path, joined="all", **more, **rows)
        assert answer.status_code == 422
        assert "row 2: " in troubles(answer)
        assert told in troubles(answer)
        assert "column" not in troubles(answer), "the place in a rule that nobody has typed"
        assert f'href="#{at}-2"' in answer.text
        assert chosen(answer.text)[1] == row


@pytest.mark.parametrize(("page", "path", "more"), PAGES[:2], ids=[path for _, path, _ in PAGES[:2]])
def test_a_value_that_stands_in_a_column_of_the_lists_is_told_with_it(
    editor: Browser, page: str, path: str, more: dict[str, str]
) -> None:
    speak(editor, "zh")
    editor.get(page)
    answer = editor.post(path, joined="all", **more, field="status", sign="=", value="教师")
    told = troubles(answer)
    assert "“点选条件”第 1 行：没有状态 教师。" in told
    assert "可用的有：在职、离退休、预备、申请人。“教师”写在“身份”一列里，请改问这一列。" in told
    answer = editor.post(path, joined="all", **more, field="status", sign="=", value="医生")
    assert "一列里" not in troubles(answer), "what stands nowhere"


def test_who_looks_for_an_organisation_is_not_kept_from_it_by_a_row(editor: Browser) -> None:
    editor.get("/editions/7/who")
    half = {"who": ["retired", "mobile", "everyone"], "field": "own:身份", "sign": "=", "value": ""}
    for more in ({"act": "find", "q": "东"}, {"q": "东"}, {"act": "up mobile", "order": ["retired", "mobile"]}):
        answer = editor.post("/editions/7/who/look", **half, **more)  # type: ignore[arg-type]
        assert (answer.status_code, troubles(answer)) == (200, ""), more
        assert chosen(answer.text)[0] == ("own:身份", "=", "")
    assert re.findall(r'name="order" value="(\w+)"', answer.text) == ["mobile", "retired"]
    assert editor.post("/editions/7/who/look", **half, act="box", q="东").status_code == 422


def suggested(page: str) -> dict[str, list[str]]:
    """By a field, the values that its row suggests."""
    select = re.search(r'<select id="field-1".*?</select>', page, re.DOTALL)
    assert select
    fields = re.findall(r'<option value="([^"]*)"', select[0])
    lists = re.findall(r'<datalist id="values-(\d+)">(.*?)</datalist>', page)
    return {fields[int(at)]: [unescape(each) for each in re.findall('value="([^"]*)"', words)] for at, words in lists}


@pytest.mark.parametrize("page", ["/members/segments", "/editions/7/who"])
def test_a_row_suggests_the_values_of_its_own_field(editor: Browser, page: str) -> None:
    found = suggested(editor.get(page).text)
    assert found["own:身份"] == ["家长", "教师"] or found["own:身份"] == ["教师", "家长"]
    assert found["status"][:2] == ["in service", "retired"]
    assert found["under"] == ["东街"]
    assert found["operator"] == ["mobile", "unicom", "telecom", "broadnet"]
    assert found["reachable"] == ["yes", "no"]
    assert found["segment"] == ["老人"]
    assert not {"", "age", "tag", "name"} & found.keys(), "what anything can stand in"
    speak(editor, "zh")
    found = suggested(editor.get(page).text)
    assert found["operator"] == ["移动", "联通", "电信", "广电"]
    assert found["status"][:2] == ["在职", "离退休"]


def test_whatever_is_suggested_can_be_asked(editor: Browser) -> None:
    for tongue in ("en", "zh"):
        speak(editor, tongue)  # type: ignore[arg-type]
        page = editor.get("/members/segments")
        for field, values in suggested(page.text).items():
            for value in values:
                answer = editor.post("/members/segments/build", joined="all", field=field, sign="=", value=value)
                assert answer.status_code == 303, (field, value, troubles(answer))


def test_a_row_that_comes_back_has_its_own_suggestions_without_a_script(editor: Browser) -> None:
    editor.get("/members/segments")
    rows = {"field": ["own:身份", "status", ""], "sign": ["=", "=", "="], "value": ["", "", ""]}
    page = editor.post("/members/segments/build", joined="all", **rows).text
    lists = dict(re.findall(r'<datalist id="(values-\d+)">(.*?)</datalist>', page))
    own, status, none = re.findall(r'name="value" value="" list="(values-\d+)"', page)
    assert "教师" in lists[own]
    assert "教师" not in lists[status]
    assert none not in lists


def test_an_item_is_for_who_was_clicked_together_before_any_edition_has_such_a_variant(
    house: Runtime, editor: Browser
) -> None:
    page = editor.get("/items/new").text
    assert 'name="field"' not in page, "only who asks for them waits for what the lists hold"
    given = {**WORDS, "full": "全文", "whom": "everyone", "source": "东街"}
    opened = editor.post("/items/new/places", **given, act="rows").text
    assert set(suggested(opened)["own:身份"]) == {"教师", "家长"}
    assert 'name="headline" type="text" value="供暖"' in opened
    assert '<select id="field-1" name="field" autofocus>' in opened
    boxed = editor.post("/items/new/places", **given, act="box", joined="all", **TEACHERS)
    assert (boxed.status_code, troubles(boxed)) == (200, "")
    for kept in ('value="供暖"', "供暖了。</textarea>", "全文</textarea>", 'value="东街"'):
        assert kept in boxed.text, kept
    box = re.search(r'name="audience" value="([^"]*)" checked autofocus> 身份 is 教师</label>', boxed.text)
    assert box
    assert ticked(boxed.text) == ["chosen"], "who clicks a rule together means them only"
    assert 'name="field"' not in boxed.text, "they are put away"
    assert "No row says what is asked." in troubles(editor.post("/items/new/places", **given, act="box"))
    editor.page = boxed
    answer = editor.post("/items/new", **given | {"whom": "chosen"}, audience=unescape(box[1]))
    item = id_of(editor.follow(answer).text)
    assert audience(house) == [('field("身份") = "教师"',)]
    page = editor.get(f"/items/{item}?lang=zh").text
    assert "checked> 身份是教师</label>" in page
    assert "字段" not in page.partition('id="other_audience"')[2].partition("</textarea>")[0]
    # by whichever words it is clicked together, it is the same box
    twice = editor.post(
        f"/items/{item}/places", **WORDS, act="box", joined="all", audience=unescape(box[1]), **TEACHERS
    )
    assert twice.text.count("身份是教师</label>") == 1


def audience(house: Runtime) -> list[tuple[str, ...]]:
    with house.reading() as tx:
        return [items.words_of(each).audience for each in items.listing(tx.session, OPERATOR, Shelf.ALL)]


def test_what_stands_in_the_rows_is_saved_with_the_item_and_kept_with_its_draft(
    house: Runtime, editor: Browser
) -> None:
    editor.get("/items/new")
    away = {"field": ["mobile"], "sign": ["="], "value": [""]}
    answer = editor.post("/items/new", **WORDS, whom="chosen", joined="all", **away)
    item = id_of(editor.follow(answer).text)
    assert audience(house) == [("mobile",)], "it had a box already"
    version = version_of(editor, item)
    answer = editor.post(f"/items/{item}", **WORDS, whom="everyone", version=version, **TEACHERS)
    assert "It is ticked for everyone and for" in troubles(answer)
    assert chosen(answer.text)[0] == ("own:身份", "=", "教师")
    kept = editor.post(
        "/items/keep", **WORDS, item=str(item), version=version, whom="chosen", audience="mobile", **TEACHERS
    )
    assert kept.status_code == 200
    again = editor.get(f"/items/{item}").text
    assert chosen(again)[0] == ("own:身份", "=", "教师"), "half a thought is kept, too"
    assert "What you wrote is kept" in again


def test_the_edition_is_offered_the_variant_that_its_item_needs(house: Runtime, editor: Browser) -> None:
    editor.get("/items/new")
    item = id_of(editor.follow(editor.post("/items/new", **WORDS, whom="chosen", **TEACHERS)).text)
    with house.begin() as tx:
        items.decide(tx.session, OPERATOR, item, items.Move.ACCEPT, now=tx.now)
        column = making.add_column(tx.session, OPERATOR, 7, "要闻").id
        making.place(tx.session, OPERATOR, 7, column, [item])
    page = unescape(editor.get("/editions/7/check").text)
    assert "Add a variant for 身份 is 教师" in page
    # who clicks it together in the other language means the same people, and the item reaches them
    speak(editor, "zh")
    editor.get("/editions/7/who")
    answer = editor.post("/editions/7/who", who="everyone", joined="all", **TEACHERS)
    assert answer.status_code == 303, troubles(answer)
    with house.reading() as tx:
        assert list(making.layout(tx.session, OPERATOR, 7).variants) == ['field("身份") = "教师"', "everyone"]
    speak(editor, "en")
    page = unescape(editor.get("/editions/7/check").text)
    assert "Add a variant for" not in page
    assert "nobody gets it" not in page


def test_a_page_with_rows_stays_small(house: Runtime, editor: Browser) -> None:
    with house.begin() as tx:
        east = make_organisation(tx.session, "东街")
        for n in range(24):
            make_member(tx.session, organisation=east, fields={f"列{at}": f"值{n // 2}" for at in range(30)})
    answer: httpx2.Response = editor.get("/members/segments")
    found = suggested(answer.text)
    assert sum(name.startswith("own:") for name in found) == 30
    assert all(one < two for one, two in pairwise(sorted(found)))
    assert len(answer.content) < 40_000
