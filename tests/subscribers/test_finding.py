"""What people type to find somebody, who is found by it, in which order, and by which index."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from sqlalchemy import event, insert, text
from sqlalchemy.orm import Session

from subscribers import finding
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.db import is_sqlite
from subscribers.errors import Denied, Invalid
from subscribers.models import Member, Membership, Number
from subscribers.names import search_key
from subscribers.organisations import find_by_path
from tests.factories import JOINED_ON, NOW, generated_msisdn, make_member, make_organisation

TODAY = date(2026, 11, 21)


def found(session: Session, text: str, actor: Actor = OPERATOR, **given: Any) -> list[str]:
    return [profile.name for profile in finding.find(session, actor, text, on=TODAY, **given)]


#: one per line, because some have spaces in them
FOUND_BY = """
张伟|张|伟|zhangwei|zhang wei|ZhangWei|ZHANG WEI|ｚｈａｎｇ　ｗｅｉ|Zhāng Wěi|zhang'wei|zhangw|zhangwe|zhan|zh|zhw|z
zw|ZW|张wei|张w|wei| 张伟 |A-1|19912345678|+86 199 1234 5678|0086-19912345678|１９９１２３４５６７８|5678|2345678
"""
NOT_FOUND_BY = """
李|zhangwen|wz|zhangwm|678|1234|19912345679|%|_|张_|%伟|/|\\|A-|a-1|😀|𠮷|zw' OR '1'='1|#|#0|#999999999999999999|^|·
"""


def each(table: str) -> list[str]:
    return table.strip("\n").replace("\n", "|").split("|")


def test_a_member_is_found_by_whatever_is_known_of_them(session: Session) -> None:
    make_member(session, name="张伟", msisdn=generated_msisdn(12345678), external_id="A-1")
    make_member(session, name="李明", msisdn=generated_msisdn(87654321), external_id="A-2")
    for typed in each(FOUND_BY):
        assert found(session, typed) == ["张伟"], typed


def test_nobody_is_found_by_what_is_not_theirs(session: Session) -> None:
    make_member(session, name="张伟", msisdn=generated_msisdn(12345678), external_id="A-1")
    for typed in (*each(NOT_FOUND_BY), "x" * 100, "张" * 100, "xian" * 25):
        assert found(session, typed) == [], typed


#: name, what is typed
OTHER_NAMES = """
冼伟|xian
西安娜|xian
张伟明|zhangwm
张伟明|zhangwei
单雄信|shan
单雄信|sxx
尉迟恭|yuchi
欧阳建国|oyjg
吕布|lvbu
吕布|lü bu
吕布|Lǚ Bù
吕布|lyu bu
安娜|an
Zhou Lan|zhou lan
Zhou Lan|ZHOU
Zhou Lan|lan
Anna Smith|anna s
Anna Smith|smith
Anna Smith|as
Ürümqi|ürümqi
Ürümqi|urumqi
José Pérez|jose perez
Айгүл Ахметова|айгүл
Айгүл Ахметова|АХМЕТОВА
阿卜杜拉·买买提|abdl
阿卜杜拉·买买提|买买提
阿卜杜拉·买买提|阿卜杜拉·
王㐂|㐂
𠮷野|𠮷
𠮷野|𠮷y
100%|0%
50_1|0_
读者1234|1234
读者😀|😀
O'Brien|o’brien
"""


def test_names_of_every_kind(session: Session) -> None:
    pairs = [line.split("|") for line in OTHER_NAMES.strip().split("\n")]
    for name in dict.fromkeys(name for name, _ in pairs):
        make_member(session, name=name)
    for name, typed in pairs:
        assert name in found(session, typed), typed


def test_by_the_id_that_lists_show(session: Session) -> None:
    first, _ = make_member(session, name="张伟"), make_member(session, name="张伟")
    assert [profile.id for profile in finding.find(session, OPERATOR, f"#{first.id}", on=TODAY)] == [first.id]


def test_the_exact_name_then_names_that_begin_so_then_the_others(session: Session) -> None:
    for name, organisation in (
        ("王张伟", "A"),
        ("张伟明", "B"),
        ("张伟", "C"),
        ("张伟国", "A"),
        ("张伟", "A"),
        ("张为", "A"),
    ):
        make_member(session, name=name, organisation=organisation)
    places = [(p.name, p.organisation) for p in finding.find(session, OPERATOR, "张伟", on=TODAY)]
    assert places == [("张伟", "A"), ("张伟", "C"), ("张伟国", "A"), ("张伟明", "B"), ("王张伟", "A")]
    assert found(session, "zhangwei") == ["张为", "张伟", "张伟", "张伟国", "张伟明", "王张伟"]
    assert len(found(session, "zhangwei", limit=2)) == 2
    assert found(session, "张伟", limit=3) == ["张伟", "张伟", "张伟国"]


def test_names_that_begin_so_come_before_others_however_they_are_read(session: Session) -> None:
    names = ("尉迟恭", "单于明", "长孙无忌", "曾国藩", "国强", "乐嘉", "盖聂", "贾乐乐", "张重")
    for name in names:
        # older, and so before them in the list
        make_member(session, name=f"李{name}")
        make_member(session, name=name)
    for name in names:
        for length in range(1, len(name) + 1):
            first = found(session, name[:length])[0]
            # a surname of two characters is read as one, and its first character by itself as another
            if not (name in ("尉迟恭", "单于明", "长孙无忌") and length == 1):
                assert first == name, name[:length]
            assert name in found(session, name[:length])


def test_a_second_number_and_a_landline_find_their_holder_once(session: Session) -> None:
    member = make_member(session, name="张伟")
    session.add_all(
        Number(member_id=member.id, msisdn=msisdn, preferred=False) for msisdn in ("+861012345678", "+8619900005678")
    )
    session.flush()
    assert found(session, "010-12345678") == found(session, "5678") == found(session, "12345678") == ["张伟"]
    assert found(session, "(010) 1234 5678") == ["张伟"]


def test_numbers_without_a_country_code_are_of_the_papers_region(session: Session) -> None:
    make_member(session, name="Reader", msisdn="+447400123456")
    assert found(session, "07400 123456", region="GB") == ["Reader"]


def test_a_masked_number_is_not_told_digit_by_digit(session: Session) -> None:
    make_member(session, name="李桂英", msisdn="+8619912345678")
    viewer = Actor("viewer", rights=frozenset({Right.SEE}))
    assert found(session, "5678", viewer) == ["李桂英"]
    assert found(session, "45678", viewer) == []
    assert found(session, "45678") == ["李桂英"]
    assert found(session, "19912345678", viewer) == ["李桂英"]


def test_the_ends_of_numbers_do_not_matter_once_a_whole_number_is_known(session: Session) -> None:
    make_member(session, name="张伟", msisdn=generated_msisdn(12345678))
    make_member(session, name="读者乙", msisdn="+8619919912345678"[:15])
    assert found(session, "19912345678") == ["张伟"]


@pytest.mark.parametrize("text", ["", "  ", "a\0", "\0", "\udc80", "张" * 101, "1" * 10_000, "x" * 10_000])
def test_looking_for_nothing_or_for_a_book_is_refused(session: Session, text: str) -> None:
    with pytest.raises(Invalid):
        finding.find(session, OPERATOR, text, on=TODAY)


@pytest.mark.parametrize("typed", ["张伟", "张", "伟", "zhangwei", "zw", "zhangw", "19912345678", "5678", "A-1", "#id"])
def test_a_person_finds_only_their_own(session: Session, typed: str) -> None:
    western = make_member(
        session, name="张伟", msisdn=generated_msisdn(12345678), external_id="A-1", organisation="West"
    )
    make_organisation(session, "East")
    rights = frozenset({Right.SEE})
    typed = typed.replace("#id", f"#{western.id}")
    for under, seen in (("East", []), ("West", ["张伟"])):
        actor = Actor("e", rights, under=find_by_path(session, OPERATOR, under).path)
        assert found(session, typed, actor) == seen
    with pytest.raises(Denied):
        found(session, typed, Actor("nobody", frozenset()))


def test_only_members_of_the_day_are_found(session: Session) -> None:
    make_member(session, name="张伟", left_on=TODAY)
    assert found(session, "张伟") == []


FAMILY, GIVEN = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许", "伟芳娜敏静磊洋勇艳杰涛明超霞平刚桂英华玉"


@pytest.fixture
def town(session: Session) -> Session:
    """4,000 members, and what the database knows of its tables."""
    branch = make_organisation(session, "Town")
    names = [f + a + b for f in FAMILY for a in GIVEN for b in GIVEN[:10]]
    session.execute(
        insert(Member),
        [
            {"id": n, "name": name, "search_key": search_key(name), "tags": [], "fields": {}, "created_at": NOW}
            for n, name in enumerate(names, 1)
        ],
    )
    session.execute(
        insert(Membership),
        [
            {"member_id": n, "organisation_id": branch.id, "status": "in_service", "valid_from": JOINED_ON}
            for n in range(1, len(names) + 1)
        ],
    )
    session.execute(insert(Number), [{"member_id": n, "msisdn": generated_msisdn(n)} for n in range(1, len(names) + 1)])
    session.execute(text("ANALYZE"))
    return session


@contextmanager
def statements(session: Session) -> Iterator[list[tuple[str, Any]]]:
    seen: list[tuple[str, Any]] = []

    def watch(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append((statement, parameters))

    event.listen(session.get_bind(), "before_cursor_execute", watch)
    try:
        yield seen
    finally:
        event.remove(session.get_bind(), "before_cursor_execute", watch)


def plans(session: Session, seen: list[tuple[str, Any]]) -> list[str]:
    how = "EXPLAIN QUERY PLAN " if is_sqlite(session) else "EXPLAIN "
    connection = session.connection()
    return [
        "\n".join(map(str, connection.exec_driver_sql(how + sql, given))) for sql, given in seen if "search_key" in sql
    ]


@pytest.mark.parametrize(
    ("typed", "ways"),
    [
        ("赵伟芳", 1),
        ("赵伟", 2),
        ("zhaoweif", 2),
        ("zhao wei fang", 1),
        ("zwf", 2),
        ("xuyang", 2),
        ("19900000042", 1),
        ("#42", 1),
    ],
)
def test_what_is_surely_meant_is_found_by_an_index(town: Session, typed: str, ways: int) -> None:
    with statements(town) as seen:
        assert len(finding.find(town, OPERATOR, typed, on=TODAY, limit=1)) == 1
    read = plans(town, seen)
    assert len(read) == ways
    for plan in read:
        assert not re.search(r"Seq Scan on (member|number)\b|SCAN (member|number)\b(?! USING INDEX)", plan), plan


@pytest.mark.parametrize("typed", ["赵", "赵伟"])
def test_who_is_called_so_is_walked_to_in_order(town: Session, typed: str) -> None:
    with statements(town) as seen:
        found = finding.find(town, OPERATOR, typed, on=TODAY, limit=5)
    assert [profile.name[: len(typed)] for profile in found] == [typed] * 5
    plan = plans(town, seen)[-1]
    assert re.search(r"(Index Scan|SEARCH member) using ix_member_search_key|INDEX ix_member_search_key", plan), plan
    assert not re.search(r"Sort|TEMP B-TREE|Bitmap", plan), plan


def test_the_end_of_a_number_is_found_by_an_index(town: Session) -> None:
    with statements(town) as seen:
        assert len(finding.find(town, OPERATOR, "00042", on=TODAY)) == 1
    ends = [(sql, given) for sql, given in seen if "substr" in sql]
    assert len(ends) == 1
    plan = plans(town, ends)[0]
    assert "ix_number_end" in plan, plan


def test_at_most_six_statements(town: Session) -> None:
    for typed in ("没有", "zhangwei", "xianxian", "0042", "Smith", "赵"):
        with statements(town) as seen:
            finding.find(town, OPERATOR, typed, on=TODAY)
        assert len(seen) <= 6, typed
