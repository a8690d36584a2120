"""What is written and not saved: beside the item, one's own, and never over what another window has."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from broadcaster.newspaper import drafts, items, presence
from broadcaster.newspaper.item_words import Words
from broadcaster.newspaper.models import Item, ItemDraft, Presence
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.errors import BroadsheetError, Denied, Invalid, NotFound
from subscribers.models.audit import Audit
from tests.factories import make_organisation

WRITER = Actor("li", frozenset({Right.SEE, Right.WRITE}))
WORDS = Words("供暖了", "今天供暖。")


def typed(text: str) -> list[tuple[str, str]]:
    return [("headline", text), ("audience", "retired"), ("audience", "mobile")]


def test_a_hundred_keystrokes_are_one_row(session: Session, now: datetime) -> None:
    item = items.write(session, WRITER, WORDS, now=now)
    audited = session.scalar(select(func.count()).select_from(Audit))
    kept = drafts.keep(session, WRITER, typed("供"), item_id=item.id, version=1, now=now)
    for n in range(100):
        kept = drafts.keep(
            session, WRITER, typed("供" * n), item_id=item.id, version=1, draft_id=kept.id, saves=kept.saves, now=now
        )
    assert kept.saves == 101
    assert [each.fields[0][1] for each in drafts.unfinished(session, WRITER)] == ["供" * 99]
    session.refresh(item)
    assert (item.version, item.headline) == (1, "供暖了")
    assert session.scalar(select(func.count()).select_from(Audit)) == audited


def test_two_windows_have_a_draft_each(session: Session, now: datetime) -> None:
    first = drafts.keep(session, WRITER, typed("一"), now=now)
    there = (first.id, first.saves)
    drafts.keep(session, WRITER, typed("一个"), draft_id=there[0], saves=there[1], now=now)
    other = drafts.keep(session, WRITER, typed("二"), draft_id=there[0], saves=there[1], now=now + timedelta(seconds=1))
    assert other.id != there[0]
    assert [each.fields[0][1] for each in drafts.unfinished(session, WRITER)] == ["二", "一个"]


def test_they_are_ones_own(session: Session, now: datetime) -> None:
    kept = drafts.keep(session, WRITER, typed("李"), now=now)
    wang = replace(WRITER, name="wang")
    assert drafts.unfinished(session, wang) == []
    with pytest.raises(NotFound):
        drafts.get(session, wang, kept.id)
    drafts.discard(session, wang, kept.id, now=now)
    drafts.finish(session, wang, kept.id)
    drafts.keep(session, wang, typed("王"), draft_id=kept.id, saves=kept.saves, now=now)
    assert drafts.get(session, WRITER, kept.id).fields[0] == ["headline", "李"]


def test_thrown_away_taken_back_and_forgotten(session: Session, now: datetime) -> None:
    kept = drafts.keep(session, WRITER, typed("李"), now=now)
    drafts.discard(session, WRITER, kept.id, now=now)
    assert drafts.unfinished(session, WRITER) == []
    drafts.discard(session, WRITER, kept.id, back=True, now=now)
    assert drafts.get(session, WRITER, kept.id)
    drafts.discard(session, WRITER, kept.id, now=now)
    drafts.keep(session, WRITER, typed("新"), now=now + timedelta(days=2))
    drafts.keep(session, WRITER, typed("更新"), now=now + timedelta(days=70))
    assert session.scalar(select(func.count()).select_from(ItemDraft)) == 1


def test_what_is_refused(session: Session, now: datetime) -> None:
    east = make_organisation(session, "东城")
    branch = Actor("zhao", frozenset({Right.SEE, Right.WRITE}), east.path)
    item = items.write(session, WRITER, WORDS, now=now)
    with pytest.raises(NotFound):
        drafts.keep(session, branch, typed("x"), item_id=item.id, version=1, now=now)
    items.decide(session, OPERATOR, item.id, items.Move.ACCEPT, now=now)
    items.decide(session, OPERATOR, item.id, items.Move.SHARE, now=now)
    with pytest.raises(NotFound):
        drafts.keep(session, branch, typed("x"), item_id=item.id, version=1, now=now)
    with pytest.raises(Denied):
        drafts.keep(session, WRITER, typed("x"), item_id=item.id, version=1, now=now)
    with pytest.raises(Invalid, match="too long"):
        drafts.keep(session, WRITER, typed("长" * 60_001), now=now)
    with pytest.raises(BroadsheetError):
        drafts.keep(session, replace(WRITER, rights=frozenset({Right.SEE})), typed("x"), now=now)
    assert session.scalar(select(func.count()).select_from(ItemDraft)) == 0


def test_a_draft_of_one_item_is_not_gone_on_with_in_another(session: Session, now: datetime) -> None:
    one, other = (items.write(session, WRITER, WORDS, now=now) for _ in range(2))
    kept = drafts.keep(session, WRITER, typed("一"), item_id=one.id, version=1, now=now)
    made = drafts.keep(
        session, WRITER, typed("二"), item_id=other.id, version=1, draft_id=kept.id, saves=kept.saves, now=now
    )
    assert made.id != kept.id
    assert [each.id for each in drafts.unfinished(session, WRITER, item_id=one.id)] == [kept.id]


def test_who_is_there(session: Session, now: datetime) -> None:
    assert presence.is_to_be_noted(session, "item 1", "li", now=now)
    presence.note(session, "item 1", "li", now=now)
    assert not presence.is_to_be_noted(session, "item 1", "li", now=now + timedelta(seconds=10))
    assert presence.is_to_be_noted(session, "item 1", "li", now=now + timedelta(seconds=16))
    assert presence.others(session, "item 1", "li", now=now) == []
    assert presence.others(session, "item 2", "wang", now=now) == []
    later = now + timedelta(seconds=30)
    presence.note(session, "item 1", "li", now=later)
    seen = presence.others(session, "item 1", "wang", now=later)
    assert [(each.name, each.since) for each in seen] == [("li", now)]
    gone = later + timedelta(seconds=41)
    assert presence.others(session, "item 1", "wang", now=gone) == []
    presence.note(session, "item 1", "li", now=gone)
    assert presence.others(session, "item 1", "wang", now=gone)[0].since == gone
    presence.note(session, "item 9", "wang", now=gone + timedelta(days=2))
    assert session.scalars(select(Presence.name)).all() == ["wang"]
    assert session.scalar(select(func.count()).select_from(Item)) == 0
