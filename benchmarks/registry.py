"""The registry at the size of a province, beside the plain database doing the least possible work in the same run.

python -m benchmarks.registry [--members 1000000] [--json]

It starts a PostgreSQL of its own with fsync on, and takes some minutes; nothing of it stays.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine, make_url, text
from sqlalchemy.orm import Session

from benchmarks import _province as province
from broadcaster import migrations
from subscribers import finding, importing, segments
from subscribers.actor import OPERATOR
from subscribers.clock import monotonic
from subscribers.db import make_engine
from subscribers.msisdn import parse
from subscribers.names import search_key
from subscribers.organisations import ensure_paths, find_by_path, subtree_range
from subscribers.tree_changes import move
from tests import servers

NOW = datetime(2026, 11, 21, 2, tzinfo=UTC)
TODAY = date(2026, 11, 21)
ROUNDS = 7
#: what a server for a province wants; the rest as PostgreSQL comes
SETTINGS = ("shared_buffers=512MB", "max_wal_size=4GB")
CITY, TARGET = f"{province.PROVINCE}/第3市", f"{province.PROVINCE}/第9市"
#: of that city
COUNTY = 2 * province.COUNTIES // province.CITIES + 1
RULES = {
    "count_city_status": f'under("{CITY}") and status = retired',
    "count_city_five_terms": f'under("{CITY}") and status = retired and age >= 60 and not mobile and not tag = "书画"',
    "count_province_status": "status = retired",
    "count_province_five_terms": 'status = retired and age >= 60 and age < 90 and not mobile and not tag = "书画"',
}
SEARCHES = {
    "find_name": "张伟",
    "find_pinyin": "zhangwei",
    "find_initials": "zw",
    "find_number": "",
    "find_inside": "国",
}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--members", type=int, default=1_000_000)
    parser.add_argument("--import-only", nargs=2, metavar=("URL", "FILE"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.import_only:
        print(json.dumps(take_in(*given.import_only)))
        return
    found = figures(given.members)
    if given.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:32} {value:>14,}")


def figures(members: int) -> dict[str, float]:
    """All of it, on a server and a file of its own."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        # PostgreSQL refuses to run as root, and the plain user that it gets must come through here
        place.chmod(0o755)
        (place / "server").mkdir()
        file = place / "members.csv"
        province.write_members(file, members)
        with servers.postgresql(place / "server", *SETTINGS) as url:
            migrations.upgrade(url)
            engine = make_engine(url)
            found = {"members": members, "organisations": province.ORGANISATIONS} | plant(engine)
            plain = plain_copy(url, file)
            found |= imported(url, file) | {"plain_rows_per_second": plain}
            found["import_ratio"] = round(found["import_rows_per_second"] / plain, 3)
            found |= single_steps(file)
            vacuum(url)
            found |= counted(engine) | searched(engine, file) | moved(engine)
            engine.dispose()
    return found


def plant(engine: Engine) -> dict[str, float]:
    """The tree."""
    began = monotonic()
    with Session(engine) as session, session.begin():
        ensure_paths(session, OPERATOR, list(province.branches()), now=NOW)
    return {"organisations_seconds": round(monotonic() - began, 1)}


def imported(url: str, file: Path) -> dict[str, float]:
    """The import, in a process of its own, so that its memory is told."""
    command = [sys.executable, "-m", "benchmarks.registry", "--import-only", url, str(file)]
    run = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    found: dict[str, float] = json.loads(run.stdout)
    return found


def take_in(url: str, file: str) -> dict[str, float]:
    """The import itself."""
    engine = make_engine(url)
    before = resource.getrusage(resource.RUSAGE_SELF)
    began = monotonic()
    with Session(engine) as session, session.begin():
        result = importing.import_members(session, OPERATOR, Path(file), now=NOW, on=TODAY)
    seconds = monotonic() - began
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert result.created == result.rows
    return {
        "import_seconds": round(seconds, 1),
        "import_rows_per_second": round(result.rows / seconds),
        "import_python_cpu_us_per_row": round(
            (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / result.rows * 1e6, 1
        ),
        "import_memory_mib": after.ru_maxrss // 1024,
    }


def plain_copy(url: str, file: Path) -> float:
    """Rows a second of the file as it is, into one table without key, index or check."""
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    columns = ", ".join(f"{heading} text" for heading in province.HEADINGS)
    with psycopg.connect(address) as connection:
        connection.execute(f"CREATE TABLE plain ({columns})")
        began = monotonic()
        with connection.cursor().copy("COPY plain FROM STDIN (FORMAT csv, HEADER)") as copy, file.open("rb") as source:
            while block := source.read(1 << 20):
                copy.write(block)
        connection.commit()
        seconds = monotonic() - began
        rows = connection.execute("SELECT count(*) FROM plain").fetchone()
        connection.execute("DROP TABLE plain")
    return round((rows[0] if rows else 0) / seconds)


def single_steps(file: Path) -> dict[str, float]:
    """Two steps that the import must not wait for, alone: microseconds per row."""
    lines = file.read_text("utf-8").splitlines()[1:200_001]
    rows = [line.split(",") for line in lines]
    names, numbers = [row[0] for row in rows], [row[1] for row in rows]
    return {
        "number_us_per_row": round(timed(lambda: [parse(one) for one in numbers], 3) * 1000 / len(numbers), 2),
        "search_key_us_per_row": round(timed(lambda: [search_key(one) for one in names], 3) * 1000 / len(names), 2),
    }


def vacuum(url: str) -> None:
    """What the server does by itself within a minute or so of a large import."""
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def counted(engine: Engine) -> dict[str, float]:
    """Milliseconds of a count with its reachable ones; `plain`: the hand-written count of a city's members alone."""
    found: dict[str, float] = {}
    with Session(engine) as session:
        low, high = subtree_range(find_by_path(session, OPERATOR, CITY).path)
        plain = text(
            "SELECT count(*) FROM membership JOIN organisation ON organisation.id = membership.organisation_id "
            "WHERE path >= :low AND path < :high AND status = 'retired'"
        )
        for name, rule in RULES.items():
            counts: list[Any] = []
            found[f"{name}_ms"] = round(
                timed(
                    lambda rule=rule, counts=counts: counts.append(segments.count(session, OPERATOR, rule, on=TODAY))
                ),
                1,
            )
            found[f"{name}_members"] = counts[-1].members
        found["plain_count_city_ms"] = round(timed(lambda: session.execute(plain, {"low": low, "high": high}).one()), 1)
        found["count_ratio"] = round(found["count_city_status_ms"] / found["plain_count_city_ms"], 2)
    return found


def searched(engine: Engine, file: Path) -> dict[str, float]:
    """Milliseconds to find people."""
    with file.open(encoding="utf-8") as lines:
        number = [next(lines) for _ in range(100)][-1].split(",")[1]
    with Session(engine) as session:
        return {
            f"{name}_ms": round(timed(lambda what=what: finding.find(session, OPERATOR, what or number, on=TODAY)), 1)
            for name, what in SEARCHES.items()
        }


def moved(engine: Engine) -> dict[str, float]:
    """A county with all its organisations to another city; `plain`: an update of the same rows by their range."""
    county = f"{CITY}/第{COUNTY}县"
    with Session(engine) as session, session.begin():
        low, high = subtree_range(find_by_path(session, OPERATOR, county).path)
        began = monotonic()
        session.execute(
            text("UPDATE organisation SET level = level WHERE path >= :low AND path < :high"),
            {"low": low, "high": high},
        )
        plain = monotonic() - began
    began = monotonic()
    with Session(engine) as session, session.begin():
        organisations = move(session, OPERATOR, county, under=TARGET, now=NOW)
    return {
        "move_organisations": organisations,
        "move_ms": round((monotonic() - began) * 1000, 1),
        "plain_update_ms": round(plain * 1000, 1),
    }


def timed(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Milliseconds, the median of several rounds after a first one that does not count."""
    work()
    taken = []
    for _ in range(rounds):
        began = monotonic()
        work()
        taken.append((monotonic() - began) * 1000)
    return statistics.median(taken)


if __name__ == "__main__":
    main()
