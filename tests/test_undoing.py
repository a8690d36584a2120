"""An import is taken back as long as nobody of it was written to."""

from __future__ import annotations

import contextlib
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, select

from broadcaster.delivery.models import Message
from broadcaster.newspaper import items, making, publishing
from broadcaster.newspaper.item_words import Words
from broadcaster.newspaper.items import Move
from broadcaster.undoing import undo_import
from subscribers import importing
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.errors import Conflict
from subscribers.models import Member, Membership, Number, Organisation
from subscribers.organisations import find_by_path
from tests.databases import Transactions
from tests.delivery.ledger import accept, begin_sending, claim, draft, look, must_claim, owner, states
from tests.factories import NOW, make_members

HEADINGS = "name,msisdn,organisation,subscribed\n"


def _load(begin: Transactions, folder: Path, rows: str) -> int:
    path = folder / "list.csv"
    path.write_text(HEADINGS + rows, encoding="utf-8")
    with begin() as tx:
        result = importing.import_members(tx.session, OPERATOR, path, now=NOW, on=NOW.date())
    assert result.import_id is not None
    return result.import_id


def _send(begin: Transactions, rule: str) -> int:
    with begin() as tx:
        campaign = draft(tx.session, rule=rule)
        begin_sending(tx.session, campaign, now=NOW + timedelta(minutes=1))
        return campaign.id


def _undo(begin: Transactions, import_id: int) -> importing.Undone:
    with begin() as tx:
        return undo_import(tx.session, OPERATOR, import_id, now=NOW)


def _names(begin: Transactions) -> list[str]:
    return list(look(begin, lambda session: session.scalars(select(Member.name).order_by(Member.id)).all()))


def test_an_organisation_of_which_something_speaks_stays(begin: Transactions, tmp_path: Path) -> None:
    """A rule keeps its id, which SQLite would give to another one; an edition the path of ids of its place."""
    names = ("Asked", "Readers", "Editors", "Nobody", "Members")
    mine = _load(begin, tmp_path, "".join(f"甲{n},1990000000{n},{name},yes\n" for n, name in enumerate(names)))
    with begin() as tx:
        s = tx.session
        draft(s, rule='not under("Asked")')
        editors = Actor("editor", frozenset(Right), under=find_by_path(s, OPERATOR, "Editors").path)
        making.begin(s, editors, number=1, day=NOW.date(), title="x", now=NOW)
        making.begin(s, OPERATOR, number=2, day=NOW.date(), title="x", now=NOW)
        written = items.write(s, OPERATOR, Words("供暖了", "今天供暖。"), now=NOW).id
        items.decide(s, OPERATOR, written, Move.ACCEPT, now=NOW)
        making.place(s, OPERATOR, 2, making.add_column(s, OPERATOR, 2, "要闻").id, [written])
        publishing.publish(s, OPERATOR, 2, readers='under("Readers")', now=NOW)
    assert _undo(begin, mine) == importing.Undone(restored=5, kept=0, removed=5, places=2)
    left = look(begin, lambda session: set(session.scalars(select(Organisation.name))))
    assert left == {"Asked", "Readers", "Editors"}


@pytest.mark.parametrize("row", ["甲,19900000001,East,yes\n", "甲,,East,\n"])
def test_whoever_is_in_an_audience_stays(begin: Transactions, tmp_path: Path, row: str) -> None:
    """Also who was skipped: that they were is on record."""
    with begin() as tx:
        make_members(tx.session, 2)
    before = _names(begin)
    mine = _load(begin, tmp_path, row)
    _send(begin, "everyone")
    with pytest.raises(Conflict, match="messages, answers or transfers"):
        _undo(begin, mine)
    assert _names(begin) == [*before, "甲"]


def test_messages_to_others_are_no_hindrance(begin: Transactions, tmp_path: Path) -> None:
    with begin() as tx:
        make_members(tx.session, 2, organisation="West")
    _send(begin, "everyone")
    before = _names(begin)
    mine = _load(begin, tmp_path, "甲,19900000001,East,yes\n")
    _send(begin, 'under("West")')
    assert _undo(begin, mine) == importing.Undone(restored=1, kept=0, removed=1, places=1)
    assert _names(begin) == before


def test_who_goes_while_the_audience_is_written_down_gets_nothing(begin: Transactions, tmp_path: Path) -> None:
    """The message was written by a transaction that still saw the member."""
    mine = _load(begin, tmp_path, "甲,19900000001,East,yes\n乙,19900000002,East,yes\n丙,19900000003,East,yes\n")
    campaign = _send(begin, "everyone")
    with begin() as tx:
        [gone] = tx.session.scalars(select(Member.id).where(Member.name == "乙"))
        for table in (Number, Membership):
            tx.session.execute(delete(table).where(table.member_id == gone))
        tx.session.execute(delete(Member).where(Member.id == gone))
    turn = must_claim(begin, owner(begin))
    assert [part.msisdn for part in turn.parts] == ["+8619900000001", "+8619900000003"]
    accept(begin, turn)
    assert claim(begin, owner(begin)) is None
    assert states(begin, campaign) == {"submitted": 2, "skipped": 1}
    reasons = look(begin, lambda s: dict(map(tuple, s.execute(select(Message.member_id, Message.reason)))))
    assert reasons[gone] == "left_segment"
    with pytest.raises(Conflict):
        _undo(begin, mine)


def test_two_at_once_lose_nothing(begin: Transactions, engine: Engine, tmp_path: Path) -> None:
    """Whichever is first: the members are there with their messages, or they are gone and nothing goes out to them."""
    with begin() as tx:
        make_members(tx.session, 3)
    mine = _load(begin, tmp_path, "".join(f"某{n},199100{n:05},East,yes\n" for n in range(200)))
    all_of_them = len(_names(begin))
    assert all_of_them == 203
    told: list[str] = []

    def take_back() -> None:
        try:
            _undo(Transactions(engine, begin.clock), mine)
            told.append("gone")
        except Conflict:
            told.append("stayed")

    other = threading.Thread(target=take_back)
    other.start()
    # its count may have changed between the check and the start: then it is not started, and asked for again
    while True:
        with contextlib.suppress(Conflict):
            _send(begin, "everyone")
            break
    other.join()
    there = len(_names(begin))
    assert told == ["stayed" if there == all_of_them else "gone"]
    sent = 0
    while (turn := claim(begin, owner(begin), 500)) is not None:
        sent += len(turn.parts)
        accept(begin, turn)
    assert sent == there
