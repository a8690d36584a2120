"""What the sampler found: processor time by thread, by function of the house, and by whose code was running for it."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from pathlib import Path

_ROOT = str(Path(__file__).parents[1]) + "/"
_HOUSE = (_ROOT + "broadcaster/", _ROOT + "subscribers/")
#: the driver, where it waits for nobody: making statements, reading rows
_DRIVER = ("do_execute", "do_executemany", "do_commit", "do_rollback", "do_begin", "fetchall", "fetchone")
KINDS = ("itself", "sqlalchemy", "driver", "celery", "other")


def told(samples: Path, parts: int, most: int = 30) -> str:
    """Microseconds of processor time for each part, of the threads that send and record; not of the start."""
    threads: Counter[str] = Counter()
    under: defaultdict[str, Counter[str]] = defaultdict(Counter)
    within: defaultdict[str, defaultdict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for line in samples.read_text("utf-8").splitlines():
        thread, seconds, stack = json.loads(line)
        if thread in ("MainThread", "sampler"):
            continue
        # the threads of a pool are one
        thread = re.sub(r"[-_]\d+(_\d+)?$", "", thread)
        threads[thread] += seconds
        houses = [_name(frame) for frame in stack if frame.startswith(_HOUSE)]
        for name in dict.fromkeys(houses):
            under[thread][name] += seconds
        within[thread][houses[-1] if houses else "-"][_kind(stack)] += seconds
    lines = []
    for thread, seconds in threads.most_common(8):
        lines.append(f"\n{thread}: {seconds / parts * 1e6:.1f} us a part, {seconds:.2f} s")
        lines += ["  with what it calls:"]
        lines += [f"  {value / parts * 1e6:8.1f}  {name}" for name, value in under[thread].most_common(most)]
        lines.append("  in its own name:  " + "".join(f"{kind:>12}" for kind in KINDS))
        rows = sorted(within[thread].items(), key=lambda row: -row[1].total())
        for name, kinds in rows[:most]:
            cells = "".join(f"{kinds[kind] / parts * 1e6:12.1f}" for kind in KINDS)
            lines.append(f"  {kinds.total() / parts * 1e6:8.1f}          {cells}  {name}")
    return "\n".join(lines)


def _kind(stack: list[str]) -> str:
    top = stack[-1]
    if top.startswith(_HOUSE):
        return "itself"
    if top.rsplit(":", 2)[1] in _DRIVER or "/psycopg" in top:
        return "driver"
    return "sqlalchemy" if "/sqlalchemy/" in top else "celery" if "/celery/" in top or "/kombu/" in top else "other"


def _name(frame: str) -> str:
    path, function, _ = frame.rsplit(":", 2)
    return f"{path.removeprefix(_ROOT)}:{function}"
