"""Lists that real workers take in and take back: killed in the middle, stopped, without a broker, on another host."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from broadcaster.access import users
from broadcaster.commands import serving
from broadcaster.delivery.locks import LISTS
from broadcaster.list_notes import notes_of
from broadcaster.runtime import Runtime
from broadcaster.settings import Settings
from broadcaster.tasks import lists, make_app
from subscribers import importing, list_jobs
from subscribers.actor import OPERATOR, Actor
from subscribers.db import Tx
from subscribers.list_jobs import ListKind, ListState
from subscribers.models import ImportRun, ListJob, ListPiece, Member
from tests.journeys.sending import wait_until
from tests.journeys.stage import runtime_on, settings_for
from tests.newsrooms import add_user
from tests.tasks.processes import start_worker

GIVEN = {"mapping": {}, "shared": False, "agreed": "signed"}
#: several portions, so that there is a middle
MANY = 60_000


def rows_of(count: int) -> bytes:
    """A list of so many, as CSV."""
    lines = (f"第{n}人,199{n:08},East/{n % 7}" for n in range(count))
    return "\n".join(("姓名,手机,支部", *lines)).encode()


@contextlib.contextmanager
def working(settings: Settings, name: str) -> Iterator[None]:
    """A worker in a process of its own, on another host where the database allows it: with another data directory."""
    if not settings.store_url.startswith("sqlite"):
        settings = settings.model_copy(update={"data": settings.data / "elsewhere"})
    process = start_worker(settings, name, listens=False)
    try:
        yield
        process.terminate()
        process.join(30)
    finally:
        process.kill()
        process.join()


@pytest.fixture
def settings(tmp_path: Path, database_url: str, redis_url: str) -> Settings:
    return settings_for(tmp_path, database_url, queue=redis_url)


@pytest.fixture
def desk(settings: Settings) -> Iterator[Runtime]:
    """The newsroom's own: it asks, and works on nothing."""
    with runtime_on(settings) as made:
        add_user(made, "chief", "admin")
        make_app(made)
        yield made


def chief(tx: Tx) -> Actor:
    return users.actor_called(tx.session, "chief")


def to_take(house: Runtime, count: int) -> str:
    """A list that is to be taken in without a look."""
    with house.begin() as tx:
        token = list_jobs.hand_in(tx.session, chief(tx), "list.csv", [rows_of(count)], GIVEN, now=tx.now)
        list_jobs.find(tx.session, chief(tx), token).kind = ListKind.TAKE
    return token


def to_undo(house: Runtime, tmp_path: Path, count: int) -> str:
    """A list that was taken in and is to be taken back."""
    file = tmp_path / "list.csv"
    file.write_bytes(rows_of(count))
    with house.begin() as tx:
        made = importing.import_members(tx.session, OPERATOR, file, now=tx.now)
    with house.begin() as tx:
        return list_jobs.ask_undo(tx.session, chief(tx), made.import_id or 0, now=tx.now)


def job_of(house: Runtime, token: str) -> ListJob:
    with house.reading() as tx:
        return list_jobs.find(tx.session, chief(tx), token)


def is_in_the_middle(house: Runtime, token: str) -> bool:
    job = job_of(house, token)
    return job.state == ListState.RUNNING and notes_of(house).rows(token, job.rows) > 0


def members(house: Runtime) -> int:
    with house.reading() as tx:
        return tx.session.scalar(select(func.count()).select_from(Member)) or 0


@pytest.mark.parametrize("kind", [ListKind.TAKE, ListKind.UNDO])
def test_killed_in_the_middle_it_is_begun_again(desk: Runtime, settings: Settings, tmp_path: Path, kind: str) -> None:
    before = 0 if kind == ListKind.TAKE else MANY
    token = to_take(desk, MANY) if kind == ListKind.TAKE else to_undo(desk, tmp_path, MANY)
    process = start_worker(settings, "one", listens=False)
    try:
        assert wait_until(lambda: is_in_the_middle(desk, token), 60)
    finally:
        process.kill()
        process.join()
    assert job_of(desk, token).state == ListState.RUNNING
    assert members(desk) == before, "as if it never was"
    # nobody hints at it: whoever comes finds it by themselves
    with working(settings, "two"):
        assert wait_until(lambda: not job_of(desk, token).is_open, 100)
    job = job_of(desk, token)
    assert (job.state, job.begun, job.trouble) == (ListState.DONE, 2, None)
    assert members(desk) == MANY - before
    with desk.reading() as tx:
        assert tx.session.scalar(select(func.count()).select_from(ImportRun)) == 1
        assert tx.session.scalar(select(ListPiece.position)) is None


def test_stopped_in_the_middle(desk: Runtime, settings: Settings) -> None:
    token = to_take(desk, MANY)
    with working(settings, "one"):
        assert wait_until(lambda: is_in_the_middle(desk, token), 60)
        with desk.reading() as tx:
            actor = chief(tx)
        notes_of(desk).ask_to_stop(actor, token)
        assert wait_until(lambda: not job_of(desk, token).is_open, 60)
        job = job_of(desk, token)
        assert job.state == ListState.FAILED
        assert job.trouble is not None
        assert "It was stopped" in job.trouble["message"]
        assert members(desk) == 0
        with desk.begin() as tx:
            list_jobs.ask(tx.session, actor, token, ListKind.LOOK, GIVEN, now=tx.now)
        assert wait_until(lambda: job_of(desk, token).state == ListState.DONE, 60), "it can be begun again"
    answer = job_of(desk, token).answer
    assert answer is not None
    assert answer["created"] == MANY
    assert members(desk) == 0


def test_without_a_broker_it_is_found_all_the_same(tmp_path: Path, database_url: str) -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        settings = settings_for(tmp_path, database_url, queue=f"redis://127.0.0.1:{door.getsockname()[1]}/0")
        with runtime_on(settings) as desk, working(settings, "one"):
            add_user(desk, "chief", "admin")
            token = to_take(desk, 10)
            assert wait_until(lambda: job_of(desk, token).state == ListState.DONE, 40)
            assert members(desk) == 10


def test_whoever_serves_all_of_an_installation_works_on_lists_too(tmp_path: Path, database_url: str) -> None:
    with runtime_on(settings_for(tmp_path, database_url)) as desk:
        add_user(desk, "chief", "admin")
        token = to_take(desk, 3)
        with serving.whole(desk) as mine:
            assert mine
            lists.work_on_lists(desk)
        assert job_of(desk, token).state == ListState.DONE


def test_one_with_which_processes_end_is_not_begun_for_ever(desk: Runtime) -> None:
    token = to_take(desk, 3)
    for _ in range(list_jobs.MOST_BEGUN):
        with desk.begin() as tx:
            assert list_jobs.claim(tx.session)
    lists.work_on_lists(desk)
    job = job_of(desk, token)
    assert job.state == ListState.FAILED
    assert job.trouble is not None
    assert "ended 3 times" in job.trouble["message"].format(**job.trouble["fields"])
    assert members(desk) == 0


def test_who_was_disabled_meanwhile_takes_nothing_in(desk: Runtime) -> None:
    token = to_take(desk, 3)
    add_user(desk, "other", "admin")
    with desk.begin() as tx:
        mine = chief(tx)
        users.disable(tx.session, OPERATOR, "chief", now=tx.now)
    lists.work_on_lists(desk)
    with desk.reading() as tx:
        job = list_jobs.find(tx.session, mine, token)
    assert job.state == ListState.FAILED
    assert job.trouble is not None
    assert "does not work here any more" in job.trouble["message"]
    assert members(desk) == 0


def test_one_at_a_time_and_a_stop_of_the_program_gives_it_back(desk: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    token = to_take(desk, 3)
    held = desk.locks.take(LISTS)
    assert held is not None
    lists.work_on_lists(desk)
    assert job_of(desk, token).state == ListState.WAITING, "somebody else is at it"
    held.release()
    real = importing.import_members

    def stopping(*given, progress, **more):
        desk.stopping.set()
        progress(1)
        return real(*given, progress=progress, **more)

    monkeypatch.setattr(importing, "import_members", stopping)
    lists.work_on_lists(desk)
    job = job_of(desk, token)
    assert (job.state, job.begun, job.runner) == (ListState.WAITING, 0, "")
    desk.stopping.clear()
    monkeypatch.undo()
    lists.work_on_lists(desk)
    assert job_of(desk, token).state == ListState.DONE
    assert members(desk) == 3


def test_what_is_asked_for_at_the_end_of_a_turn_is_done_in_it(desk: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own hint finds the lock held, and does nothing."""
    tokens = [to_take(desk, 3)]
    claim = list_jobs.claim

    def asked_meanwhile(session):
        claimed = claim(session)
        if claimed is None and len(tokens) == 1:
            session.commit()
            tokens.append(to_take(desk, 2))
            lists.work_on_lists(desk)
        return claimed

    monkeypatch.setattr(list_jobs, "claim", asked_meanwhile)
    lists.work_on_lists(desk)
    assert [job_of(desk, each).state for each in tokens] == [ListState.DONE, ListState.DONE]
