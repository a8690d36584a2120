"""K1 to K8, T1, and a journal that is not to be believed: `kill -9` at every place, and what the next makes of it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from broadcaster.delivery.journal import this_boot
from tests.chaos.faults import kill_bind, kill_role
from tests.chaos.installation import BINDS, MANNERS, WINDOW, wait_until
from tests.chaos.points import POINTS
from tests.chaos.rows import LONG, at_work
from tests.chaos.run import TEXT

#: whole runs, on machines that may be busy
pytestmark = pytest.mark.timeout(400)

#: by row: where a process dies, one after the other; and whether nothing of it had begun to leave
DEATHS = {
    "K1 K2": (("claiming:1", "claimed:1"), True),
    "K3 K4": (("writing:30", "answered:30", "recording:2", "recorded:2"), False),
    "K5 K6": (("receipt_read:2", "receipt_stored:2", "receipt_kept:2"), False),
    "K7": (("expanding:1", "expanding:1"), True),
}


@pytest.mark.parametrize("rows", DEATHS)
def test_killed_there(tmp_path: Path, database_url: str, rows: str) -> None:
    """Each of them once, in a process of its own; then a healthy one takes over."""
    deaths, certain = DEATHS[rows]
    with at_work(tmp_path, url=database_url, text=LONG, messages=120, rate=150) as row:
        for death in deaths:
            row.dies("bind 1", death)
        row.on.start("bind 2")
        assert wait_until(row.on.has_taken_over, 60)
        row.judged(in_doubt=0 if certain else len(deaths) * WINDOW)


def test_every_place_is_tried() -> None:
    tried = {death.partition(":")[0] for deaths, _ in DEATHS.values() for death in deaths}
    assert tried == set(POINTS)


@pytest.mark.parametrize("heard", [True, False], ids=["logged", "not logged"])
def test_killed_between_submit_and_answer(tmp_path: Path, database_url: str, heard: bool) -> None:
    """K3: the carrier has logged them and not answered, or they are on their way to it."""
    slow = replace(MANNERS, latency=0.0 if not heard else 1.5, early=0)
    with at_work(tmp_path, url=database_url, manners=slow, messages=150) as row:
        if not heard:
            row.on.carrier.behave(half_open_after=20)
        row.on.start("bind 1")
        row.sent(20)
        # more has left than it takes: a text alone is at least so long in UCS-2
        assert heard or wait_until(lambda: row.on.line.asked >= WINDOW * 2 * len(TEXT), 90)
        row.on.kill("bind 1")
        row.on.carrier.behave(latency=0.0, half_open_after=0)
        row.on.start("bind 2")
        verdict = row.judged()
        # what it had taken is settled by receipts, all of it; what had left and never came is in doubt
        assert verdict.cells["accepted_once"] == row.on.log.parts
        assert verdict.cells["unknown"] == 150 - row.on.log.parts
        assert heard or verdict.cells["unknown"]


def test_workers_and_beats(tmp_path: Path, database_url: str, redis_url: str) -> None:
    """K7 and K8: who prepares and who gives the ticks is killed while a campaign begins; two of each do no harm."""
    with at_work(tmp_path, url=database_url, queue=redis_url, messages=200) as row:
        row.on.start("beat")
        row.dies("worker", "expanding:1")
        row.on.start("worker", *BINDS)
        kill_role("beat", row.on, row.chance)
        row.sent(50)
        kill_role("worker", row.on, row.chance)
        kill_bind(row.on, row.chance)
        row.judged()


@pytest.mark.parametrize("how", ["another boot", "torn", "gone"])
def test_a_journal_that_tells_nothing(tmp_path: Path, database_url: str, how: str) -> None:
    """What it claimed and did not write down is in doubt then: never sent again, and no more than two turns."""
    with at_work(tmp_path, url=database_url, messages=200, rate=200) as row:
        row.on.start("bind 1")
        row.sent(60)
        row.on.kill("bind 1")
        found = sorted((tmp_path / "data" / "journals").glob("owner-*"))
        assert found
        for path in found:
            _spoil(path, how)
        row.on.start("bind 2")
        verdict = row.judged(in_doubt=400)
        assert verdict.cells["accepted_once"] + verdict.cells["unknown"] == 200


def _spoil(path: Path, how: str) -> None:
    if how == "gone":
        path.unlink()
    elif how == "torn":
        # the head is whole: what is missing would be taken for what never left
        path.write_bytes(path.read_bytes()[:512])
    else:
        content = path.read_bytes()
        assert re.search(this_boot().encode(), content)
        path.write_bytes(content.replace(this_boot().encode(), b"0" * len(this_boot())))


def test_clocks_that_jump(tmp_path: Path, database_url: str) -> None:
    """T1: an hour on, an hour back, a day on, again and again: who lives, and what is sent, hangs on no wall clock."""
    with at_work(tmp_path, url=database_url, messages=200, rate=60, receipt_timeout=200_000) as row:
        row.on.broken = "clock"
        row.on.start()
        row.sent(60)
        kill_bind(row.on, row.chance)
        # what brings a receipt that came early, or whose answer was lost, together with its part is the time of day
        row.judged(patience=30, but_for=("is still submitted", "is still in_network", "in doubt after all receipts"))
