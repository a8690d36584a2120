"""Live is not ready: ready means that the work can be done."""

from __future__ import annotations

import httpx2
import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from broadcaster import migrations
from broadcaster.logs import Seldom
from broadcaster.runtime import Runtime
from broadcaster.settings import Web
from broadcaster.web import readiness
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


def test_strangers_are_told_no_names(served: Runtime, site: httpx2.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "_faults", Seldom(60))
    served.engine.dispose()
    served.engine = make_engine("postgresql+psycopg://secretary@127.0.0.1:1/paperdb")
    proxied = {"x-forwarded-for": "198.51.100.7", "accept-language": "en"}
    with capture_logs() as logged:
        answers = [site.get("/health/ready", headers=proxied) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {503}
    assert answers[0].json()["checks"] == [
        {"name": "database", "ok": False, "found": "does not answer, or is older than this program", "advice": ""},
        {"name": "queue", "ok": True, "found": "is being done", "advice": ""},
        {"name": "gateways", "ok": True, "found": "are set up", "advice": ""},
    ]
    said = [each for each in logged if each["event"] == "not ready"]
    assert [(each["check"], "127.0.0.1" in each["reason"]) for each in said] == [("database", True)], "once a minute"
    # whoever has the token, or sits at the machine, is told all of it
    assert "127.0.0.1" in str(told(site, "database")["found"])
    served.settings = served.settings.model_copy(update={"web": Web(metrics_token="t" * 20)})
    assert "127.0.0.1" not in str(told(site, "database")["found"])
    answer = site.get("/health/ready", headers={**proxied, "authorization": "Bearer " + "t" * 20})
    assert "127.0.0.1" in answer.text


@pytest.mark.parametrize("url", ["postgresql+psycopg://x@127.0.0.1:1/x", "sqlite:////nowhere/at/all.db"])
def test_a_database_that_is_away(served: Runtime, site: httpx2.Client, url: str) -> None:
    served.engine.dispose()
    served.engine = make_engine(url)
    check = told(site, "database")
    assert check["ok"] is False
    assert "does not answer" in str(check["found"])
    assert site.get("/health/live").json() == {"ok": True}
