"""Who acts at the command line: the operator until there is an administrator, then whoever has signed in."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands.conftest import Desk, Typed, make_desk, staff
from tests.databases import SqliteTemplate

PASSWORD = "correct horse battery"


@pytest.fixture
def admin(staffed: Desk) -> Desk:
    """An installation with an administrator of everything, who is signed in."""
    staffed.write("password", PASSWORD)
    done = staffed.type("users", "add", "wang", "--role", "admin", "--password-file", "password", "--json")
    assert done.code == 0, done.out
    assert done.document["signed_in"]
    return staffed


def login(desk: Desk, name: str, password: str = PASSWORD) -> Typed:
    return desk.type("login", name, "--password-file", desk.write("typed", password), "--json")


def add(desk: Desk, name: str, role: str, *more: str) -> Typed:
    return desk.type("users", "add", name, "--role", role, "--password-file", "password", "--json", *more)


def token_file(desk: Desk) -> Path:
    (file,) = (desk.folder / "config" / "broadsheet").iterdir()
    return file


def test_without_an_administrator_whoever_types_is_the_operator(staffed: Desk) -> None:
    assert staffed.type("login", "--json").document["users"][0]["name"] == "operator"
    assert staffed.type("members", "find", "李", "--full-numbers").code == 0
    assert not staffed.type("users", "add", "li", "--role", "admin", "--under", "东川", "--json").document["signed_in"]
    assert staffed.type("segments", "list").code == 0
    assert not (staffed.folder / "config").exists()


def test_the_first_administrator_is_signed_in_at_once(staffed: Desk) -> None:
    done = staffed.type("users", "add", "wang", "--role", "admin")
    assert "From now on everybody signs in. You are signed in here as wang." in done.out
    assert staffed.type("login", "--json").document["users"] == [
        {"name": "wang", "under": "", "rights": sorted(_RIGHTS)}
    ]
    assert staffed.type("users", "add", "li", "--role", "viewer").code == 0


def test_from_then_on_everybody_signs_in(admin: Desk) -> None:
    assert admin.type("logout").code == 0
    for words in (["members", "find", "李"], ["campaigns", "list"], ["users", "list"], ["audit", "list"]):
        typed = admin.type(*words, "--json")
        assert typed.code == 1
        assert typed.document == {
            "error": "You are not signed in, and this installation has users.",
            "hint": "`broadsheet login NAME` signs you in.",
        }
    assert admin.type("doctor").code == 0
    assert admin.type("gateways", "list").code == 0
    assert admin.type("init").code == 0
    assert admin.type("login", "--json").document == {"users": []}
    assert login(admin, "wang").code == 0
    assert admin.type("members", "find", "李").code == 0


def test_what_a_verb_needs_is_asked_before_anything_else(admin: Desk) -> None:
    add(admin, "li", "viewer")
    assert login(admin, "li").code == 0
    assert admin.type("campaigns", "list").code == 0
    for words in (
        ["campaigns", "create", "--text", "-", "--to", "("],
        ["campaigns", "send", 99, "--confirm", 1],
        ["users", "add", "x", "--role", "nonsense"],
        ["editions", "import", "no such file"],
        ["members", "find", "李", "--full-numbers"],
        ["audit", "list"],
    ):
        typed = admin.type(*words, "--json")
        assert typed.code == 1, words
        assert "li has no right to" in typed.document["error"], words


def test_numbers_in_full_are_written_down(admin: Desk) -> None:
    admin.type("campaigns", "create", "--text", "您好", "--to", "everyone")
    assert admin.type("campaigns", "messages", 1, "--full-numbers").code == 0
    assert admin.type("replies", "list", "--full-numbers").code == 0
    assert admin.type("campaigns", "messages", 1).code == 0
    deeds = [one["deed"] for one in admin.type("audit", "list", "--by", "wang", "--json").document["audit"]]
    assert deeds == ["replies.list", "campaigns.messages", "campaigns.make"]


def test_a_part_of_the_tree_is_all_there_is(admin: Desk) -> None:
    add(admin, "li", "admin", "--under", "东川/一支部")
    assert login(admin, "li").code == 0
    assert admin.type("members", "find", "李一", "--json").document["members"]
    assert not admin.type("members", "find", "张三", "--json").document["members"]
    assert [one["name"] for one in admin.type("users", "list", "--json").document["users"]] == ["li"]
    for words in (["change", "wang", "--role", "viewer"], ["disable", "wang"], ["password", "wang"]):
        assert admin.type("users", *words, "--json").document["error"] == "There is no user 'wang'."
    assert add(admin, "zhao", "viewer", "--under", "东川/二支部").code == 1
    assert add(admin, "zhao", "viewer", "--json").document["users"][0]["under"] == "东川/一支部"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: file.write_text("rubbish"),
        lambda file: file.write_bytes(os.urandom(5_000)),
        lambda file: file.write_text(""),
        lambda file: file.write_text("A" * 43),
        lambda file: file.chmod(0o644),
        lambda file: file.chmod(0o000),
        lambda file: file.chmod(0o660),
        lambda file: (file.unlink(), file.mkdir()),
        lambda file: (file.unlink(), file.symlink_to("/dev/zero")),
        lambda file: (file.unlink(), os.mkfifo(file)),
    ],
    ids=["words", "bytes", "empty", "unknown", "readable", "nobody's", "group's", "folder", "link", "pipe"],
)
def test_a_token_file_that_cannot_be_used_lets_nobody_in(admin: Desk, spoil: Callable[[Path], object]) -> None:
    spoil(token_file(admin))
    typed = admin.type("campaigns", "list", "--json")
    if typed.code == 0:
        # who is root reads what nobody may
        assert os.geteuid() == 0
        assert not token_file(admin).stat().st_mode & 0o777
    else:
        assert typed.code == 1
        assert "login NAME" in typed.document["hint"]
        assert "Traceback" not in typed.err


def test_the_token_is_for_its_owner_only_and_is_told_nowhere(admin: Desk) -> None:
    file = token_file(admin)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    token = file.read_text()
    for words in (["login"], ["users", "list"], ["audit", "list"], ["doctor"]):
        typed = admin.type(*words, "--json", "--debug")
        assert token not in typed.out + typed.err
    for data in (admin.folder / "data").rglob("*.db*"):
        assert token.encode() not in data.read_bytes()


def test_a_token_of_another_installation_is_nothing_here(
    admin: Desk, tmp_path: Path, sqlite_template: SqliteTemplate
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    desk = staff(make_desk(other), sqlite_template)
    desk.write("password", PASSWORD)
    add(desk, "wang", "admin")
    token_file(desk).write_text(token_file(admin).read_text())
    assert desk.type("campaigns", "list").code == 1
    assert admin.type("campaigns", "list").code == 0


def test_where_the_configuration_cannot_be_written_the_data_folder_keeps_it(staffed: Desk) -> None:
    staffed.write("config", "a file where a folder should be")
    staffed.write("password", PASSWORD)
    add(staffed, "wang", "admin")
    assert staffed.type("campaigns", "list").code == 0
    (file,) = (staffed.folder / "data").glob("sign-ins-*/sign-in-*")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert staffed.type("logout").code == 0
    assert not file.exists()


def test_who_is_disabled_is_out_in_the_middle(admin: Desk) -> None:
    add(admin, "li", "admin")
    before = token_file(admin).read_text()
    login(admin, "li")
    assert admin.type("users", "disable", "wang").code == 0
    token_file(admin).write_text(before)
    assert admin.type("campaigns", "list").code == 1
    assert login(admin, "wang").code == 1


def test_a_sign_in_that_ended_makes_nobody_the_operator(staffed: Desk) -> None:
    staffed.write("password", PASSWORD)
    assert add(staffed, "li", "viewer").code == 0
    assert login(staffed, "li").code == 0
    kept = token_file(staffed)
    away = kept.rename(staffed.folder / "away")
    assert staffed.type("users", "disable", "li").code == 0
    away.rename(kept)
    refused = staffed.type("users", "list")
    assert refused.code == 1
    assert "not signed in" in refused.err


def test_ones_own_password(admin: Desk) -> None:
    before = token_file(admin).read_text()
    old, new = admin.write("old", PASSWORD), admin.write("new", "another horse battery\n")
    wrong = admin.type("users", "password", "--old-password-file", new, "--password-file", new)
    assert wrong.code == 1
    assert admin.type("users", "password", "--old-password-file", old, "--password-file", new).code == 0
    assert admin.type("users", "list").code == 0
    assert token_file(admin).read_text() != before
    token_file(admin).write_text(before)
    assert admin.type("users", "list").code == 1
    assert login(admin, "wang", "another horse battery").code == 0


def test_an_administrator_gives_a_password_that_is_to_be_replaced(admin: Desk) -> None:
    made = admin.type("users", "add", "li", "--role", "viewer", "--json").document
    assert login(admin, "li", made["password"]).document["must_change"]
    login(admin, "wang")
    given = admin.type("users", "password", "li", "--json").document["password"]
    assert login(admin, "li", made["password"]).code == 1
    assert login(admin, "li", given).document["must_change"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "There is no password"),
        (b"\n", "There is no password"),
        (b"\xff\xfe\xff", "UTF-8"),
        (b"x" * 10_000, "not right"),
    ],
)
def test_a_password_file_that_cannot_be_used(admin: Desk, content: bytes, told: str) -> None:
    file = admin.write("odd", content)
    typed = admin.type("login", "wang", "--password-file", file, "--json")
    assert typed.code in (1, 2)
    assert told in typed.document["error"]


def test_a_password_is_never_asked_for_where_nobody_sits(admin: Desk) -> None:
    typed = admin.run("login", "wang", "--json")
    assert typed.code == 2
    assert "--password-file" in typed.document["hint"]
    assert admin.type("login", "wang", "--password-file", "missing").code == 1


def test_acting_as_somebody(admin: Desk) -> None:
    add(admin, "li", "viewer", "--under", "东川/一支部")
    assert admin.type("members", "find", "李一", "--as", "li", "--json").document["members"]
    assert not admin.type("members", "find", "张三", "--as", "li", "--json").document["members"]
    assert admin.type("users", "list", "--as", "li").code == 1
    assert admin.type("campaigns", "list", "--as", "nobody at all").code == 1
    rows = admin.type("audit", "list", "--deed", "users.as", "--json").document["audit"]
    assert {row["details"]["name"] for row in rows} == {"li"}
    login(admin, "li")
    assert admin.type("campaigns", "list", "--as", "wang").code == 1


def test_the_audit_in_a_file_is_safe_to_open(admin: Desk) -> None:
    add(admin, "=cmd()", "viewer")
    file = admin.folder / "audit.csv"
    assert admin.type("audit", "list", "--csv", file).code == 0
    text = file.read_text("utf-8-sig")
    assert text.splitlines()[0] == "id,at,actor,under,deed,thing,people,details"
    for line in text.splitlines():
        assert ",=" not in line
    assert admin.type("audit", "list", "--from", "2099-01-01", "--json").document == {"audit": []}
    assert admin.type("audit", "list", "--from", "nonsense").code == 2


_RIGHTS = {"see", "numbers", "register", "write", "edit", "approve", "send", "operate", "administer"}
