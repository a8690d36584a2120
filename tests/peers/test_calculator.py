"""Parts against an independent calculator: the same encoding, count and cuts, save where ours is right and it says why.

TEST_PEERS_TEXTS and TEST_PEERS_SEED choose how many texts, and which.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import re
import subprocess
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
import regex

from broadcaster.sms import Encoding, Split, split
from tests.peers.fetch import CALCULATOR, Compared
from tests.peers.random_texts import EXTENSION, texts

TEXTS = int(os.environ.get("TEST_PEERS_TEXTS", "100000"))
SEED = int(os.environ.get("TEST_PEERS_SEED") or random.randrange(1 << 30))
CAPACITY = {Encoding.GSM7: (160, 153), Encoding.UCS2: (70, 67)}
ENCODING = {"GSM-7": Encoding.GSM7, "UCS-2": Encoding.UCS2}
CHARACTER = regex.compile(r"\X")
LINK_OR_HEADING = re.compile(r"【[^】]*】|[!-~]*[A-Za-z0-9-]\.[A-Za-z]{2}[!-~]*")


def calculated(home: Path, wanted: Sequence[str]) -> list[tuple[Encoding, list[str]]]:
    """The encoding and the parts of each text, as one process of the calculator tells them."""
    lines = "".join(json.dumps(text) + "\n" for text in wanted)
    command = ["node", Path(__file__).with_name("calculator.js"), home]
    told = subprocess.run(command, input=lines, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    answers = [json.loads(line) for line in told.stdout.splitlines()]
    # it calls an empty text one empty part; we send nothing
    return [(ENCODING[answer["encoding"]], [part for part in answer["parts"] if part]) for answer in answers]


def sizes(text: str, encoding: Encoding) -> list[int]:
    """Units of each character, counted without our code."""
    if encoding is Encoding.GSM7:
        return [2 if character in EXTENSION else 1 for character in text]
    return [2 if ord(character) > 0xFFFF else 1 for character in text]


def fewest(text: str, encoding: Encoding) -> int:
    """Parts, if each is filled and only escapes and surrogate pairs stay whole."""
    single, _ = CAPACITY[encoding]
    return min(len(text), 1) if sum(sizes(text, encoding)) <= single else filled(text, encoding)


def filled(text: str, encoding: Encoding) -> int:
    """Parts of a long message that this much of it fills."""
    count, used = 1, 0
    for width in sizes(text, encoding):
        if used + width > CAPACITY[encoding][1]:
            count, used = count + 1, 0
        used += width
    return count


def fits(parts: Sequence[str], encoding: Encoding) -> bool:
    most = CAPACITY[encoding][len(parts) > 1]
    return all(0 < sum(sizes(part, encoding)) <= most for part in parts)


def borders(parts: Sequence[str]) -> list[int]:
    return list(itertools.accumulate(map(len, parts)))[:-1]


def across(pattern: re.Pattern[str] | regex.Pattern[str], text: str, border: int) -> int | None:
    """Where the thing begins through which this border cuts."""
    return next((match.start() for match in pattern.finditer(text) if match.start() < border < match.end()), None)


def verdict(kind: str, text: str, ours: Split, encoding: Encoding, theirs: Sequence[str]) -> str:
    """How the two stand to each other; `wrong` if nothing explains it."""
    if ours.encoding is not encoding or "".join(ours.parts) != text or not fits(ours.parts, encoding):
        return "wrong"
    if list(ours.parts) == list(theirs):
        return "the same parts"
    if kind != "mixed":
        return "wrong"
    if len(ours.parts) < len(theirs):
        # it never cuts a reader's character, at the price of a part
        cut = any(across(CHARACTER, text, border) is not None for border in borders(ours.parts))
        return "a part fewer" if cut and len(ours.parts) == fewest(text, encoding) else "wrong"
    if len(ours.parts) > len(theirs):
        return "wrong" if fits(theirs, encoding) else "it overfills a part"
    pairs = enumerate(zip(borders(ours.parts), borders(theirs), strict=True), start=1)
    number, (mine, its) = next(pair for pair in pairs if pair[1][0] != pair[1][1])
    if mine < its:
        if across(LINK_OR_HEADING, text, its) is not None:
            return "a link or heading kept whole"
        return "wrong" if across(CHARACTER, text, its) is None else "a reader's character kept whole"
    # an older Unicode sees two characters here and keeps one of them; to keep the whole would cost a part
    start = across(CHARACTER, text, mine)
    costs = start is not None and number + filled(text[start:], encoding) > len(ours.parts)
    return "a reader's character that would cost a part" if costs else "wrong"


@pytest.mark.timeout(1200)
def test_random_texts_are_cut_alike(calculator: Path, compared: Compared) -> None:
    kinds, wanted = zip(*texts(TEXTS, SEED), strict=True)
    verdicts: Counter[str] = Counter()
    for kind, text, (encoding, theirs) in zip(kinds, wanted, calculated(calculator, wanted), strict=True):
        ours = split(text)
        found = verdict(kind, text, ours, encoding, theirs)
        assert found != "wrong", f"seed {SEED}: {text!r}: ours {ours.parts!r}, theirs {theirs!r}"
        verdicts[found] += 1
    for found, count in verdicts.items():
        compared(CALCULATOR, f"random texts (seed {SEED}): {found}", count)
    assert verdicts["the same parts"] > 0.9 * TEXTS


def test_a_family_is_cut_rather_than_paid_for(calculator: Path) -> None:
    text = "社" * 62 + "👨‍👩‍👧‍👦" + "社" * 61
    [(encoding, theirs)] = calculated(calculator, [text])
    assert (len(split(text).parts), len(theirs)) == (2, 3)
    assert fewest(text, encoding) == 2


def test_a_character_longer_than_a_part_is_cut(calculator: Path) -> None:
    text = "社" * 10 + "e" + "\u0301" * 80
    [(encoding, theirs)] = calculated(calculator, [text])
    assert not fits(theirs, encoding), "it makes a part of more than 140 octets"
    assert fits(split(text).parts, encoding)
