"""Whether the short way to read a number and the long way always agree, and how much faster the short one is.

python -m benchmarks.msisdn [--json] [--numbers N] [--seed N]
"""

from __future__ import annotations

import argparse
import json
import random

from subscribers import msisdn
from subscribers.clock import monotonic
from subscribers.errors import Invalid

PLAIN = ("", "", "+86", "86", "0086")
BEFORE = ("", "", "", "+86", "86", "0086", "+86 ", "86-", "\u202d", "'", "(+86)", "Tel:", "手机：")
BETWEEN = ("", "", "", " ", "-", "\u00a0", "\u2009", "–", ".", "\u200b")
AFTER = ("", "", "", " ", "\u202c", ".0", "(家)", "*")
FULL_WIDTH = str.maketrans("0123456789+-", "０１２３４５６７８９＋－")
#: what the speed is measured with
USUAL = ("{}", "+86{}", "{} ")
ROUNDS = 5


def written(chance: random.Random) -> str:
    """A number as it may stand in a spreadsheet: mostly mobiles, good and bad; landlines, service numbers, debris."""
    kind = chance.random()
    if kind < 0.8:
        digits = f"1{chance.choice('34567893456789012')}{chance.randrange(10**9):09d}"
    elif kind < 0.9:
        digits = f"0{chance.randrange(10**9, 10**11)}"
    else:
        digits = str(chance.randrange(10 ** chance.randrange(1, 15)))
    if chance.random() < 0.6:
        return chance.choice(PLAIN) + digits
    between = chance.choice(BETWEEN)
    text = chance.choice(BEFORE) + between.join([digits[:3], digits[3:7], digits[7:]]) + chance.choice(AFTER)
    return text.translate(FULL_WIDTH) if chance.random() < 0.05 else text


def compare(count: int, seed: int) -> dict[str, int]:
    """How many were compared, on how many both ways answered, and on how many they differ."""
    chance = random.Random(seed)
    short_ones = differences = 0
    for _ in range(count):
        text = written(chance)
        short = msisdn.parse_chinese_mobile(text)
        if short is None:
            continue
        short_ones += 1
        try:
            differences += msisdn.parse_any(text) != short or msisdn.parse(text) != short
        except Invalid:
            differences += 1
    return {"numbers": count, "read_the_short_way": short_ones, "differences": differences}


def microseconds(texts: list[str], *, long: bool) -> float:
    """The best of several rounds, so that a busy machine does not count against either way."""
    read = msisdn.parse_any if long else msisdn.parse
    best = float("inf")
    for _ in range(ROUNDS):
        started = monotonic()
        for text in texts:
            read(text)
        best = min(best, (monotonic() - started) / len(texts))
    return best * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description="The short way to read a number beside the long one.")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--numbers", type=int, default=1_000_000, help="how many to compare")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    result: dict[str, float] = {**compare(options.numbers, options.seed), "seed": options.seed}
    for name, form in zip(("plain", "international", "with_a_space"), USUAL, strict=True):
        texts = [form.format(13_800_000_000 + n) for n in range(5_000)]
        short, long = microseconds(texts, long=False), microseconds(texts[:500], long=True)
        result |= {f"{name}_microseconds": round(short, 2), f"{name}_ratio": round(long / short, 1)}
    if options.json:
        print(json.dumps(result))
        return
    for key, value in result.items():
        print(f"{key:28} {value:12,}")


if __name__ == "__main__":
    main()
