"""The house stands as it was drawn: every rule holds for every file, and every rule can be broken."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import run
from tests import rules
from tests.rules import ROOT, RULES, Module, Rule, is_written_for_everyone

BROKEN = [
    (rules.is_within_budget, "subscribers.registry", '"""Doc."""\n' + "x = 1\n" * 400),
    (rules.says_what_it_is, "subscribers.registry", "x = 1\n"),
    (rules.has_a_telling_name, "broadcaster.delivery.utils", ""),
    (rules.has_a_telling_name, "broadcaster.services.sending", ""),
    (rules.keeps_outside_packages_in_their_rooms, "broadcaster.delivery.press", "from celery import Celery"),
    (rules.keeps_outside_packages_in_their_rooms, "broadcaster.tasksets", "import celery.app"),
    (rules.keeps_outside_packages_in_their_rooms, "broadcaster.gateways.contract", "import fastapi"),
    (rules.keeps_outside_packages_in_their_rooms, "broadcaster.gateways.cmpp", "import smpplib.client"),
    (rules.is_not_the_ground_floor_looking_up, "subscribers.registry", "from broadcaster import logs"),
    (rules.is_not_the_ground_floor_looking_up, "broadcaster.runtime", "from tests.factories import make_member"),
    (rules.leaves_other_gateways_alone, "broadcaster.gateways.smpp.bind", "import broadcaster.gateways.simulator.wire"),
    (rules.asks_no_clock, "broadcaster.campaigns.check", "import datetime\nx = datetime.datetime.now(datetime.UTC)"),
    (rules.asks_no_clock, "broadcaster.campaigns.check", "import time\nx = time.time()"),
    (rules.asks_no_clock, "broadcaster.campaigns.check", "from sqlalchemy import func\nx = func.now()"),
    (rules.asks_no_clock, "broadcaster.campaigns.check", "from subscribers.clock import utc_now"),
    (rules.asks_no_clock, "broadcaster.campaigns.check", "from subscribers import clock\nx = clock.utc_now()"),
    (rules.leaves_transactions_to_runtime, "broadcaster.delivery.press", "def f(session):\n    session.commit()"),
    (rules.leaves_transactions_to_runtime, "broadcaster.delivery.press", "def f(tx):\n    tx.session.begin()"),
    (rules.leaves_transactions_to_runtime, "subscribers.registry", "def f(engine):\n    return Session(engine)"),
    (
        rules.imports_the_project_at_its_top,
        "broadcaster.replies.router",
        "def f():\n    from broadcaster import runtime",
    ),
    (rules.lists_in_the_language_of_the_reader, "broadcaster.newsroom.shares", 'x = ", ".join(names)'),
    (rules.blames_no_slow_machine, "tests.test_x", "def test():\n    assert time.monotonic() - began < 4"),
    (rules.blames_no_slow_machine, "tests.test_x", "def test():\n    assert 1 <= monotonic() - began <= 4"),
]
ALLOWED = [
    (rules.keeps_outside_packages_in_their_rooms, "broadcaster.tasks.app", "from celery import Celery"),
    (rules.leaves_other_gateways_alone, "broadcaster.gateways.smpp.bind", "from broadcaster.gateways.errors import X"),
    (rules.asks_no_clock, "broadcaster.runtime", "from subscribers.clock import utc_now"),
    (rules.asks_no_clock, "broadcaster.delivery.throttle", "from subscribers.clock import monotonic"),
    (rules.leaves_transactions_to_runtime, "broadcaster.commands.send", "with runtime.begin() as tx: pass"),
    (rules.leaves_transactions_to_runtime, "broadcaster.delivery.press", "with begin() as tx: pass"),
    (rules.imports_the_project_at_its_top, "broadcaster.commands.send", "def f():\n    from broadcaster import demo"),
    (rules.lists_in_the_language_of_the_reader, "broadcaster.hooks", 'x = ", ".join(headers)'),
    (rules.lists_in_the_language_of_the_reader, "subscribers.bulk", 'x = ", ".join(columns)'),
    (rules.blames_no_slow_machine, "tests.test_x", "def test():\n    assert time.monotonic() - began > 0.1"),
    (rules.blames_no_slow_machine, "tests.test_x", "def test():\n    assert time.monotonic() < deadline"),
    (rules.blames_no_slow_machine, "tests.test_x", "def test():\n    assert time.thread_time() - began < 1"),
]


def test_every_file_keeps_every_rule() -> None:
    # one test, so that one process reads the files, once
    complaints = list(rules.complaints())
    assert not complaints, "\n".join(complaints)


@pytest.mark.parametrize(("rule", "name", "text"), BROKEN)
def test_a_rule_can_be_broken(rule: Rule, name: str, text: str) -> None:
    assert list(rule(Module(name, text)))


@pytest.mark.parametrize(("rule", "name", "text"), ALLOWED)
def test_a_rule_forbids_no_more_than_it_says(rule: Rule, name: str, text: str) -> None:
    assert not list(rule(Module(name, text)))


def test_every_rule_is_tried() -> None:
    assert {rule for rule, _, _ in BROKEN} == set(RULES)


def test_all_rooms_are_looked_at() -> None:
    names = {module.name for module in rules.modules()}
    assert {"subscribers.db", "broadcaster", "tests.rules", "run"} <= names


def test_all_revisions_are_looked_at() -> None:
    found = [module.name for module in rules.modules() if module.name.startswith(rules.REVISIONS)]
    assert len(found) == len(list((ROOT / "broadcaster/migrations/versions").glob("r*.py"))) > 30


def revision(name: str, own: str, before: str | None) -> Module:
    return Module(
        rules.REVISIONS[:-1] + name, f"revision = {own!r}\ndown_revision = {before!r}\nbranch_labels = None\n"
    )


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ([revision("r0003_c", "r0003", "r0002")], []),
        (
            [revision("r0003_c", "r0003", "r0002"), revision("r0003_d", "r0003", "r0002")],
            ["r0003_c and r0003_d are both called r0003", "r0003_c and r0003_d both follow r0002"],
        ),
        ([revision("r0003_c", "r0003", "r0001")], ["r0002_b and r0003_c both follow r0001"]),
        ([revision("r0003_c", "r0004", "r0002")], ["r0003_c calls itself r0004"]),
        ([revision("r0005_e", "r0005", "r0004")], ["r0005_e follows r0004, which is not here"]),
        ([revision("r0003_c", "r0003", None)], ["r0001_a and r0003_c both follow None"]),
    ],
)
def test_revisions_stand_in_a_row(more: list[Module], told: list[str]) -> None:
    whole = [revision("r0001_a", "r0001", None), revision("r0002_b", "r0002", "r0001"), *more]
    assert [complaint.partition(":")[0] for complaint in rules.stand_in_a_row(whole)] == told


@pytest.mark.parametrize(
    "text",
    [
        "index = https://" + "pypi" + ".org/simple",
        "see " + "/ro" + "ot/broadsheet",
        'open("' + "/ho" + 'me/someone/list.csv")',
        "-----BEGIN RSA PRIVATE" + " KEY-----",
        "account AC" + "0123456789abcdef" * 2,
        "token ghp_" + "a1B2" * 9,
    ],
)
def test_what_belongs_to_one_machine_or_one_person_is_found(text: str) -> None:
    assert list(is_written_for_everyone("README.md", text))


def test_the_arrows_point_down(tmp_path: Path) -> None:
    linted = lint_imports(ROOT, tmp_path)
    assert linted.returncode == 0, linted.stdout + linted.stderr


def test_an_arrow_that_points_up_is_found(tmp_path: Path) -> None:
    house = tmp_path / "house"
    for room in ("subscribers", "broadcaster", "broadcaster/sms", "broadcaster/campaigns", "broadcaster/newroom"):
        (house / room).mkdir(parents=True)
        (house / room / "__init__.py").touch()
    (house / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text("utf-8"), encoding="utf-8")
    (house / "broadcaster/sms/parts.py").write_text("import broadcaster.campaigns\n")
    linted = lint_imports(house, tmp_path)
    assert linted.returncode == 1
    assert "broadcaster.sms is not allowed to import broadcaster.campaigns" in linted.stdout
    assert "broadcaster.newroom" in linted.stdout, "a room that the plan does not know must be named"


def lint_imports(house: Path, cache: Path) -> subprocess.CompletedProcess[str]:
    code = "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports_command as lint; lint()"
    return subprocess.run(
        [sys.executable, "-c", code, "--cache-dir", cache / "cache"],
        cwd=house,
        capture_output=True,
        text=True,
        check=False,
        # wide, so that names are not broken over lines
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1"},
    )


def test_the_lock_holds_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    locked = {
        canonicalize_name(name): version
        for name, version in re.findall(r"^([\w.-]+)(?:\[.*\])?==([\w.!+]+)", lock, re.M)
    }
    asked = [
        *project["project"]["dependencies"],
        *(extra for extras in project["project"]["optional-dependencies"].values() for extra in extras),
        *project["dependency-groups"]["dev"],
    ]
    for requirement in map(Requirement, asked):
        version = locked.get(canonicalize_name(requirement.name))
        assert version, f"{requirement.name} is not in requirements.lock: run `python3 run.py lock`"
        assert Version(version) in requirement.specifier, f"{requirement} is locked at {version}"


def test_every_locked_package_has_its_hashes_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    assert "://" not in lock
    for entry in re.split(r"\n(?=\S)", lock.strip()):
        assert "--hash=sha256:" in entry, entry


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        (["--lang", "zh", "demo", "--members", "9"], ["demo", "--members", "9", "--lang", "zh"]),
        (["--lang=zh", "demo"], ["demo", "--lang=zh"]),
        (["demo", "--lang", "zh"], ["demo", "--lang", "zh"]),
        (["--lang", "zh"], ["--lang", "zh"]),
        ([], []),
    ],
)
def test_the_language_may_be_named_before_the_word(typed: list[str], read: list[str]) -> None:
    assert run.language_last(typed) == read
