from __future__ import annotations

import pytest

from broadcaster.campaigns.models import Campaign
from broadcaster.campaigns.render import dressed


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("明天九点开会。", "【晨晖】明天九点开会。拒收请回复R"),
        ("收到请回复", "【晨晖】收到请回复 拒收请回复R"),
        ("Room 3", "【晨晖】Room 3 拒收请回复R"),
        ("谢谢！\n", "【晨晖】谢谢！拒收请回复R"),
    ],
)
def test_the_opt_out_line_does_not_run_into_the_text(body: str, text: str) -> None:
    assert dressed(Campaign(signature="【晨晖】", opt_out="拒收请回复R"), body) == text


def test_without_an_opt_out_line_nothing_is_added() -> None:
    assert dressed(Campaign(signature="", opt_out=""), "收到请回复") == "收到请回复"
