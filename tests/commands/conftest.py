"""A command line to type at: in this process (quick), or as a process of its own (real)."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from broadcaster.commands.front import app
from broadcaster.language import set_language
from tests.databases import SqliteTemplate
from tests.rules import ROOT

PEOPLE = """\
姓名,手机,支部,状态,订阅
李一,19900000001,东川/一支部,在职,是
王二,19900000002,东川/一支部,离退休,是
张三,19900000003,东川/二支部,流动,是
刘四,12345,东川/二支部,在职,是
赵五,19900000005,东川/二支部,在职,否
,19900000006,东川,在职,是
"""
EDITION = """\
number = 7
date = 2026-11-23
title = "第七期"
variants = ["retired", "everyone"]
[[columns]]
name = "要闻"
[[columns.items]]
headline = "开会"
sms = "周五下午三点在活动室开会。"
[[columns.items]]
headline = "体检"
sms = "离退休会员下周体检，请带上医保卡。"
audience = ["retired"]
"""
CONFIG = """\
[paper]
name = "晨晖手机报"
signature = "【晨晖手机报】"
[gateways.simulator]
kind = "simulator"
price = "0.05"
receipt_timeout = 25
delay = [0.1, 0.3]
failed = 0
late = 0
never = 0
"""


@dataclass(frozen=True, slots=True)
class Typed:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Desk:
    """A working folder with an installation of its own."""

    folder: Path
    env: dict[str, str]

    def type(self, *words: str | int | Path, answer: str | None = None, **env: str) -> Typed:
        """Type a command in this process, and an answer to what it asks."""
        before = Path.cwd()
        os.chdir(self.folder)
        try:
            done = CliRunner().invoke(app, [str(word) for word in words], input=answer, env={**self.env, **env})
        finally:
            os.chdir(before)
        return Typed(done.exit_code, done.stdout, done.stderr)

    def start(self, *words: str | int | Path, **env: str) -> subprocess.Popen[str]:
        """Type a command in a process of its own."""
        return subprocess.Popen(
            [sys.executable, str(ROOT / "cli.py"), *map(str, words)],
            cwd=self.folder,
            env={**bare(), **self.env, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str | int | Path, **env: str) -> Typed:
        """The same, waited for."""
        with self.start(*words, **env) as process:
            out, err = process.communicate(timeout=60)
        return Typed(process.returncode, out, err)

    def write(self, name: str, text: str | bytes) -> Path:
        """A file in the folder."""
        path = self.folder / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path


def bare() -> dict[str, str]:
    """The environment without what would change an answer."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("BROADSHEET_", "LC_", "LANG"))}


@pytest.fixture(autouse=True)
def as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Commands choose a language and a place for logs; the next test finds neither."""
    for key in os.environ.keys() - bare().keys():
        monkeypatch.delenv(key)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers, root.level = handlers, level
    set_language(None)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """An installation on SQLite, not yet set up."""
    return make_desk(tmp_path)


@pytest.fixture
def staffed(desk: Desk, sqlite_template: SqliteTemplate) -> Desk:
    """The same with a registry of four."""
    return staff(desk, sqlite_template)


def make_desk(folder: Path) -> Desk:
    env = {"BROADSHEET_DATA": str(folder / "data"), "BROADSHEET_LANG": "en", "COLUMNS": "100", "PYTHONUTF8": "1"}
    env["XDG_CONFIG_HOME"] = str(folder / "config")
    desk = Desk(folder, env)
    desk.write("broadsheet.toml", CONFIG)
    desk.write("people.csv", PEOPLE)
    desk.write("edition.toml", EDITION)
    desk.write("tree.csv", "组织,类别\n东川/四支部,支部\n")
    desk.write("wishes.csv", "手机,意愿,凭证\n19900000077,退订,\n19900000078,同意,签字\n12,,\n")
    return desk


def staff(desk: Desk, template: SqliteTemplate) -> Desk:
    data = desk.folder / "data"
    data.mkdir(mode=0o700)
    # all revisions one after another would be half of the time that these tests take; others watch them
    template.copy(data)
    assert desk.type("init").code == 0
    assert desk.type("members", "import", "people.csv").code == 0
    return desk


@pytest.fixture
def draft(staffed: Desk) -> Callable[..., int]:
    """Make a draft; its number."""

    def make(text: str = "{{ name }}，您好。", to: str = "everyone") -> int:
        return int(staffed.type("campaigns", "create", "--text", text, "--to", to, "--json").document["id"])

    return make
