"""What is left of the rate under "too fast" answers, by chance and by a limit, on a clock of its own.

python -m benchmarks.pace [--seconds 30] [--json]

The decisions alone, no socket: the same figures on any machine. 1,000 parts a second is what the road allows.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable

from broadcaster.gateways.smpp.pace import Pace
from tests.gateways.smpp.test_pace import CAPACITY, Bucket, Seconds, any_number, run

CHANCES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
LIMITS = (10, 50, 200, 500)
#: until the pace has found out
WARM_UP = 20.0


def measured(takes: Callable[[float], bool], allowed: float, chance: float, seconds: float) -> dict[str, float]:
    """The share of what the carrier would take, and how often a part is asked for that has gone."""
    pace = Pace()
    run(pace, takes, WARM_UP, chance=chance)
    taken, asked = run(pace, takes, seconds, begin=WARM_UP, chance=chance, seed=2)
    return {"goodput": round(taken / seconds / allowed, 3), "asked_per_taken": round(asked / taken, 2)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30, help="of the clock of its own")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    told = parser.parse_args()
    figures = {
        f"chance {chance:g}": measured(any_number, CAPACITY * (1 - chance), chance, told.seconds) for chance in CHANCES
    }
    for limit in LIMITS:
        figures[f"limit {limit}/s"] = measured(Bucket(limit), limit, 0, told.seconds)
        figures[f"limit {limit} by the second"] = measured(Seconds(limit), limit, 0, told.seconds)
        figures[f"limit {limit}/s, chance 0.1"] = measured(Bucket(limit), limit, 0.1, told.seconds)
        for chance in (0.3, 0.5):
            figures[f"limit {limit} by the second, chance {chance:g}"] = measured(
                Seconds(limit), limit, chance, told.seconds
            )
    if told.json:
        print(json.dumps(figures))
        return
    for name, values in figures.items():
        print(f"{name:36} {values['goodput']:>7.1%} {values['asked_per_taken']:>6.2f}")


if __name__ == "__main__":
    main()
