"""What an editor is told of an edition, sentence by sentence; and what is left alone."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from sqlalchemy.orm import Session

from broadcaster.newspaper import word_lists
from broadcaster.newspaper.lint import Remark, about_notice, about_text, lint
from broadcaster.newspaper.models import Item, ItemState
from broadcaster.sms import find_lookalikes, repair
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.errors import BroadsheetError, Invalid
from tests.factories import make_organisation

DAY = date(2026, 11, 23)


def item(sms: str, **more: object) -> Item:
    given = {"headline": "标题", "full": "", "audience": ["everyone"], "state": ItemState.READY} | more
    return Item(sms=sms, **given)


def in_english(remark: Remark) -> str:
    return str(BroadsheetError(remark.message, **remark.fields))


def told(sms: str, forbidden: str = "", words: tuple[str, ...] = (), **more: object) -> list[tuple[str, bool]]:
    found = lint([item(sms, **more)], ["everyone"], day=DAY, forbidden=forbidden, words=words)
    return [(in_english(remark), remark.stops) for remark in found]


@pytest.mark.parametrize(
    ("sms", "what"),
    [
        ("<时间>开会", "<时间>"),
        ("（地点）见", "（地点）"),
        ("XX月XX日开会", "XX月, XX日"),
        ("时间待定", "待定"),
        ("TODO: ask", "TODO"),
    ],
)
def test_what_is_still_to_be_filled_in(sms: str, what: str) -> None:
    assert told(sms) == [(f"Something is still to be filled in: {what}", True)]


@pytest.mark.parametrize(
    ("sms", "what"),
    [
        ("{{ name }}您好", "{{ name }}"),
        ("{name}您好", "{name}"),
        ("${date}开会", "${date}"),
        ("%NAME%，您好", "%NAME%"),
        ("〔姓名〕您好", "〔姓名〕"),
    ],
)
def test_fields_are_nothing_for_items(sms: str, what: str) -> None:
    assert told(sms) == [(f"Nobody fills in a field in an item: {what}", True)]


def test_everyone_beside_somebody_is_for_everyone_and_is_told() -> None:
    for audience in (["everyone", "retired"], ["离退休", "所有人"]):
        [remark] = lint([item("供暖。", audience=audience)], ["everyone"], day=DAY, forbidden=(), words=())
        assert remark.stops
        assert remark.audiences[0] == ["everyone"]
        assert len(remark.audiences[1]) == 1
    assert told("供暖。", audience=["everyone"]) == []


@pytest.mark.parametrize(
    "sms",
    [
        "今天供暖。",
        "12月1日（周二）下午2:30开会，带会员证。",
        "价格50%优惠，A+B=C，5<7。",
        "全文 https://example.org/p/128?a=1&b=2 ，请看。",
        "“引号”——破折号……",
        "欧阳\U0002000b\U0001f600",
    ],
)
def test_what_is_left_alone(sms: str) -> None:
    assert told(sms) == []


@pytest.mark.parametrize(
    ("sms", "beginning", "stops"),
    [
        ("看 https://example.org/{id}", "A link has a field in it", True),
        ("看 https://example.org/p详情见此", "The words behind a link become part of it", True),
        ("看 http://t.cn/abc", "A shortened link is taken for a fraud", False),
        ("【重要】今天供暖", "There are 【】 in the sentence", False),
        ("今天\u3000供暖１２点", "Characters that look like others (3): U+3000 １ ２", False),
    ],
)
def test_links_brackets_and_lookalikes(sms: str, beginning: str, stops: bool) -> None:
    ((message, is_stopped),) = told(sms)
    assert message.startswith(beginning)
    assert is_stopped is stops
    assert find_lookalikes(repair(sms)) == []


def test_what_a_gateway_refuses(session: Session) -> None:
    assert told("【重要】供暖", forbidden="【】\n") == [("Carriers do not take these characters: 【 】", True)]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("〔姓名〕您好，〔组织〕供暖。京发〔2026〕15号", []),
        ("〔电话〕和〔姓 名〕", [("There is no such field: 〔电话〕, 〔姓 名〕", True)]),
        ("[姓名]您好", [("There is no such field: [姓名]", True)]),
        ("〔日期〕开会", [("There is no such field: 〔日期〕", True)]),
        ("时间待定", [("Something is still to be filled in: 待定", True)]),
        ("【重要】", [("There are 【】 in the sentence; carriers take these for the signature.", False)]),
        (
            "见 https://example.org/〔姓名〕 全文",
            [("A link has a field in it, and leads nowhere: https://example.org/〔…〕", True)],
        ),
        ("见 https://example.org/a 〔姓名〕", []),
        ("大促销", [("Words of your list stand in it: 促销", False)]),
        ("Ａ座", [("Characters that look like others (1): Ａ", False)]),
    ],
)
def test_texts_that_were_written_by_hand(body: str, found: list[tuple[str, bool]]) -> None:
    remarks = list(about_text(body, (), ("促销",)))
    assert [(in_english(remark), remark.stops) for remark in remarks] == found
    assert [remark.can_repair for remark in remarks] == ["look like" in told for told, _ in found]


def test_what_a_gateway_refuses_in_a_text_that_was_written_by_hand() -> None:
    [remark] = about_text("〔姓名〕\n【重要】", "【】\n", ())
    assert remark.fields == {"characters": "U+000A 【 】"}
    assert remark.stops


def test_days_states_and_audiences() -> None:
    assert told("x", valid_to=date(2026, 11, 22)) == [("It is good until 2026-11-22 only.", False)]
    assert told("x", valid_from=date(2026, 11, 24)) == [("It is good from 2026-11-24 on only.", False)]
    assert told("x", valid_from=DAY, valid_to=DAY) == []
    gone = told("{{ name }}", state=ItemState.WITHDRAWN)
    assert gone == [
        ("The variant everyone has no item.", True),
        ("It was withdrawn, and nobody gets it.", False),
    ]
    assert told("x", audience=["retired"]) == [
        ("No variant of this edition is for retired: nobody gets it.", True),
        ("The variant everyone has no item.", True),
    ]


def test_words_of_the_list_are_found_in_all_of_an_item() -> None:
    for where in ({"headline": "Sale"}, {"full": "a SALE!"}, {}):
        sms = "x" if where else "big sale"
        assert told(sms, words=("sale", "other"), **where) == [("Words of your list stand in it: sale", False)]


def test_a_list_holds_for_all_below(session: Session, now: datetime) -> None:
    rights = frozenset({Right.SEE, Right.EDIT})
    county = Actor("county", rights, make_organisation(session, "县").path)
    branch = Actor("branch", rights, make_organisation(session, "县/东街").path)
    west = Actor("west", rights, make_organisation(session, "西").path)
    assert word_lists.save(session, county, [" 免费 ", "", "中奖", "免费"], now=now) == []
    assert word_lists.save(session, branch, ["点击"], now=now) == []
    assert word_lists.holding(session, branch) == ["中奖", "免费", "点击"]
    assert word_lists.holding(session, county) == ["中奖", "免费"]
    assert word_lists.holding(session, west) == []
    assert word_lists.save(session, county, ["中奖"], now=now) == ["免费", "中奖"]
    assert word_lists.own(session, branch) == ["点击"]
    for wrong in (["长" * 51], [str(n) for n in range(2001)]):
        with pytest.raises(Invalid):
            word_lists.save(session, OPERATOR, wrong, now=now)


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("{{ 年龄 }}岁，{% if city %}在{{ city }}{% endif %}", []),
        ("{年龄}岁，{ name }好", ["{年龄}", "{ name }"]),
        ("〔姓名〕好，见京发〔2026〕15号", ["〔姓名〕"]),
        ("%NAME% [name] {{ name }}", ["%NAME%", "[name]"]),
        ("{# {x} #}见 https://example.org/{id}", []),
    ],
)
def test_a_notice_says_what_looks_like_a_field(source: str, what: list[str]) -> None:
    remarks = list(about_notice(source))
    assert [(each.fields["what"], each.stops) for each in remarks] == [(what, False)] * bool(what)


def test_a_field_in_brackets_is_nothing_in_an_item_either() -> None:
    assert told("〔年龄〕岁") == [("This looks like a field, and nobody fills it in: 〔年龄〕", False)]


def test_what_was_sent_back_is_not_sent() -> None:
    for state in (ItemState.DRAFT, ItemState.CONTRIBUTED):
        (remark,) = lint(
            [item("今天供暖。", state=state)], ["everyone"], day=date(2026, 11, 23), forbidden="", words=()
        )
        assert remark.stops
        assert "sent back" in remark.message
