"""What is written and not saved: beside the item, one's own, and never over what another window has."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from broadcaster.access.models import User
from broadcaster.newspaper import drafts, items, presence
from broadcaster.newspaper.item_words import Words
from broadcaster.newspaper.models import Item, ItemDraft, Presence
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.errors import BroadsheetError, Conflict, Denied, Invalid, NotFound
from subscribers.models.audit import Audit
from tests.factories import make_organisation

WRITER = Actor("li", frozenset({Right.SEE, Right.WRITE}))
WORDS = Words("供暖了", "今天供暖。")


LI, WANG = 1, 2


@pytest.fixture(autouse=True)
def users(session: Session, now: datetime) -> None:
    for user_id, name in ((LI, "li"), (WANG, "wang")):
        user = User(id=user_id, name=name, role="writer", password_hash="x", created_by="x", created_at=now)
        session.add(user)
    session.flush()


def typed(text: str) -> list[tuple[str, str]]:
    return [("headline", text), ("audience", "retired"), ("audience", "mobile")]


def test_a_hundred_keystrokes_are_one_row(session: Session, now: datetime) -> None:
    item = items.write(session, WRITER, WORDS, now=now)
    audited = session.scalar(select(func.count()).select_from(Audit))
    kept = drafts.keep(session, WRITER, LI, typed("供"), item_id=item.id, version=1, now=now)
    for n in range(100):
        kept = drafts.keep(
            session,
            WRITER,
            LI,
            typed("供" * n),
            item_id=item.id,
            version=1,
            draft_id=kept.id,
            saves=kept.saves,
            now=now,
        )
    assert kept.saves == 101
    assert [each.fields[0][1] for each in drafts.unfinished(session, WRITER, LI)] == ["供" * 99]
    session.refresh(item)
    assert (item.version, item.headline) == (1, "供暖了")
    assert session.scalar(select(func.count()).select_from(Audit)) == audited


def test_two_windows_have_a_draft_each(session: Session, now: datetime) -> None:
    first = drafts.keep(session, WRITER, LI, typed("一"), now=now)
    there = (first.id, first.saves)
    drafts.keep(session, WRITER, LI, typed("一个"), draft_id=there[0], saves=there[1], now=now)
    other = drafts.keep(
        session, WRITER, LI, typed("二"), draft_id=there[0], saves=there[1], now=now + timedelta(seconds=1)
    )
    assert other.id != there[0]
    assert [each.fields[0][1] for each in drafts.unfinished(session, WRITER, LI)] == ["二", "一个"]


def test_they_are_ones_own(session: Session, now: datetime) -> None:
    kept = drafts.keep(session, WRITER, LI, typed("李"), now=now)
    wang = replace(WRITER, name="wang")
    assert drafts.unfinished(session, wang, WANG) == []
    with pytest.raises(NotFound):
        drafts.get(session, wang, WANG, kept.id)
    drafts.discard(session, wang, WANG, kept.id, now=now)
    drafts.finish(session, wang, WANG, kept.id)
    drafts.keep(session, wang, WANG, typed("王"), draft_id=kept.id, saves=kept.saves, now=now)
    assert drafts.get(session, WRITER, LI, kept.id).fields[0] == ["headline", "李"]


def test_thrown_away_taken_back_and_forgotten(session: Session, now: datetime) -> None:
    kept = drafts.keep(session, WRITER, LI, typed("李"), now=now)
    drafts.discard(session, WRITER, LI, kept.id, now=now)
    assert drafts.unfinished(session, WRITER, LI) == []
    drafts.discard(session, WRITER, LI, kept.id, back=True, now=now)
    assert drafts.get(session, WRITER, LI, kept.id)
    drafts.discard(session, WRITER, LI, kept.id, now=now)
    drafts.keep(session, WRITER, LI, typed("新"), now=now + timedelta(days=2))
    assert drafts.forget_old(session, now=now + timedelta(hours=23), limit=9) == 0
    assert drafts.forget_old(session, now=now + timedelta(days=2), limit=9) == 1
    drafts.keep(session, WRITER, LI, typed("更新"), now=now + timedelta(days=70))
    assert drafts.forget_old(session, now=now + timedelta(days=70), limit=9) == 1
    assert [each.fields[0][1] for each in drafts.unfinished(session, WRITER, LI)] == ["更新"]


def test_what_is_refused(session: Session, now: datetime) -> None:
    east = make_organisation(session, "东城")
    branch = Actor("zhao", frozenset({Right.SEE, Right.WRITE}), east.path)
    item = items.write(session, WRITER, WORDS, now=now)
    with pytest.raises(NotFound):
        drafts.keep(session, branch, LI, typed("x"), item_id=item.id, version=1, now=now)
    items.decide(session, OPERATOR, item.id, items.Move.ACCEPT, now=now)
    items.decide(session, OPERATOR, item.id, items.Move.SHARE, now=now)
    with pytest.raises(NotFound):
        drafts.keep(session, branch, LI, typed("x"), item_id=item.id, version=1, now=now)
    with pytest.raises(Denied):
        drafts.keep(session, WRITER, LI, typed("x"), item_id=item.id, version=1, now=now)
    with pytest.raises(Invalid, match="too long"):
        drafts.keep(session, WRITER, LI, typed("长" * 60_001), now=now)
    with pytest.raises(BroadsheetError):
        drafts.keep(session, replace(WRITER, rights=frozenset({Right.SEE})), LI, typed("x"), now=now)
    assert session.scalar(select(func.count()).select_from(ItemDraft)) == 0


def test_a_draft_of_one_item_is_not_gone_on_with_in_another(session: Session, now: datetime) -> None:
    one, other = (items.write(session, WRITER, WORDS, now=now) for _ in range(2))
    kept = drafts.keep(session, WRITER, LI, typed("一"), item_id=one.id, version=1, now=now)
    made = drafts.keep(
        session, WRITER, LI, typed("二"), item_id=other.id, version=1, draft_id=kept.id, saves=kept.saves, now=now
    )
    assert made.id != kept.id
    assert [each.id for each in drafts.unfinished(session, WRITER, LI, item_id=one.id)] == [kept.id]


def test_who_is_there(session: Session, now: datetime) -> None:
    assert presence.is_to_be_noted(session, "item 1", LI, now=now)
    presence.note(session, "item 1", LI, now=now)
    assert not presence.is_to_be_noted(session, "item 1", LI, now=now + timedelta(seconds=10))
    assert presence.is_to_be_noted(session, "item 1", LI, now=now + timedelta(seconds=16))
    assert presence.others(session, "item 1", LI, now=now) == []
    assert presence.others(session, "item 2", WANG, now=now) == []
    later = now + timedelta(seconds=30)
    presence.note(session, "item 1", LI, now=later)
    seen = presence.others(session, "item 1", WANG, now=later)
    assert [(each.name, each.since) for each in seen] == [("li", now)]
    gone = later + timedelta(seconds=41)
    assert presence.others(session, "item 1", WANG, now=gone) == []
    presence.note(session, "item 1", LI, now=gone)
    assert presence.others(session, "item 1", WANG, now=gone)[0].since == gone
    presence.note(session, "item 9", WANG, now=gone + timedelta(minutes=11))
    assert presence.forget_old(session, now=gone + timedelta(minutes=11)) == 1
    assert session.scalars(select(Presence.user_id)).all() == [WANG]
    assert session.scalar(select(func.count()).select_from(Item)) == 0


def test_who_opens_many_pages_leaves_no_row_for_each(session: Session, now: datetime) -> None:
    for n in range(30):
        presence.note(session, f"item {n}", LI, now=now + timedelta(minutes=n))
    assert session.scalars(select(Presence.place)).all() == ["item 29"]


def test_whoever_is_called_otherwise_keeps_what_is_theirs(session: Session, now: datetime) -> None:
    drafts.keep(session, WRITER, LI, typed("李"), now=now)
    presence.note(session, "item 1", LI, now=now)
    session.get_one(User, LI).name = "li2"
    session.get_one(User, WANG).name = "li"
    session.flush()
    assert drafts.unfinished(session, WRITER, WANG) == []
    assert len(drafts.unfinished(session, replace(WRITER, name="li2"), LI)) == 1
    assert [each.name for each in presence.others(session, "item 1", WANG, now=now)] == ["li2"]


def test_so_many_are_kept_and_no_more(session: Session, now: datetime) -> None:
    made = [drafts.keep(session, WRITER, LI, typed("李"), now=now) for _ in range(drafts.DRAFTS)]
    with pytest.raises(Conflict, match="50 drafts"):
        drafts.keep(session, WRITER, LI, typed("李"), now=now)
    assert drafts.keep(session, WRITER, LI, typed("李敏"), draft_id=made[0].id, saves=1, now=now).saves == 2
    assert drafts.keep(session, WRITER, WANG, typed("王"), now=now)
    for each in made[:30]:
        drafts.discard(session, WRITER, LI, each.id, now=now)
    assert drafts.keep(session, WRITER, LI, typed("李"), now=now)
    away = select(func.count()).where(ItemDraft.discarded_at.is_not(None))
    assert session.scalar(away) == drafts.AWAY


def test_so_much_is_kept_and_no_more(session: Session, now: datetime) -> None:
    full = drafts.MOST - len("retiredmobile")
    made = [drafts.keep(session, WRITER, LI, typed("长" * full), now=now) for _ in range(8)]
    with pytest.raises(Conflict, match="too long together"):
        drafts.keep(session, WRITER, LI, typed("长" * full), now=now)
    again = drafts.keep(session, WRITER, LI, typed("短" * full), draft_id=made[0].id, saves=1, now=now)
    assert again.id == made[0].id, "one goes on in what is there"
    drafts.finish(session, WRITER, LI, made[0].id)
    assert drafts.keep(session, WRITER, LI, typed("长" * full), now=now)
    drafts.discard(session, WRITER, LI, made[1].id, now=now)
    assert drafts.keep(session, WRITER, LI, typed("长" * full), now=now), "what was thrown away makes room"
