"""Signing in: tries that are counted whatever happens, tokens that end, and nothing told to who only guesses."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select

from broadcaster.access import passwords, sessions, sign_in, users
from broadcaster.access.models import Door, SignIn, SignInTry, User
from broadcaster.access.tries import OF_ACCOUNT as TRIES
from subscribers.actor import OPERATOR
from subscribers.errors import Conflict, Denied, Invalid
from subscribers.models import Audit
from tests.databases import Transactions

GOOD, WRONG = "correct horse battery", "wrong horse battery"


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> list[str | None]:
    """The real hash is tried in test_passwords; here: what was compared."""
    compared: list[str | None] = []

    def matches(password: str, kept: str | None) -> tuple[bool, str | None]:
        compared.append(kept)
        return kept == f"hash of {password}", None

    monkeypatch.setattr(passwords, "hashed", lambda password: f"hash of {password}")
    monkeypatch.setattr(passwords, "matches", matches)
    return compared


@pytest.fixture
def li(begin: Transactions) -> int:
    with begin() as tx:
        return users.add(tx.session, OPERATOR, "li", "editor", password=GOOD, now=tx.now).id


def refused(begin: Transactions, name: str, password: str) -> str:
    with pytest.raises(Denied) as error:
        sign_in.sign_in(begin, name, password)
    return f"{error.value} {error.value.hint} {error.value.fields}"


def failures(begin: Transactions) -> int:
    with begin() as tx:
        return tx.session.scalar(select(SignInTry.tries)) or 0


def name_of(begin: Transactions, token: str, door: Door = Door.SHELL) -> str:
    with begin() as tx:
        return sign_in.actor_of(tx.session, token, now=tx.now, door=door).name


@pytest.mark.usefixtures("li")
def test_in_with_the_right_password(begin: Transactions) -> None:
    token = sign_in.sign_in(begin, " LI ", GOOD)
    assert name_of(begin, token) == "li"
    with begin() as tx:
        assert tx.session.scalars(select(Audit.deed).order_by(Audit.id.desc())).first() == "login"
        row = tx.session.scalars(select(SignIn)).one()
        assert token not in {row.token_digest, str(row.id)}
        assert len(row.token_digest) == 64
    assert len(token) == 43
    assert sign_in.sign_in(begin, "li", GOOD) != token


@pytest.mark.usefixtures("li")
def test_the_same_words_and_work_for_everybody(begin: Transactions, quick_hashes: list[str | None]) -> None:
    with begin() as tx:
        users.add(tx.session, OPERATOR, "gone", "editor", password=GOOD, now=tx.now)
        users.disable(tx.session, OPERATOR, "gone", now=tx.now)
    told = {refused(begin, name, password) for name, password in [("li", WRONG), ("nobody", GOOD), ("gone", GOOD)]}
    told |= {refused(begin, name, GOOD) for name in ("", "a\x00b", "x" * 10_000, "operator", "li\n/")}
    for _ in range(TRIES):
        told.add(refused(begin, "li", WRONG))
    told.add(refused(begin, "li", GOOD))
    assert len(told) == 1
    assert len(quick_hashes) == 9 + TRIES, "every try costs one comparison"


@pytest.mark.usefixtures("li")
def test_ten_tries_in_a_quarter_of_an_hour(begin: Transactions, quick_hashes: list[str | None]) -> None:
    for _ in range(50):
        refused(begin, "li", WRONG)
    assert sum(kept is not None for kept in quick_hashes) == TRIES
    begin.clock.advance(minutes=14, seconds=59)
    refused(begin, "li", GOOD)
    begin.clock.advance(seconds=1)
    sign_in.sign_in(begin, "li", GOOD)
    assert failures(begin) == 0
    with begin() as tx:
        deeds = list(tx.session.scalars(select(Audit.deed).order_by(Audit.id)))
    assert deeds == ["users.add", "login.tries", "login"]


@pytest.mark.usefixtures("li")
def test_tries_at_the_same_time_are_all_counted(begin: Transactions, quick_hashes: list[str | None]) -> None:
    together = threading.Barrier(4)

    def attack() -> None:
        together.wait()
        for _ in range(5):
            with pytest.raises(Denied):
                sign_in.sign_in(begin, "li", WRONG)

    threads = [threading.Thread(target=attack) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures(begin) == TRIES + 1, "those that were not looked at are not counted on"
    assert sum(kept is not None for kept in quick_hashes) == TRIES


@pytest.mark.usefixtures("li")
def test_a_clock_that_jumps(begin: Transactions) -> None:
    begin.clock.advance(days=400)
    for _ in range(TRIES + 1):
        refused(begin, "li", WRONG)
    begin.clock.advance(days=-400)
    token = sign_in.sign_in(begin, "li", GOOD)
    assert name_of(begin, token) == "li"
    begin.clock.advance(days=-1)
    assert name_of(begin, token) == "li"
    begin.clock.advance(days=400)
    with pytest.raises(Denied):
        name_of(begin, token)


@pytest.mark.usefixtures("li")
def test_it_ends_when_it_is_not_used(begin: Transactions) -> None:
    token = sign_in.sign_in(begin, "li", GOOD)
    begin.clock.advance(hours=11)
    assert name_of(begin, token) == "li"
    with pytest.raises(Denied):
        name_of(begin, token, Door.WEB)
    with begin() as tx:
        seen = sign_in.visitor(tx.session, token, now=tx.now)
        assert seen is not None
        assert seen.is_to_be_noted(tx.now)
        sessions.used(tx.session, seen.sign_in_id, now=tx.now)
    begin.clock.advance(hours=11)
    assert name_of(begin, token) == "li"
    begin.clock.advance(hours=1)
    with pytest.raises(Denied):
        name_of(begin, token)


@pytest.mark.usefixtures("li")
def test_it_ends_when_somebody_says_so(begin: Transactions) -> None:
    first, second = sign_in.sign_in(begin, "li", GOOD), sign_in.sign_in(begin, "li", GOOD)
    with begin() as tx:
        sessions.end(tx.session, first, now=tx.now)
    with pytest.raises(Denied):
        name_of(begin, first)
    assert name_of(begin, second) == "li"
    with begin() as tx:
        users.disable(tx.session, OPERATOR, "li", now=tx.now)
    with pytest.raises(Denied):
        name_of(begin, second)
    with begin() as tx:
        users.change(tx.session, OPERATOR, "li", enable=True, now=tx.now)
    with pytest.raises(Denied):
        name_of(begin, second)


@pytest.mark.usefixtures("li")
@pytest.mark.parametrize("token", ["", "x", "\x00", "é" * 43, "\ud800", "A" * 43, "x" * 1_000_000, "' OR 1=1 --"])
def test_what_is_no_token(begin: Transactions, token: str) -> None:
    sign_in.sign_in(begin, "li", GOOD)
    with pytest.raises(Denied):
        name_of(begin, token)


def test_a_password_that_is_changed_meanwhile_lets_nobody_in(
    begin: Transactions, li: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def matches(password: str, kept: str | None) -> tuple[bool, str | None]:
        with begin() as tx:
            tx.session.get_one(User, li).password_hash = "another"
        return True, None

    monkeypatch.setattr(passwords, "matches", matches)
    refused(begin, "li", GOOD)
    with begin() as tx:
        assert tx.session.scalars(select(SignIn)).all() == []


@pytest.mark.usefixtures("li")
def test_an_older_hash_is_replaced_at_the_next_sign_in(begin: Transactions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "matches", lambda password, kept: (True, "newer"))
    sign_in.sign_in(begin, "li", GOOD)
    with begin() as tx:
        assert tx.session.scalars(select(User.password_hash)).one() == "newer"


def test_ones_own_password_asks_for_the_one_before(begin: Transactions, li: int) -> None:
    token = sign_in.sign_in(begin, "li", GOOD)
    for old, new, wrong in (
        (WRONG, "another horse battery", Denied),
        (GOOD, GOOD, Invalid),
        (GOOD, "short", Invalid),
        (GOOD, "password12345", Invalid),
    ):
        with pytest.raises(wrong):
            sign_in.change_own_password(begin, li, old, new)
        assert name_of(begin, token) == "li"
    sign_in.change_own_password(begin, li, GOOD, "another horse battery")
    with pytest.raises(Denied):
        name_of(begin, token)
    with begin() as tx:
        assert not tx.session.get_one(User, li).must_change
        assert tx.session.scalars(select(SignInTry)).all() == []


@pytest.mark.parametrize("door", list(Door))
def test_tries_at_one_door_close_no_other(begin: Transactions, li: int, door: Door) -> None:
    for _ in range(TRIES + 1):
        with pytest.raises(Denied):
            sign_in.sign_in(begin, "li", WRONG, sign_in.Way(door))
    other = Door.WEB if door is Door.SHELL else Door.SHELL
    sign_in.sign_in(begin, "li", GOOD, sign_in.Way(other))
    sign_in.change_own_password(begin, li, GOOD, "another horse battery")
    sign_in.sign_in(begin, "li", "another horse battery", sign_in.Way(door))


def test_a_password_that_is_replaced_meanwhile_is_not_replaced_again(
    begin: Transactions, li: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def matches(password: str, kept: str | None) -> tuple[bool, str | None]:
        with begin() as tx:
            tx.session.get_one(User, li).password_hash = "another"
        return True, None

    monkeypatch.setattr(passwords, "matches", matches)
    with pytest.raises(Conflict):
        sign_in.change_own_password(begin, li, GOOD, "another horse battery")


@pytest.mark.usefixtures("li")
def test_it_ends_however_much_it_is_used(begin: Transactions) -> None:
    token = sign_in.sign_in(begin, "li", GOOD)
    for _ in range(71):
        begin.clock.advance(hours=10)
        with begin() as tx:
            seen = sign_in.visitor(tx.session, token, now=tx.now)
            assert seen is not None
            sessions.used(tx.session, seen.sign_in_id, now=tx.now)
    begin.clock.advance(hours=10)
    with pytest.raises(Denied):
        name_of(begin, token)
