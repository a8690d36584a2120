"""Users: who may make whom, where; what ends when something of theirs is changed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.access import passwords, sessions, sign_in, users
from broadcaster.access.models import Role, User
from broadcaster.access.roles import rights_of
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.errors import Conflict, Denied, Invalid, NotFound
from subscribers.models import Audit, Organisation
from tests.factories import NOW, make_organisation

GOOD = "correct horse battery"


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "hashed", lambda password: f"hash of {password}")
    monkeypatch.setattr(passwords, "matches", lambda password, kept: (kept == f"hash of {password}", None))


def add(session: Session, name: str, role: str = "editor", under: str = "", actor: Actor = OPERATOR) -> users.Account:
    return users.add(session, actor, name, role, under=under, password=GOOD, now=NOW)


def admin_of(session: Session, place: str) -> Actor:
    path = make_organisation(session, place).path
    return Actor("chief", rights_of(Role.ADMIN, path), path)


def deeds(session: Session) -> list[str]:
    return list(session.scalars(select(Audit.deed).order_by(Audit.id)))


def test_a_user_has_one_role_at_one_place(session: Session) -> None:
    make_organisation(session, "East City/First Branch")
    made = add(session, " Zhang Wei ", under="East City/First Branch")
    assert (made.name, made.role, made.under, made.created_by) == (
        "zhang wei",
        "editor",
        "East City/First Branch",
        "operator",
    )
    assert [one.name for one in users.listing(session, OPERATOR)] == ["zhang wei"]
    assert deeds(session) == ["users.add"]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "a\x00b",
        "a\nb",
        "\x1b[31m",
        "x" * 61,
        "x" * 10_000,
        "a/b",
        "\u202eabc",
        "operator",
        "SYSTEM",
        "\ufdfa" * 60,
    ],
)
def test_what_is_no_name(session: Session, name: str) -> None:
    with pytest.raises(Invalid) as refused:
        add(session, name)
    assert len(str(refused.value)) < 300
    assert users.listing(session, OPERATOR) == []


@pytest.mark.parametrize("role", ["", "root", "Editor", "x" * 10_000, "admin\x00"])
def test_what_is_no_role(session: Session, role: str) -> None:
    with pytest.raises(Invalid, match="There is no role"):
        add(session, "li", role)


@pytest.mark.parametrize("under", ["Nowhere", "East City/Nowhere", "x" * 199])
def test_what_is_no_place(session: Session, under: str) -> None:
    make_organisation(session, "East City")
    with pytest.raises(NotFound):
        add(session, "li", under=under)


def test_a_name_is_taken_once_however_it_is_written(session: Session) -> None:
    add(session, "Li")
    with pytest.raises(Conflict):
        add(session, "ＬＩ")
    assert len(users.listing(session, OPERATOR)) == 1


def test_an_administrator_of_a_part_stays_in_it(session: Session) -> None:
    make_organisation(session, "West City")
    chief = admin_of(session, "East City")
    assert add(session, "near", "admin", actor=chief).under == "East City"
    assert add(session, "below", under="East City", actor=chief).under == "East City"
    add(session, "far", under="West City")
    add(session, "above", "viewer")
    for under in ("West City", "Nowhere"):
        with pytest.raises(NotFound):
            add(session, "x", under=under, actor=chief)
    assert [one.name for one in users.listing(session, chief)] == ["below", "near"]
    for name in ("far", "above", "nobody at all", "x" * 10_000):
        for act in (users.disable, users.change):
            with pytest.raises(NotFound):
                act(session, chief, name, now=NOW)
        with pytest.raises(NotFound):
            users.set_password(session, chief, name, GOOD, now=NOW)
    with pytest.raises(NotFound):
        users.change(session, chief, "near", under="West City", now=NOW)


def test_nobody_gives_more_than_they_have(session: Session) -> None:
    path = make_organisation(session, "East City").path
    half = Actor("half", frozenset({Right.SEE, Right.ADMINISTER}), path)
    add(session, "li", "viewer", actor=half)
    for role in ("writer", "operator", "admin"):
        with pytest.raises(Denied):
            add(session, "x", role, actor=half)
        with pytest.raises(Denied):
            users.change(session, half, "li", role=role, now=NOW)
    # neither by hiding behind somebody who has more
    add(session, "wang", "editor", under="East City")
    with pytest.raises(Denied):
        users.stand_in(session, half, "wang", "members.find", now=NOW)


def test_gateways_are_only_for_who_sees_everything(session: Session) -> None:
    make_organisation(session, "East City")
    below = add(session, "below", "operator", under="East City")
    above = add(session, "above", "operator")
    assert Right.OPERATE not in _actor(session, below.name).rights
    assert Right.OPERATE in _actor(session, above.name).rights


def test_the_last_administrator_of_everything_stays(session: Session) -> None:
    make_organisation(session, "East City")
    assert not users.has_admin(session)
    add(session, "local", "admin", under="East City")
    assert not users.has_admin(session), "the operator sets up what is above"
    add(session, "first", "admin")
    assert users.has_admin(session)
    for change in ({"role": "viewer"}, {"under": "East City"}):
        with pytest.raises(Conflict):
            users.change(session, OPERATOR, "first", now=NOW, **change)
    with pytest.raises(Conflict):
        users.disable(session, OPERATOR, "first", now=NOW)
    add(session, "second", "admin")
    users.disable(session, OPERATOR, "first", now=NOW)
    with pytest.raises(Conflict):
        users.disable(session, OPERATOR, "second", now=NOW)
    users.disable(session, OPERATOR, "first", now=NOW)
    assert users.has_admin(session)


@pytest.mark.parametrize(
    "act",
    [
        lambda s: users.change(s, OPERATOR, "li", role="viewer", now=NOW),
        lambda s: users.change(s, OPERATOR, "li", under="East City", now=NOW),
        lambda s: users.disable(s, OPERATOR, "li", now=NOW),
        lambda s: users.set_password(s, OPERATOR, "li", "another horse battery", now=NOW),
        lambda s: users.put_own_password(s, _id(s, "li"), s.get_one(User, _id(s, "li")).password_hash, "x", now=NOW),
    ],
)
def test_all_sign_ins_end_with_what_they_rested_on(session: Session, act: object) -> None:
    make_organisation(session, "East City")
    add(session, "li")
    other = add(session, "wang")
    tokens = [sessions.open_for(session, _id(session, "li"), now=NOW) for _ in range(2)]
    untouched = sessions.open_for(session, other.id, now=NOW)
    act(session)  # type: ignore[operator]
    for token in tokens:
        with pytest.raises(Denied):
            sign_in.actor_of(session, token, now=NOW)
    assert sign_in.actor_of(session, untouched, now=NOW).name == "wang"


def test_a_disabled_user_may_be_let_in_again(session: Session) -> None:
    add(session, "li")
    users.disable(session, OPERATOR, "li", now=NOW)
    with pytest.raises(Conflict):
        users.stand_in(session, OPERATOR, "li", "x", now=NOW)
    assert users.change(session, OPERATOR, "li", enable=True, now=NOW).disabled_at is None


def test_a_user_moves_with_their_organisation(session: Session) -> None:
    branch = make_organisation(session, "East City/First Branch")
    add(session, "li", under="East City/First Branch")
    token = sessions.open_for(session, _id(session, "li"), now=NOW)
    assert sign_in.actor_of(session, token, now=NOW).under == branch.path
    session.get_one(Organisation, branch.id).path = f"77/{branch.id}/"
    session.flush()
    assert sign_in.actor_of(session, token, now=NOW).under == f"77/{branch.id}/"
    session.get_one(Organisation, branch.id).path = ""
    session.flush()
    with pytest.raises(Denied):
        # an empty path would be the whole tree
        sign_in.actor_of(session, token, now=NOW)


def test_to_act_as_somebody_is_written_down(session: Session) -> None:
    make_organisation(session, "East City")
    add(session, "li", under="East City")
    assert users.stand_in(session, OPERATOR, "li", "members.find", now=NOW) == _actor(session, "li")
    assert deeds(session)[-1] == "users.as"


def test_every_deed_is_written_down_and_no_password_with_it(session: Session) -> None:
    add(session, "li")
    users.change(session, OPERATOR, "li", role="viewer", now=NOW + timedelta(hours=1))
    users.set_password(session, OPERATOR, "li", "another horse battery", now=NOW)
    users.disable(session, OPERATOR, "li", now=NOW)
    users.disable(session, OPERATOR, "li", now=NOW)
    assert deeds(session) == ["users.add", "users.change", "users.password", "users.disable"]
    for row in session.scalars(select(Audit)):
        assert "horse" not in str(row.details)


def _id(session: Session, name: str) -> int:
    return session.scalars(select(User.id).where(User.name == name)).one()


def _actor(session: Session, name: str) -> Actor:
    token = sessions.open_for(session, _id(session, name), now=NOW)
    return sign_in.actor_of(session, token, now=NOW)
