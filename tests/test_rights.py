"""Every verb x every role x inside and outside of their part of the tree: made from the code, and asserted whole."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from sqlalchemy.orm import Session

import broadcaster
import subscribers
from broadcaster.access import passwords
from broadcaster.access.models import Role
from broadcaster.access.roles import RIGHTS, rights_of
from broadcaster.commands.front import NOUNS
from broadcaster.commands.options import DECLARED
from subscribers.actor import VERBS, Right
from subscribers.db import make_engine
from subscribers.errors import Denied, Invalid, NotFound
from tests.databases import SqliteTemplate
from tests.rights.page import PAGE, write_page
from tests.rights.probe import Probe, probes
from tests.rights.world import World, build, rows, told
from tests.rules import ROOT

#: who takes an actor and declares nothing, and why
EXCEPTIONS = {
    "subscribers.audit.note": "it writes down what another verb was allowed to do",
    "subscribers.organisations.home_of": "it tells an actor the name of their own place, and asks for no other",
    "subscribers.numbers.give_number": "a step of the verbs above it, which have asked",
    "subscribers.numbers.refuse_taken": "a step of the verbs above it, which have asked",
    "subscribers.consent.refuse_strangers": "a step of the verbs above it, which have asked",
    "subscribers.importing.runs.open_run": "a step of the imports, which have asked",
    "subscribers.importing.past.of_members": "a query; who runs it has asked",
    "subscribers.importing.changing.write_changes": "a step of the import, which has asked",
    "broadcaster.trial.try_out": "it has no session; it asks for the right itself, and so does what it calls",
    "broadcaster.newsroom.proofs.phones": "it has no session; what it calls asks for the right",
    "broadcaster.newsroom.proofs.reached_by": "it has no session; what it calls asks for the right",
    "broadcaster.newsroom.proofs.unsaved": "it has no session; what it calls asks for the right",
    "broadcaster.web.status.standing": "the look that it takes asks for the right",
    "broadcaster.campaigns.belonging.is_seen_by": "a condition, pure",
    "broadcaster.campaigns.belonging.is_met_by": "a condition, pure",
    "broadcaster.replies.inbox.is_of": "a condition, pure",
    "broadcaster.campaigns.belonging.refuse_unmet": "a look, pure",
    "broadcaster.campaigns.belonging.refuse_foreign": "a look, pure",
}


def _modules() -> Iterator[str]:
    for package in (subscribers, broadcaster):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations." not in module.name and not module.name.endswith("__main__"):
                yield module.name


for _name in _modules():
    importlib.import_module(_name)
PROBES = probes()


def _takes_an_actor(function: ast.FunctionDef) -> bool:
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return any(each.annotation is not None and ast.unparse(each.annotation) == "Actor" for each in arguments)


def _undeclared(source: str, module: str) -> list[str]:
    return [
        f"{module}.{function.name}"
        for function in ast.parse(source).body
        if isinstance(function, ast.FunctionDef)
        and not function.name.startswith("_")
        and _takes_an_actor(function)
        and not any(ast.unparse(each).startswith("needs(") for each in function.decorator_list)
    ]


def _sources() -> Iterator[tuple[str, str]]:
    for room in ("subscribers", "broadcaster"):
        for file in sorted((ROOT / room).rglob("*.py")):
            module = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            yield file.read_text("utf-8"), module


def test_whoever_takes_an_actor_declares_the_right() -> None:
    found = [each for source, module in _sources() for each in _undeclared(source, module)]
    assert sorted(found) == sorted(EXCEPTIONS)


def test_a_verb_that_declares_nothing_is_found() -> None:
    assert _undeclared("def f(session: Session, actor: Actor) -> None: ...", "x") == ["x.f"]
    assert _undeclared("@needs(Right.SEE)\ndef f(session: Session, actor: Actor) -> None: ...", "x") == []


def test_every_verb_of_the_command_line_declares_the_right() -> None:
    missing = []
    for noun in NOUNS:
        app: typer.Typer = importlib.import_module(f"broadcaster.commands.{noun}").app
        for command in app.registered_commands:
            function = command.callback
            assert function is not None
            if (function.__module__, function.__name__) not in DECLARED:
                missing.append(f"{noun} {function.__name__}")
    assert not missing, "needs= is missing: " + ", ".join(missing)


def test_every_verb_is_tried() -> None:
    assert sorted(VERBS.keys() - PROBES.keys()) == [], "write a probe: tests/rights/*_probes.py"
    assert sorted(PROBES.keys() - VERBS.keys()) == [], "these verbs are gone"


@pytest.fixture(scope="module")
def stage(sqlite_template: SqliteTemplate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Session, World]]:
    folder = tmp_path_factory.mktemp("rights")
    engine = make_engine(sqlite_template.copy(folder))
    with Session(engine) as session:
        session.begin()
        yield session, build(session, folder / "sides")
    engine.dispose()


@pytest.fixture
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    # the real ones are slow on purpose, and are tried in tests/access
    monkeypatch.setattr(passwords, "hashed", lambda password: f"hash of {len(password)}")


def _outcome(session: Session, world: World, name: str, role: Role, *, inside: bool) -> str:
    """What became of one call: `refused` for the right, `done`, `nothing` seen or changed; else what was wrong."""
    probe, side = PROBES[name], world.inside if inside else world.outside
    # by name the one who did what was done inside: some of it only they may take back
    actor = replace(world.inside.chief, rights=rights_of(role, world.inside.path))
    nested = session.begin_nested()
    if probe.ready:
        probe.ready(session, side)
    may = VERBS[name] in actor.rights
    before = rows(session) if may and not inside else {}
    try:
        answer = told(probe.call(session, actor, side))
        return _done(session, world, probe, answer, before, inside=inside)
    except (NotFound, Denied, Invalid) as error:
        if error.fields.get("right") == VERBS[name].value:
            return "refused"
        return f"kept out: {error}" if inside else _unchanged(session, before, probe)
    finally:
        nested.rollback()
        session.expire_all()


def _done(
    session: Session, world: World, probe: Probe, answer: str, before: dict[tuple[str, object], object], *, inside: bool
) -> str:
    if not probe.echoes and (world.outside.mark in answer or (world.outside.member.msisdn or "") in answer):
        return f"a leak: {answer}"
    if inside:
        return "done" if world.inside.mark in answer or not probe.shows else f"not shown: {answer}"
    return _unchanged(session, before, probe)


def _unchanged(session: Session, before: dict[tuple[str, object], object], probe: Probe) -> str:
    after = rows(session)
    if any(after.get(key) != row for key, row in before.items()):
        changed = [key for key, row in before.items() if after.get(key) != row]
        return f"a change: {changed}"
    made = [key for key in after.keys() - before.keys() if key[0] != "audit"]
    return "nothing" if probe.makes or not made else f"written: {made}"


@pytest.mark.parametrize("name", sorted(VERBS))
@pytest.mark.usefixtures("quick_hashes")
def test_the_table(stage: tuple[Session, World], name: str) -> None:
    session, world = stage
    found, wanted = {}, {}
    for role in Role:
        may = VERBS[name] in rights_of(role, world.inside.path)
        for inside in (True, False):
            cell = (role.value, "inside" if inside else "outside")
            found[cell] = _outcome(session, world, name, role, inside=inside)
            wanted[cell] = ("done" if inside else "nothing") if may else "refused"
    assert found == wanted


def test_the_table_of_roles() -> None:
    see, write, edit = {Right.SEE}, {Right.SEE, Right.WRITE}, {Right.SEE, Right.WRITE, Right.EDIT}
    work = {Right.NUMBERS, Right.REGISTER, Right.SEND, Right.OPERATE}
    assert {
        Role.VIEWER: see,
        Role.WRITER: write,
        Role.EDITOR: edit,
        Role.APPROVER: edit | {Right.APPROVE},
        Role.OPERATOR: edit | work,
        Role.ADMIN: set(Right),
    } == RIGHTS


def test_the_machines_are_everybodys(stage: tuple[Session, World]) -> None:
    for role in Role:
        assert Right.OPERATE not in rights_of(role, stage[1].inside.path)
        assert rights_of(role, "") == RIGHTS[role]


def test_the_page_is_current(tmp_path: Path) -> None:
    write_page(tmp_path / "rights.md")
    assert (tmp_path / "rights.md").read_text("utf-8") == PAGE.read_text("utf-8"), "python -m tests.rights.page"
