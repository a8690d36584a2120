"""Letters that ask for the paper under a real name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.replies.keywords import name_of_joiner, wants_back, wants_out
from broadcaster.replies.models import LetterState
from subscribers import admissions, consent
from subscribers.actor import OPERATOR
from subscribers.models import Member
from subscribers.names import search_key
from tests.databases import Transactions
from tests.delivery.ledger import look
from tests.factories import generated_msisdn, make_member
from tests.replies.test_letters import _answers, _letters, _mo, _take

PHONE = generated_msisdn(66_660_001)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("加入 张伟", "张伟"),
        ("加入　张伟！", "张伟"),
        ("加入：张伟。", "张伟"),
        ("我要订阅，张伟", "张伟"),
        ("报名+张伟", "张伟"),
        ("加入 我叫张伟", "张伟"),
        ("加入 买买提·吐尔逊", "买买提·吐尔逊"),
        ("订阅 𠮷田", "𠮷田"),
        ("JOIN Zhou Lan", "Zhou Lan"),
        ("ｊｏｉｎ Zhou Lan.", "Zhou Lan"),
        ("Join I'm Anne-Marie O'Brien", "Anne-Marie O'Brien"),
        ("订阅", None),
        ("订阅 手机报", None),
        ("加入", None),
        ("加入 ", None),
        ("加入 13800000000", None),
        ("报名 几点开始？", None),
        ("请问怎么加入", None),
        ("JOIN " + "a" * 200, None),
        ("", None),
    ],
)
def test_who_wants_to_join(text: str, name: str | None) -> None:
    assert name_of_joiner(text) == name


@given(st.text(max_size=200))
def test_any_text_is_looked_at_and_nobody_leaves_and_joins_at_once(text: str) -> None:
    assert not (name_of_joiner(text) and (wants_out(text) or wants_back(text)))


@given(st.text(max_size=60))
def test_a_name_is_taken_from_what_follows(text: str) -> None:
    name = name_of_joiner(f"加入 {text}")
    assert name is None or name.strip() == name != ""


def _known(begin: Transactions, msisdn: str | None = None) -> int:
    with begin() as tx:
        member = make_member(tx.session, name="读者甲", msisdn=msisdn, subscribed=None)
        tx.session.get_one(Member, member.id).search_key = search_key("读者甲")
        return member.id


def test_a_known_name_is_let_in_and_told_once(begin: Transactions) -> None:
    member = _known(begin)
    _take(begin, _mo(PHONE, "加入 读者甲", 1))
    _take(begin, _mo(PHONE, "加入 读者甲", 2))
    assert look(begin, lambda s: consent.is_reachable(s, PHONE))
    first, second = _letters(begin)
    assert (first.state, first.handled_as, first.member_id) == (LetterState.HANDLED, "join", member)
    assert second.state == LetterState.HANDLED
    told = _answers(begin)
    assert told[0] == "【晨晖】读者甲您好，您已订阅《晨晖手机报》，从下一期起发给您。拒收回复R"
    assert "不用再报名" in told[1]


def test_a_refusal_is_taken_back_by_joining(begin: Transactions) -> None:
    _known(begin, PHONE)
    _take(begin, _mo(PHONE, "TD", 1))
    _take(begin, _mo(PHONE, "加入 读者甲", 2))
    assert look(begin, lambda s: consent.is_reachable(s, PHONE))


def test_a_stranger_waits_and_a_person_sees_the_letter(begin: Transactions) -> None:
    _take(begin, _mo(PHONE, "JOIN Zhou Lan"))
    [letter] = _letters(begin)
    assert (letter.state, letter.handled_as) == (LetterState.OPEN, "join")
    assert "核对" in _answers(begin)[0]
    [waiting] = look(begin, lambda s: admissions.listing(s, OPERATOR))
    assert (waiting.name, waiting.wording, waiting.state) == ("Zhou Lan", "JOIN Zhou Lan", "waiting")
    assert not look(begin, lambda s: consent.is_reachable(s, PHONE))


@pytest.mark.parametrize("sender", ["10086", "not a number"])
def test_a_service_joins_nothing(begin: Transactions, sender: str) -> None:
    _take(begin, _mo(sender, "加入 读者甲"))
    assert _letters(begin)[0].handled_as == "inbox"
    assert look(begin, lambda s: admissions.listing(s, OPERATOR)) == []


def test_a_bare_word_stays_what_it_was(begin: Transactions) -> None:
    _known(begin, PHONE)
    _take(begin, _mo(PHONE, "订阅"))
    assert _letters(begin)[0].handled_as == "come_back"
