"""The front door: help with an example for every verb, in both languages, quickly; completion; errors in one line."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from broadcaster.commands.front import NOUNS
from tests.commands.conftest import Desk
from tests.commands.test_documents import verbs
from tests.rules import ROOT


@pytest.mark.parametrize("verb", verbs())
def test_help_has_an_example(desk: Desk, verb: str) -> None:
    typed = desk.type(*verb.split(), "--help")
    assert typed.code == 0
    assert f"$ broadsheet {verb}" in typed.out
    assert "--json" in typed.out


@pytest.mark.parametrize("verb", verbs())
def test_the_docs_name_every_verb(verb: str) -> None:
    assert f"`broadsheet {verb}" in (ROOT / "docs" / "cli.md").read_text("utf-8")


def test_the_help_page_names_every_noun(desk: Desk) -> None:
    page = desk.type("--help").out
    assert all(re.search(rf"^│ {noun} ", page, re.M) for noun in NOUNS)


def test_help_opens_no_room(desk: Desk) -> None:
    code = "import sys\nsys.argv = ['broadsheet', '--help']\nfrom broadcaster.commands import main\n"
    code += (
        "try:\n    main()\nexcept SystemExit:\n    print(sorted({'sqlalchemy', 'celery', 'jinja2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")


def test_help_in_chinese(desk: Desk) -> None:
    for typed in (desk.run("--lang", "zh", "--help"), desk.run("--help", BROADSHEET_LANG="zh")):
        assert "已退订" not in typed.out
        assert re.search(r"^│ doctor +\S*[\u4e00-\u9fff]", typed.out, re.M)
    assert re.search(r"[\u4e00-\u9fff]", desk.run("members", "import", "--help", "--lang=zh").out)


@pytest.mark.parametrize("verb", [*verbs(), *NOUNS])
def test_help_in_chinese_is_cut_nowhere(desk: Desk, verb: str) -> None:
    """There are no blanks to break at, and narrow terminals are usual."""
    page = desk.type("--lang", "zh", *verb.split(), "--help", COLUMNS="60").out
    assert page.lstrip().startswith("用法：broadsheet")
    assert "…" not in page.replace("……", "")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("--port abc", "--port 必须是整数。"),
        ("--port 70000", "--port 不能大于 65535。"),
        ("--throttle 3", "--throttle 不能大于 1。"),
        ("--throttle x", "--throttle 必须是数字。"),
        ("--latency -1", "--latency 不能小于 0。"),
        ("--throttle-with x", "--throttle-with 必须是其中之一：'throttled', 'queue-full'。"),
        ("--log nowhere/log", "nowhere/log 不能用：没有这个文件或文件夹。"),
        ("--log .", ". 不能用：这是一个文件夹。"),
        ("--cert broadsheet.toml", "broadsheet.toml 不能用作证书：不是 PEM 格式，或私钥属于别的证书。"),
    ],
)
def test_what_others_say_in_english_is_told_in_chinese(desk: Desk, wrong: str, told: str) -> None:
    desk.write("broadsheet.toml", "")
    typed = desk.type("--lang", "zh", "simulate", "smpp", "--port", 0, "--log", "log", *wrong.split())
    assert typed.err.splitlines()[0] == told
    assert typed.code


def test_names_are_completed(desk: Desk) -> None:
    completing = {"_BROADSHEET_COMPLETE": "complete_bash"}
    nouns = desk.run(**completing, COMP_WORDS="broadsheet me", COMP_CWORD="1")
    assert nouns.out.split() == ["members"]
    names = desk.run(**completing, COMP_WORDS="broadsheet members ", COMP_CWORD="2")
    assert set(names.out.split()) >= {"import", "undo", "export", "find", "add", "forget", "transfer"}


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("campagns list", "There is no command campagns.", "Did you mean campaigns?"),
        ("campaigns shw 1", "There is no command shw.", "Did you mean show?"),
        ("members find 李 --limt 3", "There is no option --limt.", "Did you mean --limit?"),
        ("campaigns send 1", "--confirm is missing.", "See `broadsheet campaigns send --help`."),
        ("campaigns show", "ID is missing.", "See `broadsheet campaigns show --help`."),
        ("members find x --limit 0", "--limit must be at least 1.", "See `broadsheet members find --help`."),
        ("--config", "", ""),
    ],
)
def test_wrong_use_is_told_in_two_lines(desk: Desk, line: str, message: str, hint: str) -> None:
    typed = desk.type(*line.split())
    assert (typed.code, typed.out) == (2, "")
    assert typed.err.startswith(message)
    assert typed.err.rstrip().endswith(hint)
    assert len(typed.err.splitlines()) <= 2
    typed = desk.type(*line.split(), "--json")
    assert json.loads(typed.out).keys() == {"error", "hint"}


def test_what_is_to_be_typed_next_goes_to_the_same_installation(staffed: Desk) -> None:
    other = staffed.write("my paper.toml", (staffed.folder / "broadsheet.toml").read_text())
    for words in (
        ["--config", other, "segments", "save", "a", "retired"],
        ["segments", "save", "b", "retired", f"--config={other}"],
    ):
        assert f"broadsheet --config '{other}' segments count" in staffed.type(*words).out
    assert (
        f"`broadsheet --config '{other}' campaigns list`" in staffed.type("campaigns", "show", 9, "--config", other).err
    )
    assert (
        "  broadsheet --lang zh segments count c"
        in staffed.type("segments", "save", "c", "retired", "--lang", "zh").out
    )
    assert "  broadsheet segments count d" in staffed.type("segments", "save", "d", "retired").out


@pytest.mark.parametrize("line", ["members --lang zh --help", "members --help --lang=zh", "--lang zh members --help"])
def test_the_language_stands_anywhere(desk: Desk, line: str) -> None:
    typed = desk.run(*line.split())
    assert typed.code == 0, typed.err
    assert "名单上的人" in typed.out


def test_a_language_there_is_not(desk: Desk) -> None:
    typed = desk.type("members", "--lang", "fr", "--help")
    assert (typed.code, typed.err) == (2, "There is no language fr.\nWrite --lang zh or --lang en.\n")


def test_what_nobody_expected_is_one_line_too(staffed: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("nobody saw this coming")

    monkeypatch.setattr("subscribers.segments.listing", broken)
    typed = staffed.type("segments", "list")
    assert typed.code == 1
    assert typed.err.splitlines() == [
        "Something unexpected happened: ZeroDivisionError: nobody saw this coming.",
        "Run it again with --debug, and report what it shows.",
    ]
    assert "Traceback" in staffed.type("segments", "list", "--debug").err


def test_interrupted_says_what_is_kept(staffed: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("subscribers.segments.listing", interrupted)
    typed = staffed.type("segments", "list")
    assert typed.code == 130
    assert typed.err == (
        "Interrupted. What was finished is kept, of a file half read nothing; "
        "whatever was started can be gone on with.\n"
    )


def test_the_door_is_thin(desk: Desk) -> None:
    assert len(Path(ROOT / "cli.py").read_text("utf-8").splitlines()) < 15
