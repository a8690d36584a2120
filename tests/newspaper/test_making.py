"""Editions made at the desk: begun, filled, put in order; by several people at once."""

from __future__ import annotations

import threading
from datetime import date, datetime

import pytest
from sqlalchemy.orm import Session

from broadcaster.campaigns import compose
from broadcaster.campaigns.dress import Dress
from broadcaster.newspaper import columns, editions, items, making
from broadcaster.newspaper.item_words import Words
from broadcaster.newspaper.items import Move
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.errors import Conflict, Invalid, NotFound, Outdated
from tests.databases import Transactions
from tests.factories import make_organisation

DAY = date(2026, 11, 23)
EDITING = frozenset({Right.SEE, Right.WRITE, Right.EDIT})


def made(session: Session, now: datetime, headline: str, *audience: str, actor: Actor = OPERATOR) -> int:
    item = items.write(session, actor, Words(headline, f"{headline}。", audience=audience or ("everyone",)), now=now)
    return items.decide(session, actor, item.id, Move.ACCEPT, now=now).id


def begun(session: Session, now: datetime, number: int = 1) -> tuple[int, int]:
    """An edition with the columns 要闻 and 关怀."""
    for name in ("要闻", "关怀"):
        columns.add(session, OPERATOR, name, now=now)
    making.begin(session, OPERATOR, number=number, day=DAY, title="一期", now=now)
    news, care = making.layout(session, OPERATOR, number).columns
    return news.id, care.id


def shown(session: Session, number: int = 1) -> dict[str, list[str]]:
    laid = making.layout(session, OPERATOR, number)
    return {column.name: [placed.item.headline for placed in column.items] for column in laid.columns}


def placement(session: Session, headline: str) -> int:
    laid = making.layout(session, OPERATOR, 1)
    return next(each.id for column in laid.columns for each in column.items if each.item.headline == headline)


def test_from_an_item_to_the_variants(session: Session, now: datetime) -> None:
    news, care = begun(session, now)
    making.set_variants(session, OPERATOR, 1, ["retired", "", "everyone"], now=now)
    heating, walk = made(session, now, "供暖"), made(session, now, "晨练", "retired")
    making.place(session, OPERATOR, 1, news, [heating, heating])
    making.place(session, OPERATOR, 1, care, [walk, heating])
    retired, everyone = editions.variants(session, editions.get(session, OPERATOR, 1))
    news_column = {"name": "要闻", "items": [{"headline": "供暖", "sms": "供暖。"}]}
    care_column = {"name": "关怀", "items": [{"headline": "晨练", "sms": "晨练。"}]}
    assert (retired.columns, everyone.columns) == ([news_column, care_column], [news_column])
    items.change(session, OPERATOR, heating, Words("供暖", "周一供暖。"), version=1, now=now)
    assert "周一供暖。" in repr(editions.variants(session, editions.get(session, OPERATOR, 1)))
    items.decide(session, OPERATOR, heating, Move.WITHDRAW, now=now)
    assert editions.variants(session, editions.get(session, OPERATOR, 1))[0].columns == [care_column]
    assert shown(session)["要闻"] == ["供暖"], "its editors still see where it stood"


def test_what_a_campaign_was_made_of_does_not_change(session: Session, now: datetime) -> None:
    news, _ = begun(session, now)
    heating = made(session, now, "供暖")
    given = {"paper": "晨晖", "language": "zh", "dress": Dress(), "now": now}
    with pytest.raises(Invalid, match="The variant everyone has no item"):
        compose.draft_edition(session, OPERATOR, 1, **given)
    making.place(session, OPERATOR, 1, news, [heating])
    campaign = compose.draft_edition(session, OPERATOR, 1, **given)
    before = compose.content_hash(campaign)
    items.change(session, OPERATOR, heating, Words("供暖", "周一供暖。"), version=1, now=now)
    session.expire_all()
    assert compose.content_hash(campaign) == before
    assert "供暖。" in repr(campaign.variants[0].context)
    assert "周一供暖。" not in repr(campaign.variants[0].context)


def test_the_next_one_begins_with_columns_and_segments_of_the_last(session: Session, now: datetime) -> None:
    begun(session, now)
    making.set_variants(session, OPERATOR, 1, ["retired", "everyone"], now=now)
    making.add_column(session, OPERATOR, 1, "特刊")
    making.begin(session, OPERATOR, number=editions.next_number(session), day=DAY, title="二期", now=now)
    laid = making.layout(session, OPERATOR, 2)
    assert [column.name for column in laid.columns] == ["要闻", "关怀", "特刊"]
    assert laid.variants == ["retired", "everyone"]
    with pytest.raises(Conflict, match="The number 2 is taken"):
        making.begin(session, OPERATOR, number=2, day=DAY, title="又一期", now=now)


def test_moved_by_steps_and_across_columns(session: Session, now: datetime) -> None:
    news, care = begun(session, now)
    making.place(session, OPERATOR, 1, news, [made(session, now, name) for name in ("甲", "乙", "丙")])
    making.move(session, OPERATOR, 1, placement(session, "丙"), down=False)
    assert shown(session) == {"要闻": ["甲", "丙", "乙"], "关怀": []}
    making.move(session, OPERATOR, 1, placement(session, "乙"), down=True)
    assert shown(session) == {"要闻": ["甲", "丙"], "关怀": ["乙"]}
    making.move(session, OPERATOR, 1, placement(session, "乙"), down=True)
    making.move(session, OPERATOR, 1, placement(session, "甲"), down=False)
    assert shown(session) == {"要闻": ["甲", "丙"], "关怀": ["乙"]}
    making.move_to(session, OPERATOR, 1, placement(session, "甲"), care, 0)
    making.move_to(session, OPERATOR, 1, placement(session, "丙"), care)
    assert shown(session) == {"要闻": [], "关怀": ["甲", "乙", "丙"]}
    making.move_to(session, OPERATOR, 1, placement(session, "丙"), care, 1)
    making.move(session, OPERATOR, 1, placement(session, "甲"), down=False)
    assert shown(session) == {"要闻": ["甲"], "关怀": ["丙", "乙"]}
    column, item = making.take_out(session, OPERATOR, 1, placement(session, "丙"))
    assert shown(session) == {"要闻": ["甲"], "关怀": ["乙"]}
    making.place(session, OPERATOR, 1, column, [item])
    assert shown(session) == {"要闻": ["甲"], "关怀": ["乙", "丙"]}
    with pytest.raises(Conflict, match="There are items in 关怀"):
        making.remove_column(session, OPERATOR, 1, care)
    making.move_to(session, OPERATOR, 1, placement(session, "甲"), care)
    making.remove_column(session, OPERATOR, 1, news)
    assert shown(session) == {"关怀": ["乙", "丙", "甲"]}


def test_what_is_not_accepted_or_not_theirs_is_not_placed(session: Session, now: datetime) -> None:
    news, _ = begun(session, now)
    draft = items.write(session, OPERATOR, Words("草稿", "草稿。"), now=now).id
    with pytest.raises(Conflict, match="not accepted"):
        making.place(session, OPERATOR, 1, news, [draft])
    branch = Actor("branch", EDITING, make_organisation(session, "东街").path)
    west = Actor("west", EDITING, make_organisation(session, "西街").path)
    theirs = made(session, now, "东街的", actor=branch)
    making.begin(session, west, number=9, day=DAY, title="西街报", now=now)
    column = making.add_column(session, west, 9, "要闻").id
    with pytest.raises(NotFound):
        making.place(session, west, 9, column, [theirs])
    with pytest.raises(NotFound):
        making.place(session, OPERATOR, 1, column, [theirs])
    # a paper from above is read, and not changed
    assert making.layout(session, branch, 1).is_own is False
    with pytest.raises(NotFound, match="no edition 1 of yours"):
        making.add_column(session, branch, 1, "x")


def test_of_the_pool_it_is_the_same_item(session: Session, now: datetime) -> None:
    shared = made(session, now, "全县")
    items.decide(session, OPERATOR, shared, Move.SHARE, now=now)
    branch = Actor("branch", EDITING, make_organisation(session, "东街").path)
    making.begin(session, branch, number=5, day=DAY, title="东街报", now=now)
    making.place(session, branch, 5, making.add_column(session, branch, 5, "要闻").id, [shared])
    assert items.stands_in(session, OPERATOR, shared) == [5]
    items.change(session, OPERATOR, shared, Words("全县", "改过了。"), version=1, now=now)
    assert "改过了。" in repr(editions.variants(session, editions.get(session, branch, 5)))


@pytest.mark.parametrize(
    "names", [[], ["everyone", "retired"], ["no_such"], ["status ="], [f"age > {n}" for n in range(31)]]
)
def test_variants_that_are_refused(session: Session, now: datetime, names: list[str]) -> None:
    begun(session, now)
    with pytest.raises(Invalid):
        making.set_variants(session, OPERATOR, 1, names, now=now)
    assert making.layout(session, OPERATOR, 1).variants == ["everyone"]


@pytest.mark.parametrize(
    ("said", "ticked"), [("离退休\n在职\n所有人", "retired"), ("Retired\nin service\neveryone", "离退休")]
)
def test_a_segment_may_be_called_as_the_pages_call_it(session: Session, now: datetime, said: str, ticked: str) -> None:
    news, _ = begun(session, now)
    making.set_variants(session, OPERATOR, 1, said.splitlines(), now=now)
    assert making.layout(session, OPERATOR, 1).variants == ["retired", "in_service", "everyone"]
    making.place(session, OPERATOR, 1, news, [made(session, now, "晨练", ticked)])
    retired, serving, _ = editions.variants(session, editions.get(session, OPERATOR, 1))
    assert ("晨练" in repr(retired.columns), serving.columns) == (True, [])


def test_numbers_and_titles_that_are_refused(session: Session, now: datetime) -> None:
    for number, title in ((0, "x"), (1_000_001, "x"), (1, " "), (1, "长" * 201)):
        with pytest.raises(Invalid):
            making.begin(session, OPERATOR, number=number, day=DAY, title=title, now=now)
    making.begin(session, OPERATOR, number=1, day=DAY, title="x", now=now)
    assert making.rename(session, OPERATOR, 1, day=date(2026, 12, 1), title="入冬", now=now).title == "入冬"
    with pytest.raises(Invalid):
        making.add_column(session, OPERATOR, 1, "")


def test_two_who_move_at_once(begin: Transactions, now: datetime) -> None:
    with begin() as tx:
        news, care = begun(tx.session, now)
        making.place(tx.session, OPERATOR, 1, news, [made(tx.session, now, str(n)) for n in range(6)])
        placed = [each.id for each in making.layout(tx.session, OPERATOR, 1).columns[0].items]
    ready = threading.Barrier(2)

    def move(mine: list[int]) -> None:
        ready.wait()
        for each in mine:
            with begin() as tx:
                making.move_to(tx.session, OPERATOR, 1, each, care, 0)

    both = [threading.Thread(target=move, args=(placed[half::2],)) for half in (0, 1)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    with begin() as tx:
        laid = making.layout(tx.session, OPERATOR, 1)
        assert [sorted(each.id for each in column.items) for column in laid.columns] == [[], sorted(placed)]


def test_of_two_who_set_the_variants_at_once_none_wins_unheard(begin: Transactions, now: datetime) -> None:
    with begin() as tx:
        begun(tx.session, now)
    ready, told = threading.Barrier(2), []

    def choose(name: str) -> None:
        ready.wait()
        try:
            with begin() as tx:
                mine = Actor(name, EDITING)
                making.set_variants(tx.session, mine, 1, [name, "everyone"], read=["everyone"], now=now)
        except Outdated as error:
            told.append((name, error.fields["who"]))

    both = [threading.Thread(target=choose, args=(name,)) for name in ("retired", "mobile")]
    for one in both:
        one.start()
    for one in both:
        one.join()
    ((second, first),) = told
    with begin() as tx:
        assert making.layout(tx.session, OPERATOR, 1).variants == [first, "everyone"]
        # who wants the same as the other has nothing to decide
        making.set_variants(tx.session, OPERATOR, 1, [first, "everyone"], read=["everyone"], now=now)
        # and who has seen what the other did takes their own
        making.set_variants(tx.session, OPERATOR, 1, [second, "everyone"], read=[first, "everyone"], now=now)
        assert making.layout(tx.session, OPERATOR, 1).variants == [second, "everyone"]


def test_an_edition_of_the_desk_is_no_file(session: Session, now: datetime) -> None:
    news, _ = begun(session, now)
    making.place(session, OPERATOR, 1, news, [made(session, now, "供暖")])
    file = 'number = 1\ndate = 2026-11-23\ntitle = "x"\nvariants = ["everyone"]\n[[columns]]\nname = "a"\n'
    with pytest.raises(Conflict, match="with other content"):
        editions.import_edition(session, OPERATOR, file + '[[columns.items]]\nheadline = "b"\nsms = "c"\n', now=now)
