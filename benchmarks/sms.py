"""How many messages a second are cut into parts, beside another splitter in the same run.

python -m benchmarks.sms [--json]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable

import smsutil

from broadcaster.sms import split
from subscribers.clock import monotonic

BODY = "社区食堂从下周一起供应老年套餐，请提前一天到服务站登记，行动不便的会员可以电话预约送餐。取暖季用气请注意通风。"
LATIN = "The branch meets on Friday at nine in room 3. Please bring your book and last month's notes. "
TEXTS = {
    "chinese_70": (BODY * 2)[:70],
    "chinese_200": (BODY * 4)[:200],
    "chinese_200_link": (BODY * 4)[:55] + "https://example.org/p/214" + (BODY * 4)[:120],
    "latin_160": (LATIN * 2)[:160],
    "emoji_200": ("👨‍👩‍👧社区食堂" * 40)[:200],
}
ROUNDS = 5


def per_second(cut: Callable[[str], object], text: str, seconds: float) -> float:
    """The best of several rounds, so that a busy machine does not count against either side."""
    best = 0.0
    for _ in range(ROUNDS):
        done, started = 0, monotonic()
        while (passed := monotonic() - started) < seconds / ROUNDS:
            for _ in range(100):
                cut(text)
            done += 100
        best = max(best, done / passed)
    return best


def figures(seconds: float) -> dict[str, dict[str, float]]:
    result = {}
    for name, text in TEXTS.items():
        ours, theirs = per_second(split, text, seconds), per_second(smsutil.split, text, seconds)
        result[name] = {
            "parts": len(split(text).parts),
            "messages_per_second": round(ours),
            "smsutil_per_second": round(theirs),
            "ratio": round(ours / theirs, 2),
        }
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description="Messages cut into parts per second.")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--seconds", type=float, default=1.0, help="time for each text and splitter")
    options = parser.parse_args()
    result = figures(options.seconds)
    if options.json:
        print(json.dumps(result))
        return
    for name, row in result.items():
        print(
            f"{name:18} {row['parts']:2.0f} parts  {row['messages_per_second']:9,.0f} messages/s"
            f"  smsutil {row['smsutil_per_second']:8,.0f}  ratio {row['ratio']:5.2f}"
        )


if __name__ == "__main__":
    main()
