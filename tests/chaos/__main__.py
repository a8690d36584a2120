"""`python -m tests.chaos`: see `run.py help`, and docs/chaos.md."""

from __future__ import annotations

import argparse
import json
import os
import random
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.chaos.judge import CELLS
from tests.chaos.points import MUTANTS
from tests.chaos.run import Outcome, run

#: messages, faults and seeds: in about a minute, and what a release is held against
SMOKE, FULL = (5_000, 8, 1), (100_000, 50, 20)
ROWS_TIMES = 20
_SHOWN = 20


def main(arguments: Sequence[str]) -> int:
    """0: nothing lost, nothing twice."""
    asked = _asked(arguments)
    if asked.rows:
        return _rows(asked.database, asked.rows)
    messages, faults, seeds = FULL if asked.full else SMOKE
    chance = random.Random(asked.seed)
    outcomes = []
    for turn in range(asked.seeds or seeds):
        seed = asked.seed if turn == 0 else chance.randrange(10**6)
        _say(
            asked,
            f"seed {seed}: {asked.messages or messages:,} messages, {asked.faults or faults} faults, "
            f"{asked.database}, {asked.broker}",
        )
        outcome = _one(asked, seed, asked.messages or messages, asked.faults or faults)
        outcomes.append(outcome)
        _say(asked, *_judgement(outcome))
        if not outcome.ok:
            break
    if asked.json:
        sys.stdout.write(json.dumps(document(asked, outcomes), ensure_ascii=False, indent=1) + "\n")
    elif len(outcomes) > 1:
        _say(asked, "", *_recovery(outcomes))
    return 0 if all(outcome.ok for outcome in outcomes) else 1


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="run.py chaos",
        description="A campaign through real processes, a database, a broker and a carrier, to which things happen; "
        "then the carrier's own log against the ledger. Exit 1: something was lost, or came twice.",
    )
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--broker", choices=("redis", "rabbitmq", "embedded"), default="redis")
    parser.add_argument(
        "--seed", type=int, default=secrets.randbelow(10**6), help="the same seed draws the same faults"
    )
    parser.add_argument("--full", action="store_true", help="100,000 messages and 50 faults, for 20 seeds")
    parser.add_argument("--messages", type=int, help="instead of 5,000")
    parser.add_argument("--faults", type=int, help="instead of 8")
    parser.add_argument("--seeds", type=int, help="so many runs, the first with --seed")
    parser.add_argument(
        "--rows", type=int, nargs="?", const=ROWS_TIMES, default=0, metavar="N",
        help=f"the test of every row of the fault matrix, N times each ({ROWS_TIMES} if left out)",
    )  # fmt: skip
    parser.add_argument("--broken", choices=sorted(MUTANTS), default="", help="with this mistake, which must be seen")
    parser.add_argument("--json", action="store_true", help="one document on standard output, and nothing else there")
    return parser.parse_args(arguments)


def _one(asked: argparse.Namespace, seed: int, messages: int, faults: int) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="broadsheet-chaos-", ignore_cleanup_errors=True) as folder:
        # PostgreSQL refuses to run as root, and the plain user that it gets must come through here
        Path(folder).chmod(0o755)
        return run(
            Path(folder),
            seed=seed,
            messages=messages,
            faults=faults,
            database=asked.database,
            broker="" if asked.broker == "embedded" else asked.broker,
            broken=asked.broken,
            tell=lambda line: _say(asked, line),
        )


def _say(asked: argparse.Namespace, *lines: str) -> None:
    out = sys.stderr if asked.json else sys.stdout
    out.write("".join(f"{line}\n" for line in lines))
    out.flush()


def _judgement(outcome: Outcome) -> list[str]:
    cells = ", ".join(f"{cell.replace('_', ' ')} {outcome.verdict.cells[cell]:,}" for cell in CELLS)
    lines = ["", f"{cells}; {outcome.seconds:.0f} s", *_doubts(outcome), "", *_recovery([outcome]), ""]
    if outcome.ok:
        return [*lines, "Nothing lost, nothing twice."]
    told = outcome.verdict.faults
    lines += [f"  {fault}" for fault in told[:_SHOWN]]
    if len(told) > _SHOWN:
        lines.append(f"  ... and {len(told) - _SHOWN:,} more")
    verdict = outcome.verdict
    counts = f"doubled {len(verdict.doubled)}, lost {len(verdict.lost)}, otherwise wrong {len(verdict.wrong)}"
    return [*lines, outcome.logs, f"FAILED: {counts}. Again: --seed {outcome.seed}"]


def _doubts(outcome: Outcome) -> list[str]:
    """What stayed in doubt, and what had happened last before it was noted."""
    lines = []
    for since, parts in outcome.doubts:
        before = [each.fault.name for each in outcome.happened if each.since <= since]
        lines.append(f"  in doubt {parts:5}, noted after: {before[-1] if before else 'nothing'}")
    return lines


def figures(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """How long it took from each kind of fault to the next part that was accepted, in seconds."""
    found: dict[str, list[float]] = {}
    about: dict[str, Any] = {}
    for outcome in outcomes:
        for each in outcome.happened:
            if each.recovered is not None:
                found.setdefault(each.fault.name, []).append(each.recovered)
                about[each.fault.name] = each.fault
    return [
        {
            "fault": name,
            "row": about[name].row,
            "times": len(seconds),
            "p95": round(sorted(seconds)[max(0, -(-len(seconds) * 95 // 100) - 1)], 2),
            "goal": about[name].goal,
        }
        for name, seconds in sorted(found.items(), key=lambda item: about[item[0]].row)
    ]


def _recovery(outcomes: Sequence[Outcome]) -> list[str]:
    lines = [f"{'':4}{'until the next part, seconds':42}{'times':>6}{'p95':>8}{'goal':>6}"]
    lines += [f"{f['row']:4}{f['fault']:42}{f['times']:6}{f['p95']:8.2f}{f['goal']:6g}" for f in figures(outcomes)]
    return lines


def document(asked: argparse.Namespace, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        "ok": all(outcome.ok for outcome in outcomes),
        "database": asked.database,
        "broker": asked.broker,
        "recovery": figures(outcomes),
        "runs": [
            {
                "seed": outcome.seed,
                "seconds": round(outcome.seconds, 1),
                **{cell: outcome.verdict.cells[cell] for cell in CELLS},
                "doubled": outcome.verdict.doubled,
                "lost": outcome.verdict.lost,
                "wrong": outcome.verdict.wrong,
                "faults": [
                    {
                        "fault": each.fault.name,
                        "row": each.fault.row,
                        "at": round(each.at, 2),
                        "parts": each.parts,
                        "taken_over": round(each.counted, 3) if each.fault.kills and each.counted is not None else None,
                        "recovered": None if each.recovered is None else round(each.recovered, 3),
                    }
                    for each in outcome.happened
                ],
            }
            for outcome in outcomes
        ],
    }


def _rows(database: str, times: int) -> int:
    here = Path(__file__).parent
    command = [sys.executable, "-m", "pytest", "-k", database, str(here), "-p", "no:cacheprovider"]
    return subprocess.run(command, env=os.environ | {"TEST_ROWS": str(times)}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
