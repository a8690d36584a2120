"""A part of the tree is moved: campaigns, editions and reports of a place stay with it, wherever it hangs."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

import broadcaster.access.models
import broadcaster.replies.models  # noqa: F401 - every table that there is
from broadcaster import moving
from broadcaster.campaigns import compose
from broadcaster.campaigns.audience import count_audience
from broadcaster.campaigns.compose import content_hash
from broadcaster.campaigns.dress import Dress
from broadcaster.campaigns.models import Campaign
from broadcaster.delivery import control
from broadcaster.newspaper import editions
from broadcaster.newspaper.models import Edition
from broadcaster.reports.campaign import CampaignReport, campaigns
from broadcaster.reports.overview import overview
from broadcaster.reports.scope import Scope
from subscribers import audit, organisations
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.db import Base
from subscribers.errors import Conflict, Denied, NotFound
from subscribers.models import Organisation
from tests.databases import Transactions
from tests.delivery.ledger import ROUTE
from tests.factories import NOW, make_members, make_organisation
from tests.reports.ledger import make_campaign, make_message
from tests.rules import ROOT

TODAY = NOW.date()
#: the place of the tests, what is above it, beside it, and elsewhere
ABOVE, HOME, BESIDE, ELSEWHERE = "省/东城", "省/东城/一支部", "省/东城/二支部", "省/西城"
#: what is moved, where to -> the home after it
MOVES = {
    "the place itself": (HOME, ELSEWHERE, "省/西城/一支部"),
    "the place itself, to the top": (HOME, "", "一支部"),
    "the place above": (ABOVE, ELSEWHERE, "省/西城/东城/一支部"),
    "the place above, to the top": (ABOVE, "", "东城/一支部"),
    "the place beside": (BESIDE, ELSEWHERE, HOME),
}
EDITION = """
number = {number}
date = 2026-11-23
title = "{title}"
variants = ["retired", "everyone"]
[[columns]]
name = "要闻"
[[columns.items]]
headline = "开会"
sms = "周五开会。"
"""


class Desk:
    """Who works at a place, and what they have there: a draft, an edition, a campaign that is being sent."""

    def __init__(self, session: Session, names: str, number: int) -> None:
        self.session = session
        self.place = make_organisation(session, names).id
        make_members(session, 2, organisation=names, status="retired")
        make_members(session, 1, organisation=f"{names}/小组")
        self.edition = editions.import_edition(
            session, self.actor, EDITION.format(number=number, title=names), now=NOW
        ).number
        self.draft = compose.draft_notice(
            session, self.actor, "您好", rule=f'under("{names}")', dress=Dress(), now=NOW
        ).id
        self.sending = make_campaign(session, under=self.actor.under, prepared_at=NOW).id
        for state in ("delivered", "failed", "queued"):
            make_message(session, session.get_one(Campaign, self.sending), state, organisation=names)

    @property
    def path(self) -> str:
        return self.session.scalars(select(Organisation.path).where(Organisation.id == self.place)).one()

    @property
    def actor(self) -> Actor:
        return Actor(f"desk {self.place}", frozenset(Right), self.path)

    def audience(self) -> int:
        """How many the draft would go to."""
        draft = compose.get(self.session, self.actor, self.draft)
        return count_audience(self.session, draft, ROUTE, on=TODAY).recipients

    def report(self) -> list[CampaignReport]:
        return campaigns(self.session, self.actor, Scope())

    def seen(self, actor: Actor) -> set[str]:
        """Which of its things somebody sees."""
        found = {f"campaign {one.id}" for one in compose.listing(self.session, actor)}
        found |= {f"edition {one.number}" for one in editions.listing(self.session, actor)}
        found |= {f"report {one.id}" for one in campaigns(self.session, actor, Scope())}
        return found & self.all

    @property
    def all(self) -> set[str]:
        return {
            f"campaign {self.draft}",
            f"campaign {self.sending}",
            f"edition {self.edition}",
            f"report {self.sending}",
        }


def chief_of(session: Session, names: str) -> Actor:
    return Actor("chief", frozenset(Right), organisations.find_by_path(session, OPERATOR, names).path)


@pytest.fixture
def desk(session: Session) -> Desk:
    for names in (ABOVE, BESIDE, ELSEWHERE):
        make_members(session, 1, organisation=names)
    return Desk(session, HOME, 1)


@pytest.mark.parametrize("what", MOVES)
def test_a_desk_keeps_what_it_has(session: Session, desk: Desk, what: str) -> None:
    moved, under, home = MOVES[what]
    before, report = (desk.audience(), desk.path), desk.report()
    assert before[0] == 6
    assert [(one.recipients, one.delivered, one.failed) for one in report] == [(3, 1, 1)]
    moving.move(session, OPERATOR, moved, under=under, now=NOW)
    assert organisations.names_of(session, [desk.path]) == {desk.path: home}
    assert (desk.path == before[1]) == (what == "the place beside")
    assert desk.audience() == 6
    assert desk.seen(desk.actor) == desk.all
    assert desk.report() == report
    current = overview(session, desk.actor).current
    assert current is not None
    assert (current.id, current.recipients) == (desk.sending, 3)
    control.pause(session, desk.actor, compose.get(session, desk.actor, desk.sending), now=NOW)
    # and goes on as before
    drafted = compose.draft_edition(
        session, desk.actor, desk.edition, paper="晨晖", language="zh", dress=Dress(), now=NOW
    )
    assert count_audience(session, drafted, ROUTE, on=TODAY).recipients == 6
    assert drafted.under == desk.path


@pytest.mark.parametrize("moved", [HOME, ABOVE])
def test_what_moved_out_of_sight_is_gone(session: Session, desk: Desk, moved: str) -> None:
    old, new = chief_of(session, moved.rpartition("/")[0]), chief_of(session, ELSEWHERE)
    if moved == ABOVE:
        make_organisation(session, "又一省")
        new = chief_of(session, "又一省")
    assert (desk.seen(old), desk.seen(new)) == (desk.all, set())
    moving.move(session, OPERATOR, moved, under=organisations.home_of(session, new), now=NOW)
    assert (desk.seen(old), desk.seen(new)) == (set(), desk.all)
    for look in (
        lambda: compose.get(session, old, desk.draft),
        lambda: compose.get(session, old, desk.sending),
        lambda: editions.get(session, old, desk.edition),
    ):
        with pytest.raises(NotFound):
            look()
    seen = overview(session, old)
    assert desk.sending not in {one.id for one in (*seen.others, seen.current) if one}


def test_those_beside_see_as_much_as_before(session: Session, desk: Desk) -> None:
    beside = Desk(session, BESIDE, 2)
    assert (desk.seen(beside.actor), beside.seen(desk.actor)) == (set(), set())
    for under in (ELSEWHERE, "", BESIDE):
        names = organisations.names_of(session, [desk.path])[desk.path]
        moving.move(session, OPERATOR, names, under=under, now=NOW)
        assert (desk.seen(beside.actor), desk.seen(desk.actor)) == (desk.all if under == BESIDE else set(), desk.all)
        assert (beside.seen(desk.actor) - {"edition 2"}, beside.seen(beside.actor)) == (set(), beside.all)
    # a paper of the place above is read below it
    assert "edition 2" in beside.seen(desk.actor)
    assert (desk.audience(), beside.audience()) == (6, 13)


def test_a_rule_that_was_frozen_means_the_same_places(session: Session, desk: Desk) -> None:
    above = compose.draft_notice(
        session, chief_of(session, "省"), "您好", rule='under("东城/一支部")', dress=Dress(), now=NOW
    )
    other = compose.draft_notice(session, chief_of(session, "省"), "您好", rule='under("西城")', dress=Dress(), now=NOW)
    hashes = [content_hash(session.get_one(Campaign, id_)) for id_ in (desk.draft, above.id)]
    counted = [count_audience(session, each, ROUTE, on=TODAY).recipients for each in (above, other)]
    moving.move(session, OPERATOR, HOME, under=ELSEWHERE, now=NOW)
    session.expire_all()
    assert counted == [6, 1]
    assert [count_audience(session, each, ROUTE, on=TODAY).recipients for each in (above, other)] == [6, 7]
    # what was approved is what it was
    assert [content_hash(session.get_one(Campaign, id_)) for id_ in (desk.draft, above.id)] == hashes


def test_what_is_under_a_closed_place_goes_with_its_heir(session: Session, desk: Desk) -> None:
    own, draft = Desk(session, ABOVE, 3), desk.draft
    report = desk.report()
    closed = moving.close(session, OPERATOR, ABOVE, on=TODAY, into=ELSEWHERE, now=NOW)
    # the closed one itself does not move, and what was made there stays with it
    assert closed.organisations == 4
    assert session.get_one(Campaign, own.draft).under == own.path == closed.organisation.path
    assert organisations.names_of(session, [desk.path])[desk.path] == "省/西城/一支部"
    assert (desk.audience(), desk.report(), desk.seen(desk.actor)) == (6, report, desk.all)
    assert (desk.seen(own.actor), desk.seen(chief_of(session, ELSEWHERE))) == (set(), desk.all)
    assert session.get_one(Campaign, draft).under.startswith(chief_of(session, ELSEWHERE).under)


def test_closing_without_an_heir_changes_no_path(session: Session, desk: Desk) -> None:
    make_organisation(session, "省/空")
    draft = compose.draft_notice(session, chief_of(session, "省/空"), "您好", rule="everyone", dress=Dress(), now=NOW)
    moving.close(session, OPERATOR, "省/空", on=TODAY, now=NOW)
    assert compose.get(session, chief_of(session, "省/空"), draft.id).under == draft.under


def test_paths_that_begin_alike_are_not_mistaken(session: Session) -> None:
    """1/ and 11/, 1/2/ and 2/."""
    places = [make_organisation(session, f"城{n}") for n in range(12)]
    inner = [make_organisation(session, f"城0/{n}") for n in range(12)]
    made = {one.id: make_campaign(session, under=one.path) for one in (*places, *inner)}
    whole = make_campaign(session)
    moving.move(session, OPERATOR, "城0/1", under="城2", now=NOW)
    moving.move(session, OPERATOR, "城0", under="城3", now=NOW)
    session.expire_all()
    paths = dict(session.execute(select(Organisation.id, Organisation.path)).all())
    assert {id_: campaign.under for id_, campaign in made.items()} == paths
    assert whole.under == ""


def test_a_scoped_person_moves_within_their_part(session: Session, desk: Desk) -> None:
    chief = chief_of(session, ABOVE)
    with pytest.raises(NotFound):
        moving.move(session, chief, HOME, under=ELSEWHERE, now=NOW)
    with pytest.raises(NotFound):
        moving.close(session, chief, HOME, on=TODAY, into=ELSEWHERE, now=NOW)
    with pytest.raises(Denied):
        moving.move(session, chief, ABOVE, under=BESIDE, now=NOW)
    assert desk.seen(desk.actor) == desk.all
    assert moving.move(session, chief, HOME, under=BESIDE, now=NOW) == 2
    assert desk.seen(desk.actor) == desk.all == desk.seen(chief)


def test_a_refused_move_changes_no_path(session: Session, desk: Desk) -> None:
    make_organisation(session, f"{ELSEWHERE}/一支部")
    for names, under in ((HOME, ELSEWHERE), (ABOVE, HOME)):
        with pytest.raises(Conflict):
            moving.move(session, OPERATOR, names, under=under, now=NOW)
    assert desk.seen(desk.actor) == desk.all


def test_the_audit_stays_where_it_was_written(session: Session, desk: Desk) -> None:
    audit.note(session, desk.actor, "members.export", "before", now=NOW)
    old, new = chief_of(session, ABOVE), chief_of(session, ELSEWHERE)
    moving.move(session, OPERATOR, HOME, under=ELSEWHERE, now=NOW)
    audit.note(session, desk.actor, "members.export", "after", now=NOW)
    found = [[one.thing for one in audit.read(session, actor, deed="members")] for actor in (OPERATOR, old, new)]
    assert found == [["after", "before"], ["before"], ["after"]]


def test_whoever_drafts_at_a_place_that_is_gone_is_told(session: Session, desk: Desk) -> None:
    stale = desk.actor
    moving.move(session, OPERATOR, HOME, under=ELSEWHERE, now=NOW)
    with pytest.raises(Conflict, match="moved at this moment"):
        compose.draft_notice(session, stale, "您好", rule="everyone", dress=Dress(), now=NOW)
    with pytest.raises(Conflict, match="moved at this moment"):
        editions.import_edition(session, stale, EDITION.format(number=9, title="x"), now=NOW)
    assert session.scalar(select(func.count()).select_from(Edition)) == 1


def test_a_draft_and_a_move_at_once_end_with_the_draft_in_its_place(begin: Transactions) -> None:
    with begin() as tx:
        home = make_organisation(tx.session, HOME)
        make_organisation(tx.session, ELSEWHERE)
        actor, place = Actor("desk", frozenset(Right), home.path), home.id
    drafted, told = threading.Event(), []

    def move() -> None:
        drafted.wait()
        with begin() as tx:
            told.append(moving.move(tx.session, OPERATOR, HOME, under=ELSEWHERE, now=tx.now))

    other = threading.Thread(target=move)
    other.start()
    with begin() as tx:
        draft = compose.draft_notice(tx.session, actor, "您好", rule="everyone", dress=Dress(), now=tx.now).id
        drafted.set()
        # as long as it is not committed, the other cannot see it, and must not go on
        other.join(timeout=0.5)
        assert told == []
    other.join()
    assert told == [1]
    with begin() as tx:
        path = tx.session.scalars(select(Organisation.path).where(Organisation.id == place)).one()
        assert compose.get(tx.session, replace(actor, under=path), draft).under == path != actor.under


def test_every_table_that_keeps_a_path_is_rewritten() -> None:
    kept = {f"{table.name}.{column.name}" for table in Base.metadata.tables.values() for column in table.columns}
    rewritten = {f"{each.class_.__tablename__}.{each.key}" for each in moving.PATHS}
    assert {name for name in kept if name.rpartition(".")[2] in ("under", "path")} - rewritten == {
        # the tree itself, and what tells of the past
        "organisation.path",
        "audit.under",
    }


def test_nobody_moves_the_tree_past_this_room() -> None:
    files = [file for file in (ROOT / "broadcaster").rglob("*.py") if file.name != "moving.py"]
    text = {file.name: file.read_text("utf-8") for file in files}
    assert [name for name, read in text.items() if "tree_changes.move" in read or "tree_changes.close" in read] == []
