"""What a newcomer types, in processes of their own: from their list to the report."""

from __future__ import annotations

import re
import signal
import time
import urllib.request
from pathlib import Path

import pytest

from broadcaster.gateways.simulator.journal import accepted_parts
from tests.commands.conftest import Desk, make_desk

MANY = "姓名,手机,支部,订阅\n" + "".join(f"读者{n},199100{n:05d},东川/一支部,是\n" for n in range(600))


@pytest.fixture
def installed(tmp_path: Path, database_url: str) -> Desk:
    """An installation on either database."""
    desk = make_desk(tmp_path)
    desk.env["BROADSHEET_STORE__URL"] = database_url
    return desk


def test_from_a_list_to_a_report(installed: Desk) -> None:
    # each process takes a second to begin: on one of the two databases that is enough
    step = installed.run if "sqlite" in installed.env["BROADSHEET_STORE__URL"] else installed.type
    assert step("init", "--json").document.keys() == {"revision"}
    imported = step("members", "import", "people.csv", "--rejects", "refused.csv")
    assert "6 rows: 4 created" in imported.out
    assert "row 7: The name is missing." in imported.out
    assert "12345" in (installed.folder / "refused.csv").read_text("utf-8-sig")
    made = step("campaigns", "create", "--text", "{{ name }}，您好，周五开会。", "--to", "everyone")
    assert "broadsheet campaigns check 1" in made.out
    checked = step("campaigns", "check", 1)
    assert "【晨晖手机报】李一，您好，周五开会。" in checked.out
    assert "broadsheet campaigns send 1 --confirm 3" in checked.out
    sent = installed.run("campaigns", "send", 1, "--confirm", 3, "--watch")
    assert sent.code == 0, sent.err
    assert "it is sent from here" in sent.err
    closed = installed.run("campaigns", "watch", 1, "--until", "closed", "--timeout", 30, "--json")
    assert closed.document["messages"] == {"delivered": 3, "skipped": 1}
    (row,) = step("report", "campaign", 1, "--json").document["rows"]
    assert (row["delivered"], row["recipients"], row["skipped"]) == (3, 3, {"opted_out": 1})
    assert row["cost"] == "0.15"
    assert len(accepted_parts(installed.folder / "data" / "simulator.carrier")) == 3


def test_stopped_in_mid_send_it_goes_on_and_nobody_gets_it_twice(desk: Desk) -> None:
    desk.write("people.csv", MANY)
    desk.write("broadsheet.toml", (desk.folder / "broadsheet.toml").read_text() + "parts_per_second = 50\n")
    desk.type("init")
    desk.type("members", "import", "people.csv")
    desk.type("campaigns", "create", "--text", "{{ name }}，您好。", "--to", "everyone")
    carrier = desk.folder / "data" / "simulator.carrier"
    with desk.start("campaigns", "send", 1, "--confirm", 600, "--watch") as first:
        wait_for(lambda: len(accepted_parts(carrier)) > 50)
        first.send_signal(signal.SIGINT)
        _, err = first.communicate(timeout=30)
    assert first.returncode == 130
    assert "Campaign 1 is kept as it is, and goes on when the press runs again" in err
    assert 50 < len(accepted_parts(carrier)) < 600
    assert desk.run("campaigns", "watch", 1, "--until", "closed", "--timeout", 40).code == 0
    numbers = [part["destination"] for part in accepted_parts(carrier)]
    assert len(numbers) == len(set(numbers)) == 600


def test_up_serves_and_others_look_on(staffed: Desk) -> None:
    staffed.type("campaigns", "create", "--text", "{{ name }}，您好。", "--to", "everyone")
    with staffed.start("up", "--port", 0) as up:
        try:
            assert up.stdout is not None
            address = re.search(r"http://127\.0\.0\.1:\d+/", up.stdout.readline())
            assert address is not None
            with urllib.request.urlopen(f"{address[0]}health/live", timeout=5) as answered:
                assert answered.status == 200
            second = staffed.type("up")
            assert (second.code, "Another process serves" in second.err) == (1, True)
            assert staffed.type("campaigns", "send", 1, "--confirm", 3, "--json").document["state"] == "preparing"
            seen = staffed.type("campaigns", "watch", 1, "--until", "closed", "--timeout", 30, "--json")
            assert seen.document["state"] == "closed"
            assert "sent from here" not in seen.err
            with staffed.start("gateways", "run", "simulator") as beside:
                assert beside.stderr is not None
                assert "holds the connections of this installation" in beside.stderr.readline()
                beside.send_signal(signal.SIGTERM)
                beside.communicate(timeout=20)
            assert beside.returncode == 0
        finally:
            up.send_signal(signal.SIGTERM)
            up.communicate(timeout=30)
    assert up.returncode == 0


def test_a_reader_that_goes_away_is_no_error(staffed: Desk) -> None:
    with staffed.start("members", "find", "199") as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""


def wait_for(condition: object, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.05)
