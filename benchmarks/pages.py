"""The newsroom's pages at the size of a province: many users at once, while a campaign goes out.

python -m benchmarks.pages [--members 1000000] [--users 20] [--store sqlite|postgresql] [--campaign] [--json]

`broadsheet up` in a process of its own, real requests. Each user looks at one page after the other, in an order of
their own, and rests between two of them. Beside each page stands how many of its looks were above the bound, how much
longer it takes than the barest answer of the same server in the same run, and what the first look after the start took,
when nothing was remembered. With fewer than 20 looks a 95th percentile is the slowest of them: `--looks` goes on until
each page has so many. `--database` names a database that is kept: whoever is missing in it is put there first.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg

from benchmarks._newsroom import CITY, Step, furnish, steps, take_in
from benchmarks._processes import cpu_seconds, family_cpu_seconds, memory_mib
from benchmarks._product import ROOT, SETTINGS, environment, plain
from benchmarks._users import User, at_work
from broadcaster.runtime import Runtime, make_runtime
from broadcaster.settings import load
from tests import servers
from tests.journeys import stage

CONFIGURATION = """\
[paper]
name = "晨晖"
signature = "【晨晖】"
[store]
url = "{url}"
[gateways.simulator]
kind = "simulator"
parts_per_second = {rate}
"""
#: milliseconds: what the design allows for the slowest of twenty
BOUND = 300
#: by page
Looks = Mapping[str, Sequence[float]]
#: milliseconds of each page, those of the first look, figures of the run, what went wrong
Figures = tuple[Looks, Mapping[str, float], dict[str, Any], list[str]]


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[tuple[str, int]]:
    """`broadsheet up`: its address and the id of its process."""
    command = [sys.executable, "cli.py", "up", "--port", "0", "--json"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment(folder), stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            assert process.stdout
            lines = ""
            for line in process.stdout:
                lines += line
                with contextlib.suppress(json.JSONDecodeError):
                    yield json.loads(lines)["address"].rstrip("/"), process.pid
                    break
            else:
                raise RuntimeError((folder / "log").read_text("utf-8", errors="replace")[-3000:])
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def measured(house: Runtime, folder: Path, tokens: Sequence[str], given: argparse.Namespace) -> Figures:
    """What each page took."""
    with house.reading() as tx:
        wanted = given.only.split("|")
        all_steps = [
            each for each in steps(tx.session) if each.name == "bare" or any(word in each.name for word in wanted)
        ]
    with serving(folder) as (address, pid):
        # it compiles templates and fills what is remembered
        first = User(address, tokens[0], 999)
        first.come_in()
        for step in all_steps:
            first.look(step)
        if given.campaign:
            campaign = stage.draft(house, "{{ name }}，您好：明天停水。", rule=f'under("{CITY}")')
            stage.start(house, campaign)
            time.sleep(2)
        before = cpu_seconds(pid), _server_seconds(folder), time.monotonic()
        with at_work(address, tokens, all_steps, given.rest) as users:
            time.sleep(given.seconds)
            while min(len(_took(users, step)) for step in all_steps) < given.looks:
                time.sleep(1)
        seconds = time.monotonic() - before[2]
        used, base = cpu_seconds(pid) - before[0], _server_seconds(folder) - before[1]
        memory = memory_mib(pid)[0]
        state = stage.state_of(house, campaign) if given.campaign else ""
    took = {step.name: _took(users, step) for step in all_steps}
    answers = sum(map(len, took.values()))
    all_looks = sorted(each for name, looks in took.items() if name != "bare" for each in looks)
    run: dict[str, Any] = {
        "answers": answers,
        "median_ms": round(statistics.median(all_looks), 1),
        "p95_ms": round(all_looks[int(len(all_looks) * 0.95)], 1),
        "above_bound": f"{100 * sum(each > BOUND for each in all_looks) / len(all_looks):.1f} %",
        "answers_per_second": round(answers / seconds, 1),
        "cpu_ms_each": round(used / max(answers, 1) * 1000, 1),
        "cpu_ms_each_database": round(base / max(answers, 1) * 1000, 1),
        "memory_mib": round(memory),
        "load": round(os.getloadavg()[0], 1),
        "campaign": state,
    }
    began = {name: each[0] for name, each in first.took.items()}
    return took, began, run, [each for user in (first, *users) for each in user.failed]


def _took(users: Sequence[User], step: Step) -> list[float]:
    return [each for user in users for each in user.took[step.name]]


def _server_seconds(folder: Path) -> float:
    """What PostgreSQL has used; SQLite is in the process that uses it."""
    told_pid = folder / "server" / "data" / "postmaster.pid"
    return family_cpu_seconds(int(told_pid.read_text().split()[0])) if told_pid.exists() else 0.0


def table(took: Looks, began: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Of each page: milliseconds, how many looks were above the bound, and times the barest answer."""
    bare = statistics.median(took["bare"])
    return {
        name: {
            "looks": len(each),
            "median_ms": round(statistics.median(each), 1),
            "p95_ms": round(statistics.quantiles(each, n=20, method="inclusive")[-1], 1),
            "above": sum(one > BOUND for one in each),
            "ratio": round(statistics.median(each) / bare, 1),
            "first_ms": round(began[name], 1),
        }
        for name, each in took.items()
        if len(each) > 1
    }


@contextlib.contextmanager
def house_for(folder: Path, given: argparse.Namespace) -> Iterator[Runtime]:
    """An installation in this folder, with all of its members."""
    with contextlib.ExitStack() as stack:
        url = given.database or f"sqlite:///{folder / 'members.db'}"
        if not given.database and given.store == "postgresql":
            (folder / "server").mkdir()
            url = stack.enter_context(servers.postgresql(folder / "server", *SETTINGS))
        (folder / "broadsheet.toml").write_text(CONFIGURATION.format(url=url, rate=given.rate), encoding="utf-8")
        house = make_runtime(load(folder / "broadsheet.toml", data=folder / "data"))
        stack.callback(house.close)
        take_in(house, given.members, folder / "members.csv")
        if not url.startswith("sqlite"):
            # what the server does by itself within a minute or so of a large import
            with psycopg.connect(plain(url), autocommit=True) as connection:
                connection.execute("VACUUM ANALYZE")
        yield house


def main() -> int:
    """Measure and print; 1 if an answer was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=1_000_000)
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--looks", type=int, default=1, help="go on until each page has so many")
    parser.add_argument(
        "--rest", type=float, default=1.0, help="seconds that a user rests between two pages, on average"
    )
    parser.add_argument("--store", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--database", default="", metavar="URL", help="one that is kept, instead of --store")
    parser.add_argument("--campaign", action="store_true", help="a campaign to a city goes out meanwhile")
    parser.add_argument("--rate", type=int, default=200, help="parts a second that it may send")
    parser.add_argument("--only", default="", metavar="WORD", help="pages whose name has this in it; several with |")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        folder = Path(place)
        # PostgreSQL refuses to run as root, and the plain user that it gets must come through here
        folder.chmod(0o755)
        with house_for(folder, given) as house:
            tokens = furnish(house, given.users)
            took, began, run, failed = measured(house, folder, tokens, given)
    found: dict[str, Any] = {"run": run, "pages": table(took, began), "failed": sorted(set(failed))}
    if given.json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        draw(found)
    return int(bool(failed))


def draw(found: Mapping[str, Any]) -> None:
    """For people, the slowest first."""
    print("  ".join(f"{name} {value}" for name, value in found["run"].items()))
    print(f"{'page':36}{'looks':>7}{'above':>7}{'median':>9}{'95 %':>9}{'ratio':>8}{'first':>9}")
    for name, row in sorted(found["pages"].items(), key=lambda one: -one[1]["p95_ms"]):
        mark = "  above" if row["p95_ms"] > BOUND else ""
        figures = f"{row['median_ms']:9}{row['p95_ms']:9}{row['ratio']:8}{row['first_ms']:9}"
        print(f"{name:36}{row['looks']:7}{row['above']:7}{figures}{mark}")
    for each in found["failed"]:
        print(f"failed: {each}")


if __name__ == "__main__":
    sys.exit(main())
