"""Locks that end with their process, and what may stand between a process and its lock."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, make_url
from sqlalchemy.orm import Session

from broadcaster.delivery.locks import LISTS, WHOLE, AdvisoryLocks, FileLocks, locks_for
from subscribers.db import make_engine
from subscribers.errors import Unavailable
from tests.databases import PostgresqlTemplate
from tests.servers import Server, free_port, plain_user, running

PGBOUNCER = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")
MISSING = "*** PGBOUNCER IS MISSING: what happens behind a pooler was not tested. Install pgbouncer. ***"


@contextlib.contextmanager
def pooled(url: str, mode: str) -> Iterator[str]:
    """The same database behind a pooler that lends sessions for a `mode`."""
    there, port = make_url(url), free_port()
    # the plain user that it must be may not enter the folders of a test
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        settings = place / "pgbouncer.ini"
        settings.write_text(
            f"[databases]\n{there.database} = host={there.host} port={there.port} user={there.username}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
            f"auth_type = any\npool_mode = {mode}\nignore_startup_parameters = extra_float_digits\n"
        )
        through = there.set(port=port).render_as_string(hide_password=False)
        plain = make_url(through).set(drivername="postgresql").render_as_string(hide_password=False)

        def answers() -> bool:
            with contextlib.suppress(psycopg.Error):
                psycopg.connect(plain).close()
                return True
            return False

        command = [PGBOUNCER, settings]
        with running(Server(through, command, answers, place / "log", signal.SIGINT, plain_user(place))) as address:
            yield address


@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_a_pooler_is_refused_in_words(mode: str, postgresql_template: PostgresqlTemplate, tmp_path: Path) -> None:
    """It would lend the session that holds a lock to another process, which would then have it, too."""
    if PGBOUNCER is None:
        pytest.skip(MISSING)
    with postgresql_template.copy() as url, pooled(url, mode) as through:
        engine = make_engine(through)
        with pytest.raises(Unavailable) as refused:
            locks_for(engine, tmp_path).take(7)
        engine.dispose()
    assert "pooler" in str(refused.value)
    assert "[store] url" in str(refused.value.hint)


def test_a_lock_ends_with_its_session_however_that_ends(
    postgresql_template: PostgresqlTemplate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one gets it, and the first knows that it has lost it."""
    monkeypatch.setattr("broadcaster.delivery.locks.ASKED_AGAIN", 0.0)
    with postgresql_template.copy() as url:
        engine = make_engine(url)
        locks = AdvisoryLocks(engine)
        first = locks.take(7)
        assert first is not None
        assert first.still_held()
        assert locks.take(7) is None
        with engine.begin() as session:
            session.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 7"
            )
        assert not first.still_held()
        second = locks.take(7)
        assert second is not None
        second.release()
        first.release()
        engine.dispose()


@contextlib.contextmanager
def slow_to_end(url: str) -> Iterator[str]:
    """The same database behind a line that passes on what is said, and never that somebody has left."""
    there = make_url(url)
    ends: list[socket.socket] = []

    def pass_on(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            # the last word of a client is X, and ends its session
            while (said := source.recv(65536)) and said[:1] != b"X":
                target.sendall(said)

    def line(client: socket.socket) -> None:
        server = socket.create_connection((there.host, there.port))
        ends.extend((client, server))
        threading.Thread(target=pass_on, args=(server, client), daemon=True).start()
        pass_on(client, server)

    with socket.create_server(("127.0.0.1", 0)) as door:

        def open_lines() -> None:
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=line, args=(door.accept()[0],), daemon=True).start()

        threading.Thread(target=open_lines, daemon=True).start()
        port = door.getsockname()[1]
        yield there.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)
        door.shutdown(socket.SHUT_RDWR)
    for end in ends:
        end.close()


def test_what_was_given_back_can_be_taken_at_once(postgresql_template: PostgresqlTemplate, tmp_path: Path) -> None:
    """Also where the server takes a while to end a session: a hint that finds the lock held is gone."""
    with postgresql_template.copy() as url, slow_to_end(url) as address:
        locks = locks_for(make_engine(address), tmp_path)
        for _ in range(3):
            held = locks.take(7)
            assert held is not None
            held.release()


def test_who_lives_is_seen_without_taking_anything(engine: Engine, tmp_path: Path) -> None:
    """Also of the numbers below nothing, which stand for what is not a sender."""
    locks = locks_for(engine, tmp_path)
    with Session(engine) as session:
        assert locks.living(session, []) == set()
        assert locks.living(session, [3, LISTS]) == set()
        sender, lists = locks.take(3), locks.take(LISTS)
        assert sender is not None
        assert lists is not None
        assert locks.living(session, [3, 4, WHOLE, LISTS]) == {3, LISTS}
        sender.release()
        assert locks.living(session, [3, 4, WHOLE, LISTS]) == {LISTS}
        again = locks.take(3)
        assert again is not None, "looking has taken nothing"
        again.release()
        lists.release()


def test_a_lock_that_one_may_not_open_is_taken_for_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks as another user than the one that sends cannot tell, and must not call it dead."""
    locks = FileLocks(tmp_path)
    held = locks.take(5)
    assert held is not None

    def refused(*_: object, **__: object) -> int:
        raise PermissionError

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refused)
        assert locks.living(None, [5]) == {5}  # type: ignore[arg-type]
    held.release()
    assert locks.living(None, [5]) == set()  # type: ignore[arg-type]
