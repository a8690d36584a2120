"""A database that was restored sends nothing by itself, and says so."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

from broadcaster.campaigns.models import Campaign, Lane
from broadcaster.delivery import control
from broadcaster.delivery.models import Batch, Message, Part
from broadcaster.delivery.states import State
from broadcaster.keeping import restoring
from broadcaster.keeping.marks import Mark, Marks
from broadcaster.keeping.models import Installation
from broadcaster.keeping.restoring import Life
from broadcaster.runtime import Runtime, make_runtime
from broadcaster.settings import Settings, Store
from broadcaster.tasks.doors import start_due, sweep
from subscribers.actor import OPERATOR
from subscribers.db import make_engine
from subscribers.errors import Unavailable
from subscribers.models import Audit
from tests.databases import Clock, PostgresqlTemplate, SqliteTemplate, Transactions
from tests.delivery.ledger import (
    WAYS,
    accept,
    begin_sending,
    claim,
    draft,
    look,
    must_claim,
    owner,
    sending,
    sent,
    states,
)
from tests.factories import NOW, make_members

CARRIER = {"carrier": {"kind": "simulator"}}


@pytest.fixture
def marks(tmp_path: Path) -> Marks:
    return Marks(tmp_path / "marks")


def look_back(begin: Transactions, marks: Marks) -> Life:
    with begin() as tx:
        return restoring.look(tx.session, marks, now=tx.now)


def campaign_of(begin: Transactions, campaign_id: int) -> tuple[str, str]:
    row = look(
        begin, lambda s: s.execute(select(Campaign.state, Campaign.note).where(Campaign.id == campaign_id)).one()
    )
    return row.state, row.note


def test_the_first_look_knows_nothing_better(begin: Transactions, marks: Marks) -> None:
    campaign, _ = sending(begin, 2)
    first = look_back(begin, marks)
    assert first == look_back(begin, marks) == Life(first.name)
    assert campaign_of(begin, campaign) == ("sending", "")
    assert marks.read(first.name) == Mark(0, 0)


def test_what_was_sent_here_is_in_the_database(begin: Transactions, marks: Marks) -> None:
    life = look_back(begin, marks).name
    campaign, _ = sending(begin, 3)
    turn = must_claim(begin, owner(begin), parts=2)
    marks.raise_to(life, Mark(turn.id, max(part.part_id for part in turn.parts)))
    accept(begin, turn)
    assert look_back(begin, marks) == Life(life)
    assert campaign_of(begin, campaign)[0] == "sending"


@pytest.mark.parametrize("ahead", [Mark(1, 0), Mark(0, 1)], ids=["turn", "part"])
def test_a_database_that_is_older(begin: Transactions, marks: Marks, ahead: Mark) -> None:
    first, _ = sent(begin, 2)
    sending_id, _ = sending(begin, 2)
    paused, _ = sending(begin, 1)
    with begin() as tx:
        control.pause(tx.session, OPERATOR, tx.session.get_one(Campaign, paused), now=tx.now)
        scheduled = draft(tx.session)
        scheduled.state, scheduled.scheduled_for = "scheduled", NOW
        quiet = draft(tx.session)
    life = look_back(begin, marks).name
    with begin() as tx:
        reached = restoring._reached(tx.session)
    marks.raise_to(life, Mark(reached.turn + ahead.turn, reached.part + ahead.part))
    again = look_back(begin, marks)
    assert (again.restored, list(again.stopped)) == (True, [first, sending_id, scheduled.id])
    assert campaign_of(begin, sending_id) == ("paused", restoring.NOTE)
    assert campaign_of(begin, scheduled.id) == ("missed", restoring.NOTE)
    assert campaign_of(begin, quiet.id) == ("draft", "")
    assert campaign_of(begin, paused)[1] == "Paused by {actor}."
    assert list(look(begin, restoring.waiting)) == [first, sending_id, scheduled.id]
    assert claim(begin, owner(begin)) is None
    # said once: it is another life now, and a person decides
    assert look_back(begin, marks) == Life(again.name)
    assert again.name != life
    with begin() as tx:
        control.resume(tx.session, OPERATOR, tx.session.get_one(Campaign, sending_id), WAYS, now=tx.now)
    assert list(look(begin, restoring.waiting)) == [first, scheduled.id]
    [deed] = look(begin, lambda s: s.scalars(select(Audit).where(Audit.deed == "restored")).all())
    assert deed.details == {"campaigns": [first, sending_id, scheduled.id], "answers": 0}


def test_answers_that_waited_are_dropped(begin: Transactions, marks: Marks) -> None:
    with begin() as tx:
        [member] = make_members(tx.session, 1)
        message = Message(msisdn=member.msisdn, gateway="carrier", state=State.QUEUED, parts=1)
        tx.session.add(message)
        tx.session.flush()
        place = {"gateway": "carrier", "state": State.QUEUED, "encoding": "ucs2", "text": "x"}
        tx.session.add(Part(message_id=message.id, attempt=1, number=1, **place))
        span = {"low": message.id, "high": message.id, "cursor": message.id}
        tx.session.add(Batch(gateway="carrier", lane=Lane.ANSWER, **span))
    with begin() as tx:
        restoring.declare(tx.session, marks, now=tx.now)
    assert states(begin, None) == {"cancelled": 1}
    assert look(begin, lambda s: s.scalars(select(Part.state)).all()) == [State.CANCELLED]
    assert claim(begin, owner(begin)) is None


def test_a_host_that_is_new_or_has_lost_its_folder(begin: Transactions, tmp_path: Path) -> None:
    campaign, _ = sending(begin, 1)
    life = look_back(begin, Marks(tmp_path / "one"))
    other = look_back(begin, Marks(tmp_path / "two"))
    if begin.engine.dialect.name == "sqlite":
        # one machine: what stood beside the file is gone, or the file is another
        assert (other.restored, campaign_of(begin, campaign)[0]) == (True, "paused")
    else:
        assert (other, campaign_of(begin, campaign)[0]) == (life, "sending")


def test_what_stands_beside_it_cannot_be_read(begin: Transactions, marks: Marks, tmp_path: Path) -> None:
    life = look_back(begin, marks).name
    (tmp_path / "marks" / life).write_text("?")
    assert look_back(begin, marks).restored
    assert not look_back(begin, marks).restored


def test_the_same_backup_twice(begin: Transactions, marks: Marks) -> None:
    campaign, _ = sending(begin, 1)
    life = look_back(begin, marks).name
    marks.raise_to(life, Mark(9, 9))
    for _ in range(2):
        # as the backup has it
        with begin() as tx:
            tx.session.execute(update(Installation).values(life=life))
            tx.session.execute(update(Campaign).values(state="sending", note=""))
        assert look_back(begin, marks).stopped == [campaign]


def test_a_dump_in_another_place(
    database_url: str, begin: Transactions, tmp_path: Path, request: pytest.FixtureRequest, clock: Clock
) -> None:
    if database_url.startswith("sqlite"):
        pytest.skip("a file has no place")
    campaign, _ = sending(begin, 1)
    life = look_back(begin, Marks(tmp_path / "old"))
    begin.engine.dispose()
    server: PostgresqlTemplate = request.getfixturevalue("postgresql_template")
    name = database_url.rpartition("/")[2]
    server.execute(f'CREATE DATABASE "{name}_restored" TEMPLATE "{name}"')
    try:
        engine = make_engine(server.url(f"{name}_restored"))
        elsewhere = Transactions(engine, clock)
        # another host, which knows nothing
        found = look_back(elsewhere, Marks(tmp_path / "new"))
        assert (found.restored, campaign_of(elsewhere, campaign)[0]) == (True, "paused")
        assert found.name != life.name
        engine.dispose()
    finally:
        server.drop(f"{name}_restored")


def sends(house: Runtime, limit: int | None = None) -> None:
    house.gateways["carrier"].open()
    house.linked.add("carrier")
    assert house.take_place("carrier")
    house.send("carrier", limit=limit)


def installed(folder: Path, clock: Clock) -> Runtime:
    return make_runtime(
        Settings(data=folder, store=Store(url=f"sqlite:///{folder}/broadsheet.db"), gateways=CARRIER), clock=clock
    )


def test_a_file_put_back_while_a_campaign_was_going_out(
    tmp_path: Path, clock: Clock, sqlite_template: SqliteTemplate
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    sqlite_template.copy(folder)
    house = installed(folder, clock)
    with house.begin() as tx:
        make_members(tx.session, 60)
        campaign = draft(tx.session, gateway="carrier")
        begin_sending(tx.session, campaign, house.route(campaign), now=tx.now)
    sends(house, limit=1)
    house.close()
    shutil.copyfile(folder / "broadsheet.db", folder / "backup")
    house = installed(folder, clock)
    sends(house)
    house.close()
    # the night after, the disk is put back
    shutil.copyfile(folder / "backup", folder / "broadsheet.db")
    house = installed(folder, clock)
    clock.advance(hours=1)
    with capture_logs() as told:
        start_due(house)
        sweep(house)
    sends(house)
    with house.reading() as tx:
        assert tx.session.scalar(select(Campaign.state)) == "paused"
        waiting = tx.session.scalars(select(Message.id).where(Message.state == State.QUEUED)).all()
        assert 0 < len(waiting) < 60
        assert tx.session.scalar(select(Installation.restored_at)) == clock.now
    house.close()
    [said] = [line for line in told if "restored" in line["event"]]
    assert (said["log_level"], said["campaigns"]) == ("error", [campaign.id])


def test_nothing_leaves_where_no_mark_can_be_made(begin: Transactions, database_url: str, tmp_path: Path) -> None:
    house = make_runtime(
        Settings(data=tmp_path / "data", store=Store(url=database_url), gateways=CARRIER), clock=begin.clock
    )
    with begin() as tx:
        make_members(tx.session, 2)
        campaign = draft(tx.session, gateway="carrier")
        begin_sending(tx.session, campaign, house.route(campaign), now=tx.now)
    assert house.take_place("carrier")
    shutil.rmtree(tmp_path / "data" / "marks")
    (tmp_path / "data" / "marks").write_text("no folder")
    with pytest.raises(Unavailable, match="Nothing is sent without it"):
        sends(house)
    assert states(begin, campaign.id) == {"queued": 2}
    house.close()
