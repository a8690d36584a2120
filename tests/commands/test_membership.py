"""One member at the command line, transfers and admissions: what people type, and what they are told."""

from __future__ import annotations

import pytest

from tests.commands.conftest import Desk


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["members", "change", 1], "Say what shall be changed"),
        (["members", "change", 1, "--undo", "--name", "x"], "Say what shall be changed"),
        (["members", "change", 1, "--status", "retird"], "retird"),
        (["members", "change", 1, "--on", "soon", "--at-home"], "soon is no day"),
        (["members", "change", 1, "--at-home", "--away-place", "x"], "at home"),
        (["members", "change", 1, "--field", "x"], "NAME=VALUE"),
        (["members", "leave", 1, "--rejoin", "--undo"], "never left"),
        (["members", "numbers", 1], "Say what shall be done"),
        (["members", "numbers", 1, "--add", "19900000002"], "under another name"),
        (["members", "numbers", 1, "--add", "12"], "too short"),
        (["members", "verify", 1], "which number"),
        (["members", "verify", 1, "--number", "0001", "--ok", "--gone"], "which number"),
        (["members", "verify", 1, "--number", "0001", "--ok"], "in use"),
        (["members", "show", 4711], "no member 4711"),
        (["members", "show", 2**63], "ID"),
        (["members", "add", "x", "--organisation", "nowhere"], "no organisation nowhere"),
        (["members", "transfer", 1, "--to", "东川/一支部"], "already"),
        (["members", "transfer", 1, "--to", "东川/二支部", "--days", 0], "time limit"),
        (["transfers", "accept", 9], "no transfer 9"),
        (["transfers", "list", "--state", "x"], "no state x"),
        (["admissions", "accept", 9], "Say who they are"),
        (["admissions", "refuse", 9], "no admission 9"),
        (["admissions", "list", "--state", "x"], "no state x"),
    ],
)
def test_what_cannot_be_done_is_told(staffed: Desk, words: list[str | int], told: str) -> None:
    typed = staffed.type(*words)
    assert typed.code in (1, 2)
    assert told in typed.err
    assert "199000000" not in typed.err + typed.out


def test_a_change_is_shown_and_undone(staffed: Desk) -> None:
    assert staffed.type("members", "change", 1, "--status", "离退休", "--on", "2099-01-01").code == 0
    shown = staffed.type("members", "show", 1)
    assert "(planned)" in shown.out
    assert "199****0001" in shown.out
    assert staffed.type("members", "change", 1, "--undo").code == 0
    assert "(planned)" not in staffed.type("members", "show", 1).out
    assert "计划" not in staffed.type("members", "show", 1, "--lang", "zh").out


def test_forgetting_asks_for_the_name(staffed: Desk) -> None:
    assert staffed.type("members", "forget", 1, "--json").code == 2
    # nobody types anything
    typed = staffed.type("members", "forget", 1)
    assert typed.code != 0
    assert "Type the name of member 1" in typed.err
    assert "Something unexpected" not in typed.err
    assert staffed.type("members", "show", 1).code == 0
    assert staffed.type("members", "forget", 1, "--yes").code == 0
    typed = staffed.type("members", "show", 1, "--json")
    assert typed.document["name"] == ""
    assert (staffed.folder / "data" / "secret.key").stat().st_mode & 0o777 == 0o600
    doctor = staffed.type("doctor", "--json").document
    assert "secret.key" in next(check["found"] for check in doctor["checks"] if check["name"] == "secret")


def test_a_transfer_from_end_to_end(staffed: Desk) -> None:
    asked = staffed.type("members", "transfer", 1, "--to", "东川/二支部", "--json").document
    assert asked["state"] == "asked"
    assert "waiting" in staffed.type("transfers", "list").out
    assert staffed.type("transfers", "list", "--state", "waiting", "--json").document["transfers"][0]["name"] == "李一"
    assert staffed.type("transfers", "accept", asked["id"], "--json").document["state"] == "accepted"
    assert staffed.type("members", "show", 1, "--json").document["organisation"] == "东川/二支部"
    assert "decided already" in staffed.type("transfers", "withdraw", asked["id"]).err
