"""Opening the house for one verb: settings, runtime, and the paper's own day."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from broadcaster import logs
from broadcaster.access import sessions, sign_in, users
from broadcaster.access.sign_in import Visitor
from broadcaster.commands import token_file
from broadcaster.commands.options import Free, Needs, asked
from broadcaster.delivery.locks import PRESS
from broadcaster.runtime import Runtime, assemble
from broadcaster.settings import load
from subscribers.actor import OPERATOR, SYSTEM, Actor, Right
from subscribers.db import Tx
from subscribers.errors import Denied, Invalid

#: who is at the door and has not said who they are
NOBODY = Actor("nobody", frozenset())


@dataclass(slots=True)
class House(Runtime):
    """The installation with somebody in front of it."""

    #: who acts at this command line
    actor: Actor = NOBODY
    #: the same as somebody who is signed in, if they are
    visitor: Visitor | None = None

    def showing(self, *, full_numbers: bool) -> AbstractContextManager[Tx]:
        """A transaction to look at something in; that numbers were shown in full is written down in it."""
        return self.begin() if full_numbers else self.reading()


@contextmanager
def opened(level: str = "WARNING", *, needs: Needs | None = None) -> Iterator[House]:
    """The installation that was asked for, closed at the end. `level`: of what is logged to standard error.

    Who acts is found out first: raises `Denied` if they lack the right that the verb declares, or `needs` instead.
    """
    logs.configure(level=level)
    house = assemble(House, load(asked().config))
    try:
        if house.settings.own_file is not None and not house.settings.own_file.exists():
            # the embedded default needs no set-up of its own; read late, because every other command does without it
            from broadcaster import migrations

            migrations.upgrade(house.engine)
        _let_in(house, needs or asked().needs)
        yield house
    finally:
        house.close()


def _let_in(house: House, needs: Needs | None) -> None:
    """Find out who acts: the machine, who is signed in, or the operator while there is no administrator yet."""
    if needs is Free.MACHINE:
        house.actor = SYSTEM
        return
    if needs is not Free.DOOR:
        look_at_visitor(house)
        if house.visitor is None:
            house.actor = _unknown(house, signed_out=token_file.kept(house.settings) is not None)
        if name := asked().stand_in:
            with house.begin() as tx:
                house.actor = users.stand_in(tx.session, house.actor, name, asked().verb, now=tx.now)
    if isinstance(needs, Right):
        house.actor.must(needs)


def look_at_visitor(house: House) -> None:
    """Take down who is signed in at this command line, if anybody is."""
    token = token_file.kept(house.settings)
    if token is None:
        return
    with house.reading() as tx:
        house.visitor = sign_in.visitor(tx.session, token, now=tx.now)
        is_to_be_noted = house.visitor is not None and house.visitor.is_to_be_noted(tx.now)
    if house.visitor is None:
        return
    house.actor = house.visitor.actor
    if is_to_be_noted:
        with house.begin() as tx:
            sessions.used(tx.session, house.visitor.sign_in_id, now=tx.now)


def _unknown(house: House, *, signed_out: bool) -> Actor:
    """Who acts without a sign-in: somebody must set the installation up, and then nobody.

    Whoever was signed in and is so no more (ended, disabled) does not become the operator by that.
    """
    with house.reading() as tx:
        if not signed_out and not users.has_admin(tx.session):
            return OPERATOR
    raise Denied(
        "You are not signed in, and this installation has users.", hint="`broadsheet login NAME` signs you in."
    )


def is_served(runtime: Runtime) -> bool:
    """Whether a process sends for this embedded installation now."""
    held = runtime.locks.take(PRESS)
    if held is not None:
        held.release()
    return held is None


def today(runtime: Runtime, tx: Tx) -> date:
    """The day it is where the paper is made."""
    return tx.now.astimezone(runtime.settings.zone).date()


def read_day(text: str) -> date:
    """A day as it is typed: 2026-11-25."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid("{text} is no day.", hint="Write it like 2026-11-25.", text=text) from None


def read_time(text: str, zone: ZoneInfo) -> datetime:
    """A time as it is typed, in the paper's own zone unless it names another: 2026-11-25 10:00."""
    try:
        if not re.search(r"\d:\d\d", text):
            raise ValueError("a day alone")
        time = datetime.fromisoformat(text.strip())
        return (time if time.tzinfo else time.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid("{text} is no time.", hint='Write it like "2026-11-25 10:00".', text=text) from None
