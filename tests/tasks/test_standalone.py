"""Two workers and a beat over a real broker, which loses everything and is fed rubbish."""

from __future__ import annotations

import base64
import contextlib
import json
import pickle
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from broadcaster.campaigns import compose
from broadcaster.delivery import control
from broadcaster.gateways.simulator.journal import accepted_parts
from broadcaster.runtime import Runtime
from broadcaster.settings import Settings
from broadcaster.tasks import make_app
from broadcaster.tasks.hints import CONTROL
from subscribers.actor import OPERATOR
from subscribers.db import wake
from tests.databases import SqliteTemplate
from tests.journeys import sending
from tests.journeys.oracle import judge
from tests.journeys.stage import (
    behaviour_of,
    carrier_process,
    come_to_rest,
    draft,
    parts_taken,
    people,
    runtime_on,
    settings_for,
    start,
    state_of,
)
from tests.tasks.processes import start_beat, start_beat_that_is_ended_in_a_publish, start_worker

PEOPLE = 300


@contextlib.contextmanager
def _installation(settings: Settings) -> Iterator[None]:
    processes = [start_worker(settings, "one", listens=True), start_worker(settings, "two", listens=False)]
    processes.append(start_beat(settings))
    try:
        yield
        for process in processes:
            process.terminate()
        for process in processes:
            process.join(20)
        assert [process.exitcode for process in processes] == [0, 0, 0]
    finally:
        for process in processes:
            process.kill()


def _finish(runtime: Runtime, settings: Settings, campaign: int, audience: set[str]) -> None:
    assert sending.wait_until(lambda: state_of(runtime, campaign) == "closed", 40)
    assert come_to_rest(runtime, settings.data / "carrier.carrier", 20)
    accepted = accepted_parts(settings.data / "carrier.carrier")
    with runtime.reading() as tx:
        verdict = judge(tx.session, accepted, behaviour_of(settings), audience)
    assert not verdict.faults
    assert verdict.in_doubt == 0
    assert {line["destination"] for line in accepted} == audience


def test_two_workers_a_flushed_broker_and_poison(tmp_path: Path, database_url: str, redis_url: str) -> None:
    with carrier_process(tmp_path / "carrier.carrier", behaviour_of(settings_for(tmp_path, database_url))) as port:
        settings = settings_for(tmp_path, database_url, queue=redis_url, port=port)
        with runtime_on(settings) as runtime, _installation(settings), redis.Redis.from_url(redis_url) as broker:
            make_app(runtime)
            audience = people(runtime, PEOPLE)
            campaign = draft(runtime, "{{ name }}，您好：" + "明天上午九点在社区礼堂开会。" * 3)
            for poison in _poison():
                broker.lpush(f"broadsheet:{CONTROL}", poison)
                broker.lpush("broadsheet:submit.carrier", poison)
            for queue in (CONTROL, "submit.carrier"):
                assert sending.wait_until(lambda: broker.llen(f"broadsheet:{queue}") <= 1, 15)  # noqa: B023
            start(runtime, campaign)
            file = settings.data / "carrier.carrier"
            for share in (4, 2):
                assert sending.wait_until(lambda: parts_taken(file) > PEOPLE // share, 20)  # noqa: B023
                broker.flushall()
            _finish(runtime, settings, campaign, audience)


@pytest.mark.sqlite
def test_a_beat_ends_whatever_it_is_at(tmp_path: Path, sqlite_template: SqliteTemplate, redis_url: str) -> None:
    """Redis' driver has once answered the end with a closed file: the beat went on for ever."""
    process = start_beat_that_is_ended_in_a_publish(
        settings_for(tmp_path, sqlite_template.copy(tmp_path), queue=redis_url)
    )
    process.join(20)
    try:
        assert process.exitcode == 0
    finally:
        process.kill()


def test_without_a_broker_the_work_is_done_all_the_same(tmp_path: Path, database_url: str) -> None:
    """Nobody answers where the broker should be, from the beginning to the end."""
    with (
        socket.socket() as door,
        carrier_process(tmp_path / "carrier.carrier", behaviour_of(settings_for(tmp_path, database_url))) as port,
    ):
        door.bind(("127.0.0.1", 0))
        queue = f"redis://127.0.0.1:{door.getsockname()[1]}/0"
        settings = settings_for(tmp_path, database_url, queue=queue, port=port)
        with runtime_on(settings) as runtime, _installation(settings):
            make_app(runtime)
            audience = people(runtime, 60)
            campaign = draft(runtime)
            start(runtime, campaign)
            _finish(runtime, settings, campaign, audience)


def _poison() -> list[bytes]:
    """Bodies that must not be unpacked, tasks that are not there, calls that cannot be made."""
    call = [[], {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]
    good = json.dumps(call).encode()
    return [
        b"no JSON at all",
        _message("sweep", pickle.dumps(call), "application/x-python-serialize"),
        _message("sweep", b"!!python/object/apply:os.getcwd []", "application/x-yaml"),
        _message("no_such_task", good),
        _message("submit", json.dumps([["a", "b", "c"], {"x": 1}, {}]).encode()),
        _message("submit", json.dumps([["no_such_gateway"], {}, {}]).encode()),
        _message("prepare", json.dumps([["not a list of ids"], {}, {}]).encode()),
        _message("prepare", json.dumps([[[10**30, -1, None, {}]], {}, {}]).encode()),
    ]


def _message(task: str, body: bytes, content_type: str = "application/json") -> bytes:
    number = str(uuid.uuid4())
    message: dict[str, Any] = {
        "body": base64.b64encode(body).decode(),
        "content-encoding": "utf-8" if content_type.endswith("json") else "binary",
        "content-type": content_type,
        "headers": {"lang": "py", "task": task, "id": number, "root_id": number, "parent_id": None, "group": None},
        "properties": {
            "correlation_id": number,
            "reply_to": str(uuid.uuid4()),
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": CONTROL},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": number,
        },
    }
    return json.dumps(message).encode()


@pytest.mark.sqlite
@pytest.mark.parametrize("listens", [False, True], ids=["closed", "silent"])
@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_that_is_away_is_in_nobodys_way(
    tmp_path: Path, sqlite_template: SqliteTemplate, scheme: str, listens: bool
) -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        if listens:
            door.listen()
        url = f"{scheme}://127.0.0.1:{door.getsockname()[1]}/0"
        settings = settings_for(tmp_path, sqlite_template.copy(tmp_path), queue=url)
        with runtime_on(settings) as runtime:
            make_app(runtime)
            people(runtime, 3)
            campaign = draft(runtime)
            start(runtime, campaign)
            with runtime.begin() as tx:
                control.pause(tx.session, OPERATOR, compose.get(tx.session, OPERATOR, campaign), now=tx.now)
            # who waited half a second for each of them would not be done before this test is stopped
            for _ in range(300):
                with runtime.begin() as tx:
                    wake(tx.session, "receipts")
            assert state_of(runtime, campaign) == "paused"
