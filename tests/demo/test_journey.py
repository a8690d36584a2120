"""The demo as a newcomer runs it: one process, from an empty folder to a report; and killed in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from broadcaster.gateways.simulator.journal import accepted_parts

ROOT = Path(__file__).parents[2]


def start(folder: Path, *options: str, language: str = "en") -> subprocess.Popen[str]:
    # a setting of somebody's shell must not change the demo, and a broken one must not stop it
    environment = os.environ | {
        "BROADSHEET_DATA": str(folder),
        "BROADSHEET_LANG": language,
        "NO_COLOR": "1",
        "COLUMNS": "60",
    }
    return subprocess.Popen(
        [sys.executable, str(ROOT / "cli.py"), "demo", *options],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def carrier_file(folder: Path, size: tuple[int, int, int]) -> Path:
    return folder / f"demo-{size[0]}-{size[1]}-{size[2]}" / "simulator.carrier"


def finished(process: subprocess.Popen[str]) -> tuple[dict[str, Any], str]:
    out, err = process.communicate(timeout=110)
    assert process.returncode == 0, err
    return json.loads(out), err


def adds_up(told: dict[str, Any]) -> bool:
    ends = told["delivered"] + told["failed"] + told["no_receipt"] + told["unknown"]
    return bool(ends == told["recipients"])


@pytest.mark.timeout(240)
def test_newspaper_goes_out_and_the_next_one_too(tmp_path: Path) -> None:
    size = (160, 120, 3)
    options = ("--members", "160", "--readers", "120", "--seed", "3", "--json")
    told, progress = finished(start(tmp_path, *options))
    assert (told["members"], told["readers"], told["edition"], told["variants"]) == (160, 120, 128, 3)
    assert told["confirmed"] == 120
    # one reader opts out while their message still waits
    assert told["recipients"] == 119
    assert adds_up(told)
    assert told["opted_out"] == 3
    assert told["unknown"] == 0
    assert told["skipped"]["opted_out"] >= 1
    assert told["replies"] > told["opted_out"]
    assert "Edition 128" in progress
    assert "\x1b" not in progress
    sent = accepted_parts(carrier_file(tmp_path, size))
    assert all(n == 1 for n in Counter((part["destination"], part["text"]) for part in sent).values())

    again, _ = finished(start(tmp_path, *options))
    assert again["edition"] == 129
    assert again["confirmed"] == 117
    assert adds_up(again)


@pytest.mark.timeout(240)
def test_killed_in_the_middle_it_goes_on_and_nobody_gets_it_twice(tmp_path: Path) -> None:
    size = (400, 330, 5)
    options = ("--members", "400", "--readers", "330", "--seed", "5", "--json")
    file = carrier_file(tmp_path, size)
    first = start(tmp_path, *options)
    until = time.monotonic() + 60
    while time.monotonic() < until and (not file.exists() or file.read_bytes().count(b'"part"') < 200):
        assert first.poll() is None, first.communicate()
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL)
    first.communicate()

    told, _ = finished(start(tmp_path, *options))
    assert told["resumed"] is True
    assert told["confirmed"] >= told["recipients"] >= 328
    assert adds_up(told)
    # what was in doubt when it was killed is at most one window of parts
    assert told["unknown"] <= 50
    sent = accepted_parts(file)
    assert all(n == 1 for n in Counter((part["destination"], part["text"]) for part in sent).values())


def test_where_nothing_can_be_written_it_says_what_to_do(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    process = subprocess.run(
        [sys.executable, str(ROOT / "cli.py"), "demo"],
        cwd=tmp_path,
        env=os.environ | {"BROADSHEET_DATA": str(in_the_way), "BROADSHEET_LANG": "en"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 1
    assert process.stdout == ""
    assert "The demo cannot write to" in process.stderr
    assert "BROADSHEET_DATA=" in process.stderr
    assert "Traceback" not in process.stderr
