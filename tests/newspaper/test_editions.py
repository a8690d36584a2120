"""Editions from a file to the texts that readers get."""

from __future__ import annotations

import threading
from datetime import date, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from broadcaster.newspaper import editions
from broadcaster.newspaper.edition_file import decode, parse
from broadcaster.newspaper.models import Column, Edition, Item, Placement, Variant
from broadcaster.templates import compile_template, load
from subscribers import segments
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.errors import BroadsheetError, Conflict, Denied, Invalid, NotFound
from tests.databases import Transactions

FILE = """
number = {number}
date = 2026-11-23
title = "供暖周"
variants = ["retired", "mobile", "everyone"]
[[columns]]
name = "要闻"
[[columns.items]]
headline = "供暖了"
sms = "今天供暖。"
full = "**今天**供暖。"
[[columns.items]]
headline = "团聚"
sms = "周三团聚。"
audience = ["retired", "mobile"]
[[columns]]
name = "关怀"
[[columns.items]]
headline = "晨练"
sms = "晨练晚一点。"
audience = ["retired"]
"""
EDITIONS = sorted((Path(__file__).parents[2] / "broadcaster" / "demo" / "editions").glob("*.toml"))


def test_an_edition_is_kept_as_it_was_written(session: Session, now: datetime) -> None:
    source = FILE.format(number=128)
    editions.import_edition(session, OPERATOR, source.encode(), now=now)
    session.expire_all()
    edition = editions.get(session, OPERATOR, 128)
    assert (edition.number, edition.date, edition.title) == (128, date(2026, 11, 23), "供暖周")
    assert (edition.created_by, edition.created_at, edition.source) == ("operator", now, source)
    kept = session.execute(
        select(Column.name, Item.headline, Item.sms, Item.full, Item.audience)
        .join(Placement, Placement.column_id == Column.id)
        .join(Item, Item.id == Placement.item_id)
        .order_by(Column.position, Placement.position)
    ).all()
    written = [
        (column.name, item.headline, item.sms, item.full, list(item.audience))
        for column in parse(source).columns
        for item in column.items
    ]
    assert [tuple(row) for row in kept] == written


def test_each_variant_has_the_items_for_it_and_no_empty_column(session: Session, now: datetime) -> None:
    edition = editions.import_edition(session, OPERATOR, FILE.format(number=128), now=now)
    heating = {"headline": "供暖了", "sms": "今天供暖。"}
    reunion = {"headline": "团聚", "sms": "周三团聚。"}
    morning = {"headline": "晨练", "sms": "晨练晚一点。"}
    assert editions.variants(session, edition) == [
        editions.VariantContent(
            0,
            "retired",
            "retired",
            [{"name": "要闻", "items": [heating, reunion]}, {"name": "关怀", "items": [morning]}],
        ),
        editions.VariantContent(1, "mobile", "mobile", [{"name": "要闻", "items": [heating, reunion]}]),
        editions.VariantContent(2, "everyone", "everyone", [{"name": "要闻", "items": [heating]}]),
    ]


def test_the_same_content_again_changes_nothing(session: Session, now: datetime) -> None:
    first = editions.import_edition(session, OPERATOR, FILE.format(number=128), now=now)
    again = editions.import_edition(session, OPERATOR, "# a remark\n" + FILE.format(number=128), now=now)
    assert again is first
    assert [session.scalar(select(func.count()).select_from(table)) for table in (Edition, Column, Item, Variant)] == [
        1,
        2,
        3,
        3,
    ]


def test_a_number_that_was_used_is_refused_and_the_next_free_one_offered(session: Session, now: datetime) -> None:
    for number in (128, 131):
        editions.import_edition(session, OPERATOR, FILE.format(number=number), now=now)
    with pytest.raises(Conflict) as refused:
        editions.import_edition(session, OPERATOR, FILE.format(number=128).replace("供暖周", "又一期"), now=now)
    assert str(refused.value) == "There is an edition 128 already, with other content."
    assert refused.value.hint.format(**refused.value.fields) == "The next free number is 132: write number = 132."


def test_of_two_at_once_with_one_number_one_is_told(begin: Transactions, now: datetime) -> None:
    ready = threading.Barrier(2)
    ended: list[str] = []

    def take_in(title: str) -> None:
        ready.wait()
        try:
            with begin() as tx:
                source = FILE.format(number=128).replace("供暖周", title)
                editions.import_edition(tx.session, OPERATOR, source, now=now)
            ended.append("taken in")
        except BroadsheetError as error:
            ended.append(type(error).__name__)

    both = [threading.Thread(target=take_in, args=(title,)) for title in ("甲", "乙")]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert sorted(ended) == ["Conflict", "taken in"]
    with begin() as tx:
        assert [line.items for line in editions.listing(tx.session, OPERATOR)] == [3]


@pytest.mark.parametrize("variant", ["no_such_segment", "status = "])
def test_a_variant_must_be_a_segment_or_a_rule(session: Session, now: datetime, variant: str) -> None:
    source = FILE.format(number=128).replace('"mobile"', f'"{variant}"')
    with pytest.raises(Invalid):
        editions.import_edition(session, OPERATOR, source, now=now)
    assert session.scalar(select(func.count()).select_from(Edition)) == 0


def test_a_variant_may_be_a_saved_segment_or_a_rule(session: Session, now: datetime) -> None:
    segments.save(session, OPERATOR, "老读者", "status = retired and age >= 70", now=now)
    source = FILE.format(number=128).replace('"retired"', '"老读者"').replace('"mobile"', '"status = in_service"')
    edition = editions.import_edition(session, OPERATOR, source, now=now)
    assert [variant.rule for variant in editions.variants(session, edition)] == [
        "老读者",
        "status = in_service",
        "everyone",
    ]


def test_lists_the_newest_first(session: Session, now: datetime) -> None:
    assert editions.listing(session, OPERATOR) == []
    for number in (128, 129):
        editions.import_edition(session, OPERATOR, FILE.format(number=number), now=now)
    variants = ("retired", "mobile", "everyone")
    assert editions.listing(session, OPERATOR) == [
        editions.EditionLine(number, date(2026, 11, 23), "供暖周", variants, columns=2, items=3)
        for number in (129, 128)
    ]


def test_what_is_not_there_and_what_is_not_allowed(session: Session, now: datetime) -> None:
    with pytest.raises(NotFound, match="There is no edition 7"):
        editions.get(session, OPERATOR, 7)
    reader = Actor("reader", frozenset({Right.SEE}))
    with pytest.raises(Denied):
        editions.import_edition(session, reader, FILE.format(number=128), now=now)
    with pytest.raises(Denied):
        editions.listing(session, Actor("nobody", frozenset()))


def test_there_are_three_editions_for_the_demo() -> None:
    assert [parse(decode(file.read_bytes())).number for file in EDITIONS] == [128, 129, 130]


@pytest.mark.parametrize("file", EDITIONS, ids=lambda file: file.stem)
def test_every_variant_of_the_demo_is_a_text_of_60_to_300_characters(
    session: Session, now: datetime, file: Path
) -> None:
    edition = editions.import_edition(session, OPERATOR, file.read_bytes(), now=now)
    assert edition.number == int(file.stem)
    headlines = load("headlines", "zh")
    template = compile_template(headlines.source, headlines.fields)
    contents = editions.variants(session, edition)
    assert [content.name for content in contents] == ["retired", "mobile", "everyone"]
    for content in contents:
        context = editions.context(edition, content, "晨晖手机报")
        for body in template.render_many(context, [{"name": "李敏"}, {"name": "欧阳秀英"}]):
            assert 60 <= len(f"【晨晖手机报】{body}拒收请回复R") <= 300
            assert f"《晨晖手机报》第{edition.number}期" in body
    texts = [repr(content.columns) for content in contents]
    assert len(set(texts)) == 3
