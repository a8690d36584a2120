"""Pictures of items: whose they are, who sees them, how long they are kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from broadcaster.access.models import User
from broadcaster.newspaper import drafts, items, making, pictures, publishing
from broadcaster.newspaper.item_words import Words
from broadcaster.newspaper.items import Move
from broadcaster.newspaper.models import Picture
from subscribers.actor import Actor, Right
from subscribers.errors import Invalid, NotFound
from tests.factories import NOW, make_organisation
from tests.pictures import shrunk

CHIEF = Actor("chief", frozenset(Right))
WORDS = Words("食堂", "食堂开了。")


def below(session: Session, name: str = "li", place: str = "东街") -> Actor:
    return Actor(name, frozenset(Right), under=make_organisation(session, place).path)


def with_picture(session: Session, actor: Actor, *, alt: str = "三位老人在排队") -> tuple[int, int]:
    picture = pictures.keep(session, actor, shrunk(), now=NOW)
    words = replace(WORDS, picture_id=picture, alt=alt)
    return items.write(session, actor, words, now=NOW).id, picture


def count(session: Session) -> int:
    return session.scalar(select(func.count(Picture.id))) or 0


def test_the_same_one_is_kept_once(session: Session) -> None:
    one = pictures.keep(session, CHIEF, shrunk(), now=NOW)
    assert pictures.keep(session, CHIEF, shrunk(), now=NOW) == one
    assert pictures.keep(session, CHIEF, shrunk(blue=0), now=NOW) != one
    assert pictures.keep(session, below(session), shrunk(), now=NOW) != one
    told = pictures.facts(session, CHIEF, one)
    assert told is not None
    assert (told.width, told.height, told.large_width) == (640, 480, 1280)
    assert told.size == len(pictures.look(session, CHIEF, one))
    assert told.large_size == len(pictures.look(session, CHIEF, one, large=True))


def test_words_belong_to_it(session: Session) -> None:
    picture = pictures.keep(session, CHIEF, shrunk(), now=NOW)
    for alt in ("", "  \u200b "):
        with pytest.raises(Invalid, match="what is in the picture"):
            items.write(session, CHIEF, replace(WORDS, picture_id=picture, alt=alt), now=NOW)
    with pytest.raises(Invalid, match="150 are the most"):
        items.write(session, CHIEF, replace(WORDS, picture_id=picture, alt="长" * 151), now=NOW)
    made = items.write(session, CHIEF, replace(WORDS, picture_id=picture, alt=" 排队\n的人 "), now=NOW)
    assert items.words_of(made).alt == "排队的人"
    alone = items.write(session, CHIEF, replace(WORDS, alt="没有图"), now=NOW)
    assert items.words_of(alone).alt == ""


def test_put_in_changed_taken_out(session: Session) -> None:
    item, picture = with_picture(session, CHIEF)
    other = pictures.keep(session, CHIEF, shrunk(blue=0), now=NOW)
    words = items.words_of(items.get(session, CHIEF, item))
    assert (words.picture_id, words.alt) == (picture, "三位老人在排队")
    steps = (replace(words, picture_id=other, alt="灶台"), replace(words, picture_id=None, alt=""), words)
    for version, wanted in enumerate(steps, start=1):
        items.change(session, CHIEF, item, wanted, version=version, now=NOW)
        session.expire_all()
        assert items.words_of(items.get(session, CHIEF, item)) == wanted


def test_who_sees_it(session: Session) -> None:
    mine, others = below(session), below(session, "zhang", "西街")
    item, picture = with_picture(session, mine)
    assert pictures.look(session, CHIEF, picture), "whoever sees the item"
    assert pictures.facts(session, others, picture) is None
    with pytest.raises(NotFound):
        pictures.look(session, others, picture)
    with pytest.raises(Invalid, match="not here any more"):
        items.write(session, others, replace(WORDS, picture_id=picture, alt="别人的图"), now=NOW)
    items.decide(session, mine, item, Move.ACCEPT, now=NOW)
    alone = pictures.keep(session, CHIEF, shrunk(blue=1), now=NOW)
    with pytest.raises(NotFound):
        pictures.look(session, mine, alone)
    with pytest.raises(Invalid):
        items.write(session, mine, replace(WORDS, picture_id=10**9, alt="没有"), now=NOW)


def test_a_copy_from_the_pool_has_it(session: Session) -> None:
    branch = below(session)
    item, picture = with_picture(session, CHIEF)
    items.decide(session, CHIEF, item, Move.ACCEPT, now=NOW)
    with pytest.raises(NotFound):
        pictures.look(session, branch, picture)
    items.decide(session, CHIEF, item, Move.SHARE, now=NOW)
    made = items.copy(session, branch, item, now=NOW)
    assert items.words_of(made) == replace(WORDS, picture_id=picture, alt="三位老人在排队")
    items.decide(session, CHIEF, item, Move.UNSHARE, now=NOW)
    assert pictures.look(session, branch, picture), "the copy is theirs"
    assert count(session) == 1


def test_so_many_in_a_day(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MOST", 2)
    for blue in (1, 2):
        pictures.keep(session, CHIEF, shrunk(blue=blue), now=NOW)
    with pytest.raises(Invalid, match="2 pictures a day"):
        pictures.keep(session, CHIEF, shrunk(blue=3), now=NOW)
    pictures.keep(session, CHIEF, shrunk(blue=1), now=NOW)
    pictures.keep(session, CHIEF, shrunk(blue=3), now=NOW + timedelta(days=1))


def test_what_nothing_names_is_forgotten(session: Session) -> None:
    item, of_item = with_picture(session, CHIEF)
    in_draft, alone = (pictures.keep(session, CHIEF, shrunk(blue=blue), now=NOW) for blue in (1, 2))
    session.add(User(id=1, name="chief", role="editor", password_hash="x", created_by="x", created_at=NOW))
    session.flush()
    draft = drafts.keep(session, CHIEF, 1, [("headline", "x"), (pictures.FIELD, str(in_draft))], now=NOW)
    # a number that only begins like it
    drafts.keep(session, CHIEF, 1, [(pictures.FIELD, f"{alone}0"), ("alt", f'["picture", "{alone}"')], now=NOW)
    making.begin(session, CHIEF, number=1, day=date(2026, 11, 23), title="报", now=NOW)
    column = making.add_column(session, CHIEF, 1, "要闻").id
    items.decide(session, CHIEF, item, Move.ACCEPT, now=NOW)
    making.place(session, CHIEF, 1, column, [item])
    publishing.publish(session, CHIEF, 1, now=NOW)
    words = items.words_of(items.get(session, CHIEF, item))
    items.change(session, CHIEF, item, replace(words, picture_id=None), version=1, now=NOW)
    late = NOW + pictures.KEPT + timedelta(seconds=1)
    assert pictures.forget_unused(session, now=NOW + pictures.KEPT) == 0
    assert pictures.forget_unused(session, now=late) == 1
    assert pictures.facts(session, CHIEF, alone) is None
    assert pictures.of_page(session, 1, item) is not None
    drafts.finish(session, CHIEF, 1, draft.id)
    publishing.take_down(session, CHIEF, 1, now=NOW)
    # handed in once more: it is wanted again
    pictures.keep(session, CHIEF, shrunk(blue=1), now=late)
    assert pictures.forget_unused(session, now=late) == 1
    assert pictures.facts(session, CHIEF, of_item) is None
    assert pictures.facts(session, CHIEF, in_draft) is not None
