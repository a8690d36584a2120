"""A restored backup is told by every command that one would look at first."""

from __future__ import annotations

from tests.commands.conftest import Desk


def check(desk: Desk, name: str) -> dict[str, object]:
    [found] = [each for each in desk.type("doctor", "--json").document["checks"] if each["name"] == name]
    return dict(found)


def test_by_a_person(staffed: Desk) -> None:
    staffed.type("campaigns", "create", "--text", "{{ name }}，您好。", "--to", "everyone")
    recipients = staffed.type("campaigns", "check", "1", "--json").document["recipients"]
    started = staffed.type("campaigns", "send", "1", "--confirm", str(recipients))
    assert started.code == 0
    assert check(staffed, "backup")["ok"] is True
    told = staffed.type("init", "--restored", "--json").document
    assert told["stopped"] == [1]
    assert check(staffed, "backup")["ok"] is False
    assert "wait for a decision: 1" in str(check(staffed, "backup")["found"])
    assert "restored from a backup: 1." in staffed.type("campaigns", "list").out
    assert "从备份恢复" in staffed.type("campaigns", "list", "--lang", "zh").out
    [campaign] = staffed.type("campaigns", "list", "--json").document["campaigns"]
    assert (campaign["state"], campaign["note"].startswith("The database was restored")) == ("paused", True)
    assert "was restored" in staffed.type("campaigns", "show", "1").out
    assert staffed.type("campaigns", "abort", "1").code == 0
    assert check(staffed, "backup")["ok"] is True
    assert "restored" not in staffed.type("campaigns", "list").out
    assert staffed.type("init", "--restored", "--json").document["stopped"] == []
