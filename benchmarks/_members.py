"""Generated members for a campaign, and texts of one part and of three. Nobody here is real."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.factories import generated_msisdn

#: three fields: two that every member has, and a column of the paper's own
_GREETING = "{{ name }}同志（{{ organisation }}，{{ 座位 }}）："
_NOTICE = "周五下午三点在二楼会议室开会，请带好工作证，提前十分钟到场签到，不能来的请事先说一声。"
#: with the opt-out line 70 characters at most, and 201
TEXTS = {1: _GREETING + _NOTICE, 3: _GREETING + _NOTICE * 4}


def write_members(path: Path, count: int) -> None:
    """A CSV file of members in some hundred organisations."""
    with path.open("w", encoding="utf-8", newline="") as file:
        write = csv.writer(file).writerow
        write(("name", "msisdn", "organisation", "status", "subscribed", "座位"))
        for number in range(count):
            branch = f"云山省/第{number % 7 + 1}市/第{number % 97 + 100}支部"
            name = "王李张刘陈杨赵黄"[number % 8] + "伟芳娜敏静丽强磊"[number // 8 % 8]
            write(
                (name, generated_msisdn(number), branch, "in_service", "yes", f"{number % 30 + 1}排{number % 40 + 1}号")
            )
