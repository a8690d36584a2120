from __future__ import annotations

import tomllib

from broadcaster.demo.paper import source_of


def test_written_editions_come_first_and_then_round_again_with_later_dates() -> None:
    editions = [tomllib.loads(source_of(last)) for last in (None, *range(128, 134))]
    assert [edition["number"] for edition in editions] == list(range(128, 135))
    dates = [edition["date"] for edition in editions]
    assert dates == sorted(set(dates))
    assert editions[3]["title"] == editions[0]["title"]
