"""`broadsheet consent` as it is typed: a blacklist in, its undo, a history without numbers, wishes for others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.conftest import Desk, make_desk, staff
from tests.databases import SqliteTemplate


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, sqlite_template: SqliteTemplate) -> Desk:
    return staff(make_desk(tmp_path_factory.mktemp("desk")), sqlite_template)


def test_a_blacklist_goes_in_and_out_again(desk: Desk) -> None:
    desk.write("black.txt", "19900000001\n+86 199-0000-0088\n12\n")
    looked = desk.type("consent", "import", "black.txt", "--source", "carrier", "--dry-run")
    assert "nothing was written" in looked.out
    assert "3 rows: 2 out, 0 in, 0 as they were, 1 refused." in looked.out
    done = desk.type("consent", "import", "black.txt", "--source", "carrier", "--rejects", "no.csv")
    assert "row 3: " in done.out
    assert "12" in Path(desk.folder / "no.csv").read_text("utf-8-sig")
    number = done.out.split("consent undo ")[1].split()[0]
    history = desk.type("consent", "history", "19900000001")
    assert "carrier" in history.out
    refused = desk.type("consent", "in", "19900000001", "--wording", "by telephone")
    assert (refused.code, "own word" in refused.err) == (1, True)
    assert "19900000001" not in history.out + refused.err
    assert "2 wishes are as before." in desk.type("consent", "undo", number).out
    again = desk.type("consent", "undo", number)
    assert (again.code, "undone already" in again.err) == (1, True)


def test_wishes_are_written_down_for_others(desk: Desk) -> None:
    said = desk.type("consent", "out", "19900000002", "--wording", "by letter", "--topic", "健康")
    assert said.out.strip() == "199****0002, column 健康: wants no more."
    assert (
        "199****0002: wants it.\nThat is how it was already."
        in desk.type("consent", "in", "19900000002", "--wording", "by letter").out
    )
    assert desk.type("consent", "out", "19900000002").code == 2
    told = desk.type("consent", "history", "19900000002", "--lang", "zh")
    assert "不再接收" in told.out
    assert "健康" in told.out


def test_an_export_tells_how_many(desk: Desk) -> None:
    assert "wishes written to w.xlsx." in desk.type("consent", "export", "w.xlsx").out
    assert desk.type("consent", "export", "w.ods").code == 2
