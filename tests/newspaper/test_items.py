"""Items that live on their own: words, states, who sees them, and two who write at once."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, datetime

import pytest
from sqlalchemy.orm import Session

from broadcaster.newspaper import columns, items
from broadcaster.newspaper.item_words import Words
from broadcaster.newspaper.items import Move, Shelf
from broadcaster.newspaper.models import Item
from subscribers import audit
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.errors import BroadsheetError, Conflict, Denied, Invalid, NotFound, Outdated
from tests.databases import Transactions
from tests.factories import make_organisation

WORDS = Words("供暖了", "今天供暖。", "**今天**供暖。", ("retired", "mobile"), "东街分会 张明")
EDITING = frozenset({Right.SEE, Right.WRITE, Right.EDIT})
WRITING = frozenset({Right.SEE, Right.WRITE})


def at(session: Session, names: str, rights: frozenset[Right] = EDITING) -> Actor:
    return Actor(f"who is at {names}", rights, make_organisation(session, names).path)


def headlines(session: Session, actor: Actor, shelf: Shelf, words: str = "") -> list[str]:
    return [item.headline for item in items.listing(session, actor, shelf, words=words)]


def test_written_and_changed(session: Session, now: datetime) -> None:
    item = items.write(session, OPERATOR, WORDS, now=now)
    assert (item.state, item.version, items.words_of(item)) == ("draft", 1, WORDS)
    changed = items.change(session, OPERATOR, item.id, replace(WORDS, sms="明天\n供暖。"), version=1, now=now)
    assert (changed.sms, changed.version) == ("明天供暖。", 2)


def test_who_comes_second_is_told_and_writes_nothing(session: Session, now: datetime) -> None:
    item = items.write(session, OPERATOR, WORDS, now=now)
    other = replace(OPERATOR, name="li")
    items.change(session, other, item.id, replace(WORDS, sms="李的话。"), version=1, now=now)
    with pytest.raises(Outdated, match="li has changed this item since you opened it"):
        items.change(session, OPERATOR, item.id, replace(WORDS, sms="王的话。"), version=1, now=now)
    assert items.get(session, OPERATOR, item.id).sms == "李的话。"


def test_of_two_at_once_one_is_told(begin: Transactions, now: datetime) -> None:
    with begin() as tx:
        item_id = items.write(tx.session, OPERATOR, WORDS, now=now).id
    ready, ended = threading.Barrier(2), []

    def change(sms: str) -> None:
        ready.wait()
        try:
            with begin() as tx:
                items.change(tx.session, OPERATOR, item_id, replace(WORDS, sms=sms), version=1, now=now)
            ended.append(sms)
        except BroadsheetError as error:
            ended.append(type(error).__name__)

    both = [threading.Thread(target=change, args=(sms,)) for sms in ("甲。", "乙。")]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert "Outdated" in ended
    with begin() as tx:
        assert items.get(tx.session, OPERATOR, item_id).sms in ended


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (replace(WORDS, headline=" \u200b "), "The headline is missing"),
        (replace(WORDS, sms="\n"), "The sentence for the SMS is missing"),
        (replace(WORDS, headline="长" * 101), "has 101 characters; 100 are the most"),
        (replace(WORDS, sms="长" * 501), "has 501 characters"),
        (replace(WORDS, full="长" * 20_001), "has 20001 characters"),
        (replace(WORDS, source="长" * 101), "has 101 characters"),
        (replace(WORDS, audience=("no_such_segment",)), "no_such_segment"),
        (replace(WORDS, audience=tuple(f"status = retired and age > {n}" for n in range(31))), "30 segments at most"),
        (replace(WORDS, audience=("everyone", "retired")), "for everyone and for retired, too"),
        (replace(WORDS, audience=("所有人", "age > 60")), "for everyone and for age > 60, too"),
        (replace(WORDS, valid_from=date(2026, 11, 22), valid_to=date(2026, 11, 21)), "end before it begins"),
        (replace(WORDS, standing_id=7), "There is no column 7"),
    ],
)
def test_words_that_cannot_be_used(session: Session, now: datetime, words: Words, told: str) -> None:
    with pytest.raises((Invalid, NotFound), match=told):
        items.write(session, OPERATOR, words, now=now)
    assert session.query(Item).count() == 0


def test_an_item_that_came_for_both_can_still_be_changed_and_copied(session: Session, now: datetime) -> None:
    item = items.write(session, OPERATOR, WORDS, now=now)
    item.audience = both = ["everyone", "retired"]
    session.flush()
    words = items.words_of(item)
    changed = items.change(session, OPERATOR, item.id, replace(words, sms="别的。"), version=1, now=now)
    assert (changed.sms, changed.audience) == ("别的。", both)
    assert items.copy(session, OPERATOR, item.id, now=now).audience == both
    with pytest.raises(Invalid, match="for everyone and for mobile, too"):
        items.change(session, OPERATOR, item.id, replace(words, audience=("everyone", "mobile")), version=2, now=now)
    kept = items.change(session, OPERATOR, item.id, replace(words, audience=("retired",)), version=2, now=now)
    assert kept.audience == ["retired"]


def test_an_item_for_nobody_in_particular_is_for_everyone(session: Session, now: datetime) -> None:
    item = items.write(session, OPERATOR, replace(WORDS, audience=(" ", "")), now=now)
    assert item.audience == ["everyone"]


def test_a_contribution_waits_above_and_is_accepted_or_sent_back(session: Session, now: datetime) -> None:
    branch, above = at(session, "东城/东街", WRITING), at(session, "东城")
    item = items.write(session, branch, WORDS, now=now)
    assert headlines(session, above, Shelf.CONTRIBUTED) == []
    items.contribute(session, branch, item.id, now=now)
    assert headlines(session, above, Shelf.CONTRIBUTED) == ["供暖了"]
    items.take_back(session, branch, item.id, now=now)
    assert (item.state, headlines(session, above, Shelf.CONTRIBUTED)) == ("draft", [])
    items.contribute(session, branch, item.id, now=now)
    items.decide(session, above, item.id, Move.SEND_BACK, note=" 哪一天？ ", now=now)
    assert (item.state, item.note) == ("draft", "哪一天？")
    items.change(session, branch, item.id, replace(WORDS, sms="周一供暖。"), version=1, now=now)
    items.contribute(session, branch, item.id, now=now)
    items.decide(session, above, item.id, Move.ACCEPT, now=now)
    assert item.state == "ready"
    for late in (items.contribute, items.take_back):
        with pytest.raises(Conflict):
            late(session, branch, item.id, now=now)
    # no text reaches the paper that no editor has read
    with pytest.raises(Denied):
        items.change(session, branch, item.id, WORDS, version=2, now=now)
    assert [each.deed for each in audit.read(session, OPERATOR, deed="items")] == ["items.accept", "items.send_back"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_no_writer_changes_what_is_accepted_at_this_moment(begin: Transactions, now: datetime) -> None:
    with begin() as tx:
        chief, writer = at(tx.session, "东城"), at(tx.session, "东城/东街", WRITING)
        item = items.write(tx.session, writer, WORDS, now=now).id
    with begin() as writing:
        # it is a draft still when the writer's right is looked at
        looked_at = items.get(writing.session, writer, item)
        with begin() as tx:
            items.decide(tx.session, chief, item, Move.ACCEPT, now=now)
        with pytest.raises(Outdated, match="who is at 东城 has changed this item"):
            items.change(writing.session, writer, looked_at.id, replace(WORDS, sms="没有人看过。"), version=1, now=now)
    with begin() as tx:
        kept = items.get(tx.session, chief, item)
        assert (kept.state, kept.sms) == ("ready", WORDS.sms)


def test_withdrawn_and_put_back(session: Session, now: datetime) -> None:
    item = items.write(session, OPERATOR, WORDS, now=now)
    items.decide(session, OPERATOR, item.id, Move.WITHDRAW, note="日期不对", now=now)
    with pytest.raises(Conflict):
        items.decide(session, OPERATOR, item.id, Move.ACCEPT, now=now)
    items.decide(session, OPERATOR, item.id, Move.RESTORE, now=now)
    assert item.state == "ready"
    correction = items.write(session, OPERATOR, WORDS, corrects=item.id, now=now)
    assert correction.corrects_id == item.id


def test_the_shared_pool(session: Session, now: datetime) -> None:
    county, branch, elsewhere = at(session, "县"), at(session, "县/东街"), at(session, "别处")
    item = items.write(session, county, WORDS, now=now)
    with pytest.raises(Conflict):
        items.decide(session, county, item.id, Move.SHARE, now=now)
    items.decide(session, county, item.id, Move.ACCEPT, now=now)
    with pytest.raises(NotFound):
        items.get(session, branch, item.id)
    items.decide(session, county, item.id, Move.SHARE, now=now)
    assert headlines(session, branch, Shelf.SHARED) == ["供暖了"]
    assert headlines(session, elsewhere, Shelf.SHARED) == []
    with pytest.raises(Denied, match="changed there"):
        items.change(session, branch, item.id, WORDS, version=1, now=now)
    with pytest.raises(NotFound):
        items.get(session, elsewhere, item.id)
    own = items.copy(session, branch, item.id, now=now)
    assert (own.under, own.state, own.shared, items.words_of(own)) == (branch.under, "draft", False, WORDS)
    items.decide(session, county, item.id, Move.UNSHARE, now=now)
    with pytest.raises(NotFound):
        items.get(session, branch, item.id)
    assert headlines(session, branch, Shelf.ALL) == ["供暖了"]


def test_looked_for_and_paged(session: Session, now: datetime) -> None:
    for n in range(5):
        items.write(session, OPERATOR, replace(WORDS, headline=f"第{n}条", sms=f"100%_{n}。"), now=now)
    assert headlines(session, OPERATOR, Shelf.ALL, "第3") == ["第3条"]
    assert headlines(session, OPERATOR, Shelf.ALL, "%_4") == ["第4条"]
    assert headlines(session, OPERATOR, Shelf.ALL, "%%") == []
    first = items.listing(session, OPERATOR, Shelf.ALL, limit=2)
    then = items.listing(session, OPERATOR, Shelf.ALL, before=first[-1].id, limit=2)
    assert [item.headline for item in (*first, *then)] == ["第4条", "第3条", "第2条", "第1条"]


def test_columns_are_a_tree_with_owners(session: Session, now: datetime) -> None:
    news = columns.add(session, OPERATOR, " 要闻 ", now=now)
    columns.add(session, OPERATOR, "关怀", now=now)
    columns.add(session, OPERATOR, "街道", parent=news.id, now=now)
    item = items.write(session, OPERATOR, replace(WORDS, standing_id=news.id), now=now)
    told = [(line.name, line.depth, line.items) for line in columns.tree(session, OPERATOR)]
    assert told == [("要闻", 0, 1), ("街道", 1, 0), ("关怀", 0, 0)]
    columns.move(session, OPERATOR, news.id, down=True)
    columns.move(session, OPERATOR, news.id, down=True)
    assert [line.name for line in columns.tree(session, OPERATOR)] == ["关怀", "要闻", "街道"]
    with pytest.raises(Conflict, match="columns below"):
        columns.remove(session, OPERATOR, news.id, into=None, now=now)
    care, _, street = columns.tree(session, OPERATOR)
    columns.remove(session, OPERATOR, street.id, into=None, now=now)
    assert columns.remove(session, OPERATOR, news.id, into=care.id, now=now) == 1
    session.refresh(item)
    assert item.standing_id == care.id


def test_columns_of_the_place_above_are_used_and_not_changed(session: Session, now: datetime) -> None:
    county, branch, elsewhere = at(session, "县"), at(session, "县/东街"), at(session, "别处")
    news = columns.add(session, county, "要闻", now=now)
    assert [(line.name, line.is_own) for line in columns.tree(session, branch)] == [("要闻", False)]
    columns.add(session, branch, "东街", parent=news.id, now=now)
    assert columns.tree(session, elsewhere) == []
    for wrong in (branch, elsewhere):
        with pytest.raises(NotFound):
            columns.change(session, wrong, news.id, name="x", owner="", now=now)


@pytest.mark.parametrize(("name", "owner"), [("", ""), ("长" * 51, ""), ("要闻", ""), ("新", "nobody")])
def test_columns_that_are_refused(session: Session, now: datetime, name: str, owner: str) -> None:
    columns.add(session, OPERATOR, "要闻", now=now)
    with pytest.raises(Invalid):
        columns.add(session, OPERATOR, name, owner=owner, now=now)


def test_columns_go_four_levels_deep(session: Session, now: datetime) -> None:
    parent = None
    for name in "一二三四":
        parent = columns.add(session, OPERATOR, name, parent=parent, now=now).id
    with pytest.raises(Invalid, match="4 levels deep"):
        columns.add(session, OPERATOR, "五", parent=parent, now=now)
