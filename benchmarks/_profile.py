"""What the profiler found, for people: by thread, functions of the house with what they call, and all by themselves."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

_ROOT = str(Path(__file__).parents[1]) + "/"
_HOUSE = ("broadcaster/", "subscribers/")


@dataclass(slots=True)
class Spent:
    """Of one function in one thread."""

    calls: int = 0
    alone: float = 0.0
    with_called: float = 0.0


def told(file: Path, parts: int, *, threads: int = 6, most: int = 30) -> str:
    """Microseconds for each part, and calls for 1,000 parts. The profiler makes calls dearer: read the shares."""
    found: defaultdict[str, defaultdict[str, Spent]] = defaultdict(lambda: defaultdict(Spent))
    for line in file.read_text("utf-8").splitlines():
        thread, path, number, name, calls, alone, with_called = json.loads(line)
        spent = found[_pool(thread)][_place(path, number, name)]
        spent.calls += calls
        spent.alone += alone
        spent.with_called += with_called
    sums = {thread: sum(spent.alone for spent in functions.values()) for thread, functions in found.items()}
    lines = []
    for thread in sorted(sums, key=lambda thread: -sums[thread])[:threads]:
        functions = found[thread]
        house = [item for item in functions.items() if item[0].startswith(_HOUSE)]
        lines.append(f"\n{thread}: {sums[thread] / parts * 1e6:.1f} us a part")
        lines.append(f"{'with called':>12}{'alone':>9}{'calls/1000':>12}")
        lines += [_row(*item, parts) for item in sorted(house, key=lambda item: -item[1].with_called)[:most]]
        lines.append("  by themselves:")
        lines += [_row(*item, parts) for item in sorted(functions.items(), key=lambda item: -item[1].alone)[:most]]
    return "\n".join(lines)


def by_thread(file: Path, parts: int) -> str:
    """Seconds of processor for 1,000 parts, of each thread of a process, its start included."""
    sums: defaultdict[str, float] = defaultdict(float)
    for line in file.read_text("utf-8").splitlines():
        thread, seconds = json.loads(line)
        sums[_pool(thread)] += seconds
    dearest = sorted(sums.items(), key=lambda item: -item[1])
    return ", ".join(f"{thread} {seconds * 1000 / parts:.3f}" for thread, seconds in dearest if seconds * 1e6 > parts)


def _pool(thread: str) -> str:
    """The threads of a pool are one."""
    return re.sub(r"[-_ ]\d+(_\d+)?$", "", thread)


def _row(place: str, spent: Spent, parts: int) -> str:
    each = 1e6 / parts
    return f"{spent.with_called * each:12.1f}{spent.alone * each:9.1f}{spent.calls * 1000 / parts:12.1f}  {place}"


def _place(path: str, number: int, name: str) -> str:
    short = path.removeprefix(_ROOT).rpartition("site-packages/")[2].rpartition("/lib/python3")[2]
    return f"{short}:{number}:{name}" if short else name
