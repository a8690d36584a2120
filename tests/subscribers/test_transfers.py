"""Transfers: asked by one side, accepted by the other, counted once on every day."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from subscribers import forgetting, membership, records, transfers
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.errors import BroadsheetError, Conflict, Denied, Invalid, NotFound
from subscribers.models import Audit, Membership, Transfer, TransferState
from subscribers.transfers import Side
from tests.databases import Transactions
from tests.factories import NOW, MadeMember, make_member, make_organisation

TODAY = NOW.date()
RIGHTS = frozenset({Right.SEE, Right.REGISTER})


class Town:
    """Two districts, each with a clerk, and a member of the eastern one."""

    def __init__(self, session: Session) -> None:
        east, west = make_organisation(session, "Town/East"), make_organisation(session, "Town/West")
        make_organisation(session, "Town/West/First")
        make_organisation(session, "Town/North")
        self.east, self.west = (Actor(name, RIGHTS, o.path) for name, o in (("east", east), ("west", west)))
        self.north = Actor("north", RIGHTS, make_organisation(session, "Town/North").path)
        self.member: MadeMember = make_member(session, name="读者甲", organisation=east, status="retired", mobile=True)


def ask(session: Session, actor: Actor, member: int, to: str = "Town/West/First", **more: object) -> Transfer:
    return transfers.ask(session, actor, member, to, on=TODAY, now=NOW, **more)  # type: ignore[arg-type]


def test_asked_by_the_old_side_and_accepted_by_the_new(session: Session) -> None:
    town = Town(session)
    asked = ask(session, town.east, town.member.id, reason="moved  house")
    assert (asked.state, asked.reason, asked.expires_at - NOW) == ("asked", "moved house", timedelta(days=30))
    with pytest.raises(Conflict, match="other side"):
        transfers.accept(session, town.east, asked.id, on=TODAY, now=NOW)
    [seen] = transfers.listing(session, town.west, side=Side.IN)
    # a name, and nothing else of somebody who is not theirs yet
    assert (seen.name, seen.member_id, seen.from_organisation, seen.ours_to_decide) == (
        "读者甲",
        None,
        "Town/East",
        True,
    )
    with pytest.raises(NotFound):
        records.show(session, town.west, town.member.id, on=TODAY, now=NOW)
    done = transfers.accept(session, town.west, asked.id, on=TODAY, now=NOW)
    assert (done.state, done.decided_by, done.effective_on) == ("accepted", "west", TODAY)
    record = records.show(session, town.west, town.member.id, on=TODAY, now=NOW)
    assert (record.organisation, record.status, record.mobile) == ("Town/West/First", "retired", True)
    assert [(one.what, one.organisation, one.by) for one in record.history if one.what not in ("in",)] == [
        ("joined", "", ""),
        ("moved", "Town/West/First", ""),
        ("asked", "Town/West/First", "east"),
        ("accepted", "Town/West/First", "west"),
    ]
    with pytest.raises(NotFound):
        records.show(session, town.east, town.member.id, on=TODAY, now=NOW)
    assert [audit.deed for audit in session.scalars(select(Audit).order_by(Audit.id))] == [
        "transfers.ask",
        "transfers.accepted",
    ]
    old, new = session.scalars(select(Membership).order_by(Membership.valid_from)).all()
    assert (old.valid_until, new.valid_from, new.valid_until) == (TODAY, TODAY, None)


def test_asked_by_the_new_side_who_must_know_the_name(session: Session) -> None:
    town = Town(session)
    for name in ("", "读者乙", " "):
        with pytest.raises(NotFound, match=f"no member {town.member.id} here"):
            ask(session, town.west, town.member.id, name=name)
    with pytest.raises(NotFound, match="no member 4711 here"):
        ask(session, town.west, 4711, name="读者甲")
    with pytest.raises(NotFound):
        ask(session, town.north, town.member.id, name="读者甲")
    asked = ask(session, town.west, town.member.id, name="读者 甲")
    with pytest.raises(Conflict, match="other side"):
        transfers.refuse(session, town.west, asked.id, now=NOW)
    with pytest.raises(Conflict, match="other side"):
        transfers.withdraw(session, town.east, asked.id, now=NOW)
    assert transfers.listing(session, town.east)[0].member_id == town.member.id
    assert transfers.refuse(session, town.east, asked.id, now=NOW).decided_by == "east"
    with pytest.raises(Conflict, match="decided already, by east"):
        transfers.accept(session, town.east, asked.id, on=TODAY, now=NOW)


def test_others_see_nothing(session: Session) -> None:
    town = Town(session)
    asked = ask(session, town.east, town.member.id)
    assert transfers.listing(session, town.north) == []
    assert transfers.listing(session, town.west, member_id=town.member.id) == []
    assert transfers.listing(session, town.west, side=Side.OUT) == []
    for act in (transfers.refuse, transfers.withdraw):
        for id_ in (asked.id, 4711):
            with pytest.raises(NotFound, match="There is no transfer"):
                act(session, town.north, id_, now=NOW)
    with pytest.raises(Denied):
        ask(session, Actor("reader", frozenset({Right.SEE})), town.member.id)


def test_one_person_over_both_sides_may_do_both_and_is_named(session: Session) -> None:
    town = Town(session)
    asked = ask(session, OPERATOR, town.member.id)
    done = transfers.accept(session, OPERATOR, asked.id, on=TODAY, now=NOW)
    assert (done.asked_by, done.decided_by) == ("operator", "operator")


def test_nobody_is_asked_for_twice_at_once(session: Session) -> None:
    town = Town(session)
    first = ask(session, town.east, town.member.id)
    with pytest.raises(Conflict, match="open already"):
        ask(session, town.east, town.member.id, "Town/North")
    transfers.withdraw(session, town.east, first.id, now=NOW)
    ask(session, town.east, town.member.id, "Town/North")


@pytest.mark.parametrize(
    ("to", "more", "error"),
    [
        ("Town/Nowhere", {}, NotFound),
        ("", {}, Invalid),
        ("Town/East", {}, Conflict),
        ("Town/West", {"days": 0}, Invalid),
        ("Town/West", {"days": 10_000}, Invalid),
        ("Town/West", {"reason": "x" * 201}, Invalid),
        ("Town/West", {"reason": "a\0b"}, Invalid),
    ],
)
def test_what_cannot_be_asked(session: Session, to: str, more: dict[str, object], error: type[BroadsheetError]) -> None:
    town = Town(session)
    with pytest.raises(error):
        ask(session, OPERATOR, town.member.id, to, **more)
    make_organisation(session, "Town/North").closed_on = TODAY
    with pytest.raises(Conflict, match="closed"):
        ask(session, OPERATOR, town.member.id, "Town/North")


def test_what_was_closed_since_takes_nobody_in(session: Session) -> None:
    town = Town(session)
    asked = ask(session, town.east, town.member.id, "Town/West")
    make_organisation(session, "Town/West").closed_on = TODAY
    with pytest.raises(Conflict, match="Town/West is closed"):
        transfers.accept(session, town.west, asked.id, on=TODAY, now=NOW)
    [seen] = transfers.listing(session, town.west)
    assert seen.state == TransferState.ASKED


def test_time_runs_out(session: Session) -> None:
    town = Town(session)
    asked = ask(session, town.east, town.member.id, days=2)
    assert transfers.expire(session, now=NOW + timedelta(days=1)) == 0
    late = NOW + timedelta(days=2)
    with pytest.raises(Conflict, match="time"):
        transfers.accept(session, town.west, asked.id, on=TODAY, now=late)
    assert (transfers.expire(session, now=late), transfers.expire(session, now=late)) == (1, 0)
    with pytest.raises(Conflict, match="time"):
        transfers.accept(session, town.west, asked.id, on=TODAY, now=late)
    [seen] = transfers.listing(session, town.east, state=TransferState.EXPIRED)
    assert (seen.decided_by, seen.ours_to_decide) == (None, False)
    ask(session, town.east, town.member.id)


def test_what_happened_in_the_meantime_is_told(session: Session) -> None:
    town = Town(session)
    asked = ask(session, town.east, town.member.id)
    membership.leave(session, town.east, town.member.id, on=TODAY, now=NOW)
    with pytest.raises(Conflict, match="left since"):
        transfers.accept(session, town.west, asked.id, on=TODAY, now=NOW)
    membership.rejoin(session, OPERATOR, town.member.id, organisation="Town/North", on=TODAY, now=NOW)
    with pytest.raises(Conflict, match="moved to another"):
        transfers.accept(session, town.west, asked.id, on=TODAY, now=NOW)
    transfers.refuse(session, town.west, asked.id, now=NOW)
    other = make_member(session, organisation="Town/East")
    again = ask(session, town.east, other.id, reason="her own words")
    forgetting.forget(session, OPERATOR, other.id, key=b"k" * 32, on=TODAY, now=NOW)
    with pytest.raises(Conflict, match="decided already, by operator"):
        transfers.accept(session, town.west, again.id, on=TODAY, now=NOW)
    assert transfers.listing(session, OPERATOR)[0].reason == ""


def test_what_is_planned_moves_along(session: Session) -> None:
    town = Town(session)
    later = TODAY + timedelta(days=9)
    membership.update_status(session, town.east, town.member.id, mobile=False, on=later, now=NOW)
    asked = ask(session, town.east, town.member.id)
    transfers.accept(session, town.west, asked.id, on=TODAY, now=NOW)
    places = session.scalars(select(Membership).order_by(Membership.valid_from)).all()
    assert [(p.organisation_id == asked.to_organisation_id, p.valid_from, p.mobile) for p in places[1:]] == [
        (True, TODAY, True),
        (True, later, False),
    ]
    assert places[1].valid_until == later


def test_of_two_who_accept_at_once_one_does(engine: Engine, begin: Transactions) -> None:
    with begin() as tx:
        town = Town(tx.session)
        transfer = ask(tx.session, town.east, town.member.id).id
    told: list[str] = []
    together = threading.Barrier(2)

    def accept(name: str) -> None:
        together.wait()
        try:
            with begin() as tx:
                transfers.accept(tx.session, Actor(name, RIGHTS, town.west.under), transfer, on=TODAY, now=NOW)
            told.append("accepted")
        except Conflict as error:
            told.append(str(error))

    threads = [threading.Thread(target=accept, args=(name,)) for name in ("first", "second")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told)[1] == "accepted" or sorted(told)[0] == "accepted"
    assert any("was decided already" in one for one in told)
    with begin() as tx:
        assert len(tx.session.scalars(select(Membership)).all()) == 2
