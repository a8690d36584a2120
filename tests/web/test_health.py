"""Live is not ready: ready means that the work can be done."""

from __future__ import annotations

import httpx2
import pytest
from sqlalchemy import text

from broadcaster import migrations
from broadcaster.runtime import Runtime
from subscribers.db import make_engine


@pytest.fixture
def served(house: Runtime) -> Runtime:
    """As after `up` has started its worker."""
    house.publish = lambda wakes: None
    return house


def told(site: httpx2.Client, name: str) -> dict[str, object]:
    answer = site.get("/health/ready", headers={"accept-language": "en"})
    checks = {check["name"]: check for check in answer.json()["checks"]}
    assert answer.json()["ok"] == all(check["ok"] for check in checks.values()) == (answer.status_code == 200)
    return dict(checks[name])


def test_ready(served: Runtime, site: httpx2.Client) -> None:
    answer = site.get("/health/ready", headers={"accept-language": "en"})
    assert answer.status_code == 200
    assert [(check["name"], check["ok"]) for check in answer.json()["checks"]] == [
        ("database", True),
        ("queue", True),
        ("gateways", True),
    ]
    assert migrations.head() in answer.json()["checks"][0]["found"]
    assert answer.json()["checks"][2]["found"] == "simulator, carrier"


def test_in_the_language_of_the_reader(served: Runtime, site: httpx2.Client) -> None:
    answer = site.get("/health/ready", headers={"accept-language": "zh-CN"})
    assert "版本" in answer.json()["checks"][0]["found"]


def test_nobody_serves_the_queue(site: httpx2.Client) -> None:
    assert told(site, "queue") == {
        "name": "queue",
        "ok": False,
        "found": "Nobody serves the queue in this process.",
        "advice": "Start it with `broadsheet up`.",
    }


def test_a_process_that_ends_is_not_ready(served: Runtime, site: httpx2.Client) -> None:
    served.stopping.set()
    assert told(site, "queue")["ok"] is False
    assert site.get("/health/live").status_code == 200


def test_a_broker_that_is_away(served: Runtime, site: httpx2.Client) -> None:
    queue = served.settings.queue.model_copy(update={"url": "redis://127.0.0.1:1/0"})
    served.settings = served.settings.model_copy(update={"queue": queue})
    assert told(site, "queue")["ok"] is False


def test_a_broker_that_answers(served: Runtime, site: httpx2.Client, redis_url: str) -> None:
    queue = served.settings.queue.model_copy(update={"url": redis_url})
    served.settings = served.settings.model_copy(update={"queue": queue})
    assert told(site, "queue")["ok"] is True


def test_a_database_of_another_revision(served: Runtime, site: httpx2.Client) -> None:
    with served.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'r0000'"))
    check = told(site, "database")
    assert (check["ok"], check["advice"]) == (False, "Run `broadsheet init`.")
    assert "r0000" in str(check["found"])


@pytest.mark.parametrize("url", ["postgresql+psycopg://x@127.0.0.1:1/x", "sqlite:////nowhere/at/all.db"])
def test_a_database_that_is_away(served: Runtime, site: httpx2.Client, url: str) -> None:
    served.engine.dispose()
    served.engine = make_engine(url)
    check = told(site, "database")
    assert check["ok"] is False
    assert "does not answer" in str(check["found"])
    assert site.get("/health/live").json() == {"ok": True}
