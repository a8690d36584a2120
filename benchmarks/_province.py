"""An invented province: 130,000 organisations in five levels, and as many members as wanted. Nobody here is real."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from pathlib import Path

CITIES, COUNTIES, TOWNSHIPS, BRANCHES = 20, 120, 6_000, 123_859
ORGANISATIONS = 1 + CITIES + COUNTIES + TOWNSHIPS + BRANCHES
PROVINCE = "云山省"
HEADINGS = ("name", "msisdn", "organisation", "status", "joined_on", "birthday", "subscribed", "tags", "external_id")

_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗单曾仇解欧"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英兰玉华建国文辉力志红海云"
_STATUSES = ("in_service",) * 6 + ("retired",) * 3 + ("retired mobile", "in_service mobile", "probationary")


def branch(number: int) -> str:
    """The path of names of the branch with this number, from 0."""
    township = number % TOWNSHIPS
    county = township // (TOWNSHIPS // COUNTIES)
    city = county // (COUNTIES // CITIES)
    return f"{PROVINCE}/第{city + 1}市/第{county + 1}县/第{township + 1}镇/第{number + 1}支部"


def branches() -> Iterator[str]:
    """The paths of all branches; those above them are in their paths."""
    return map(branch, range(BRANCHES))


def write_members(path: Path, count: int) -> None:
    """A CSV file of members, branch by branch as lists are kept; numbers in the generated block, in no order."""
    chance = random.Random(2026)
    tails = chance.sample(range(10**8), count)
    with path.open("w", encoding="utf-8", newline="") as file:
        write = csv.writer(file).writerow
        write(HEADINGS)
        for n, tail in enumerate(tails):
            year = chance.randint(1935, 2005)
            name = chance.choice(_SURNAMES) + "".join(chance.choices(_GIVEN, k=chance.choice((1, 2, 2))))
            write(
                (
                    name,
                    f"199{tail:08d}",
                    branch(n * BRANCHES // count),
                    chance.choice(_STATUSES),
                    f"{min(year + 22, 2025)}-0{chance.randint(1, 9)}-15",
                    f"{year}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}",
                    "yes",
                    "书画" if n % 10 == 0 else "",
                    f"E{n:07d}",
                )
            )
