"""Whose numbers they are: of the place their member belongs to last, be it over or ahead; one notion for all doors."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from subscribers import consent, consent_files, holding, membership
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.column_wishes import SaidOfColumn, record_columns
from subscribers.consent import Said
from subscribers.errors import NotFound
from subscribers.holders import numbers_within
from subscribers.models import Wish
from tests.factories import NOW, MadeMember, generated_msisdn, make_member, make_members, make_organisation

TODAY = NOW.date()
SOON, LONG_AGO = TODAY + timedelta(days=10), date(2021, 1, 1)
#: what happened -> whether they are of the East
LIVES: dict[str, tuple[Callable[[Session], MadeMember], bool]] = {}


def life(ours: bool) -> Callable[[Callable[[Session], MadeMember]], Callable[[Session], MadeMember]]:
    def keep(made: Callable[[Session], MadeMember]) -> Callable[[Session], MadeMember]:
        LIVES[made.__name__] = (made, ours)
        return made

    return keep


@life(ours=True)
def present(session: Session) -> MadeMember:
    return make_member(session, organisation="East/Branch")


@life(ours=True)
def leaving_is_planned(session: Session) -> MadeMember:
    member = make_member(session, organisation="East/Branch")
    membership.leave(session, OPERATOR, member.id, on=SOON, now=NOW)
    return member


@life(ours=True)
def added_from_a_future_day(session: Session) -> MadeMember:
    return make_member(session, organisation="East/Branch", joined_on=SOON)


@life(ours=True)
def left(session: Session) -> MadeMember:
    return make_member(session, organisation="East/Branch", left_on=LONG_AGO)


@life(ours=True)
def came_from_the_west(session: Session) -> MadeMember:
    return relocated(session, "West", "East")


@life(ours=False)
def went_to_the_west(session: Session) -> MadeMember:
    return relocated(session, "East/Branch", "West")


@life(ours=False)
def of_the_west(session: Session) -> MadeMember:
    return make_member(session, organisation="West")


@life(ours=True)
def moved_today_and_came_that_day(session: Session) -> MadeMember:
    """Two places of one day: the later row is the last."""
    member = make_member(session, organisation="West", joined_on=TODAY)
    membership.leave(session, OPERATOR, member.id, on=TODAY, now=NOW)
    membership.rejoin(session, OPERATOR, member.id, on=TODAY, now=NOW)
    return relocate(session, member, "East", on=TODAY)


def relocated(session: Session, from_: str, to: str) -> MadeMember:
    return relocate(session, make_member(session, organisation=from_), to, on=date(2022, 2, 2))


def relocate(session: Session, member: MadeMember, to: str, *, on: date) -> MadeMember:
    held = holding.hold(session, OPERATOR, member.id)
    membership.relocate(session, held, make_organisation(session, to).id, on=on)
    session.flush()
    return member


@pytest.fixture
def clerk(session: Session) -> Actor:
    make_organisation(session, "West")
    return Actor("clerk", frozenset({Right.SEE, Right.REGISTER}), under=make_organisation(session, "East").path)


@pytest.mark.parametrize("name", LIVES)
def test_every_door_says_the_same(session: Session, clerk: Actor, tmp_path: Path, name: str) -> None:
    made, ours = LIVES[name]
    member = made(session)
    number = member.msisdn or ""
    file = tmp_path / "wishes.csv"
    file.write_text(f"{number}\n", encoding="utf-8")
    about = {"key": b"k" * 32, "now": NOW}

    def taken_in() -> None:
        zone = ZoneInfo("Asia/Shanghai")
        if consent_files.import_consent(session, clerk, file, key=b"k" * 32, now=NOW, zone=zone).refused:
            raise NotFound("refused")

    doors: dict[str, Callable[[], object]] = {
        "hold": lambda: holding.hold(session, clerk, member.id),
        "opt_in": lambda: consent.opt_in(session, clerk, number, source="operator", wording="form", now=NOW),
        "record_columns": lambda: record_columns(
            session, clerk, [SaidOfColumn("要闻", Said(number, Wish.OUT, "operator", "-"))], now=NOW
        ),
        "say": lambda: consent_files.say(session, clerk, number, Wish.OUT, wording="by letter", **about),
        "history": lambda: consent_files.history(session, clerk, number),
        "import": taken_in,
    }
    found = {}
    for door, knock in doors.items():
        try:
            knock()
            found[door] = True
        except NotFound:
            found[door] = False
    assert found == dict.fromkeys(doors, ours)
    assert (numbers_within(session, clerk.under, [number]) == {number}) == ours
    assert numbers_within(session, "", [number, "nobody's"]) == {number, "nobody's"}


def test_a_shared_number_is_of_both_places(session: Session, clerk: Actor) -> None:
    number = generated_msisdn()
    make_member(session, organisation="West", msisdn=number, shared=True)
    assert numbers_within(session, clerk.under, [number]) == set()
    make_member(session, organisation="East", msisdn=number, shared=True)
    assert numbers_within(session, clerk.under, [number]) == {number}


def test_a_thousand_numbers_take_one_statement(session: Session, clerk: Actor) -> None:
    numbers = [member.msisdn or "" for member in make_members(session, 1500, organisation="East")]
    session.flush()
    statements: list[str] = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *given: statements.append(given[2]))
    assert numbers_within(session, clerk.under, numbers) == set(numbers)
    assert len(statements) == 2
