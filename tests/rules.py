"""The house rules that can be read off a source file. Each rule takes a module and yields what breaks it, and where.

`python -m tests.rules` holds every file against all of them, and looks at no database.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROJECT = ("subscribers", "broadcaster", "cli")
LINES = 400
REVISIONS = "broadcaster.migrations.versions.r"

#: rooms of outside packages: who may import them (a name stands for the module and everything below it)
ROOMS = {
    "PIL": ("broadcaster.newspaper.decoder",),
    "alembic": ("broadcaster.migrations", "broadcaster.commands", "broadcaster.runtime"),
    "billiard": ("broadcaster.tasks", "broadcaster.binds"),
    "celery": ("broadcaster.tasks", "broadcaster.binds"),
    "fastapi": tuple(f"broadcaster.{door}" for door in ("web", "newsroom", "api", "pages", "hooks", "app")),
    "kombu": ("broadcaster.tasks", "broadcaster.binds"),
    "smpplib": ("broadcaster.gateways.smpp",),
    "starlette": tuple(f"broadcaster.{door}" for door in ("web", "newsroom", "api", "pages", "hooks", "app")),
    "twilio": ("broadcaster.gateways.twilio",),
    "uvicorn": ("broadcaster.app", "broadcaster.commands"),
}
#: who plays the carrier stands outside the house and has a watch of their own
WALL_CLOCK = (
    "broadcaster.runtime",
    "broadcaster.gateways.simulator",
    "broadcaster.rehearsal",
)
#: the last one is the driver's own connection, which hears there that a transaction of theirs has ended
TRANSACTIONS = ("broadcaster.runtime", "broadcaster.migrations", "subscribers.one_writer")
#: what starts first may import late, so that `--help` is quick: nothing lies above it, so there is no circle to dodge
MAY_IMPORT_LATE = ("cli", "broadcaster.commands")

#: what stands there is for a machine: SQL, and the headers of a request
MAY_JOIN_WITH_COMMAS = (
    "broadcaster.delivery.plans",
    "broadcaster.gateways.smpp.tables",
    "broadcaster.hooks",
    "broadcaster.language",
    "broadcaster.migrations",
)

#: what a stopwatch is read from; the processor's time of a thread or process is no such watch
WATCHES = {"monotonic()", "time.monotonic()", "time.perf_counter()", "time.time()"}
CLOCK_CALLS = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "time.time",
    "time.time_ns",
    "func.now",
}
#: what a transaction is begun on; a `begin` that was handed over may be kept under any other name
HOLDERS = {"session", "engine", "connection"}
SESSION_MAKERS = {"Session", "sessionmaker", "scoped_session"}
VAGUE_NAMES = {"utils", "helpers", "common", "services", "misc"}


@dataclass(frozen=True)
class Module:
    """One Python file: its dotted name and its text."""

    name: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All of them: several rules look through them."""
        return list(ast.walk(self.tree))

    @property
    def is_product(self) -> bool:
        return within(self.name, PROJECT)

    def calls(self) -> Iterator[tuple[ast.Call, str]]:
        """Every call, with what is called as it is written: `session.begin`."""
        for node in self.nodes:
            if isinstance(node, ast.Call):
                yield node, ast.unparse(node.func)

    def imports(self, inside: ast.AST | None = None) -> Iterator[tuple[int, str]]:
        """Every import, wherever it stands: its line, and the full name of what is imported."""
        for node in ast.walk(inside) if inside else self.nodes:
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


Rule = Callable[[Module], Iterator[str]]


def within(name: str, rooms: tuple[str, ...]) -> bool:
    """Whether a module is one of these or lies below one of them."""
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


@cache
def modules() -> list[Module]:
    """Every Python file of the checkout."""
    return [
        Module(
            ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path.read_text("utf-8")
        )
        for path in files()
        if path.suffix == ".py"
    ]


def files() -> list[Path]:
    """Every file of the checkout that is text and written by hand, whether git is here or not."""
    visible = [path for path in ROOT.iterdir() if not path.name.startswith(".") and path.name != "data"]
    visible += [path for path in ROOT.glob(".*") if path.name in {".ci", ".editorconfig", ".gitignore", ".github"}]
    found = [inner for path in visible for inner in ([path] if path.is_file() else path.rglob("*"))]
    return [
        path for path in sorted(found) if path.is_file() and path.suffix in TEXT and "__pycache__" not in path.parts
    ]


TEXT = {"", ".css", ".html", ".ini", ".js", ".lock", ".mako", ".md", ".po", ".py", ".toml", ".txt", ".yaml", ".yml"}


def is_within_budget(module: Module) -> Iterator[str]:
    lines = module.text.count("\n")
    if lines > LINES:
        yield f"{module.name} has {lines} lines; {LINES} is the most. Split it by what it does"


def says_what_it_is(module: Module) -> Iterator[str]:
    # the name of a test file already says what it tests
    if module.text.strip() and not ast.get_docstring(module.tree) and ".test_" not in module.name:
        yield f"{module.name} has no docstring"


def has_a_telling_name(module: Module) -> Iterator[str]:
    if vague := VAGUE_NAMES & set(module.name.split(".")):
        yield f"{module.name}: {', '.join(vague)} says nothing; name it after what it does"


def keeps_outside_packages_in_their_rooms(module: Module) -> Iterator[str]:
    if not module.is_product:
        return
    for line, name in module.imports():
        package = name.partition(".")[0]
        if package in ROOMS and not within(module.name, ROOMS[package]):
            yield f"{module.name}:{line} imports {package}, whose room is {' and '.join(ROOMS[package])}"


def is_not_the_ground_floor_looking_up(module: Module) -> Iterator[str]:
    for line, name in module.imports():
        if within(module.name, ("subscribers",)) and within(name, ("broadcaster", "cli")):
            yield f"{module.name}:{line} imports {name}: the registry knows nothing of the newspaper"
        if module.is_product and within(name, ("tests", "benchmarks", "run")):
            yield f"{module.name}:{line} imports {name}: the product does not lean on its tests"


def leaves_other_gateways_alone(module: Module) -> Iterator[str]:
    mine = re.match(r"broadcaster\.gateways\.(\w+)", module.name)
    for line, name in module.imports():
        other = re.match(r"broadcaster\.gateways\.(\w+)", name)
        is_folder = other and (ROOT / "broadcaster" / "gateways" / other[1]).is_dir()
        if mine and other and is_folder and mine[1] != other[1]:
            yield f"{module.name}:{line} imports {name}: gateways do not know each other"


def asks_no_clock(module: Module) -> Iterator[str]:
    if not module.is_product or module.name == "subscribers.clock":
        return
    for node, call in module.calls():
        if ".".join(call.split(".")[-2:]) in CLOCK_CALLS:
            yield f"{module.name}:{node.lineno} asks {call}(); take `now` as an argument"
    if not within(module.name, WALL_CLOCK):
        for line, name in module.imports():
            if name == "subscribers.clock.utc_now":
                yield f"{module.name}:{line} imports utc_now; only runtime asks the clock"
        for reached in module.nodes:
            if isinstance(reached, ast.Attribute) and reached.attr == "utc_now":
                yield f"{module.name}:{reached.lineno} reaches for utc_now; only runtime asks the clock"


def leaves_transactions_to_runtime(module: Module) -> Iterator[str]:
    if not module.is_product or within(module.name, TRANSACTIONS):
        return
    for node, call in module.calls():
        *receiver, verb = call.split(".")
        if receiver and (verb == "commit" or (verb == "begin" and receiver[-1] in HOLDERS)):
            yield f"{module.name}:{node.lineno} calls {call}(); only runtime begins and commits"
        if verb in SESSION_MAKERS:
            yield f"{module.name}:{node.lineno} makes a session; take one as an argument"


def imports_the_project_at_its_top(module: Module) -> Iterator[str]:
    if not module.is_product or within(module.name, MAY_IMPORT_LATE):
        return
    for function in module.nodes:
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for line, name in module.imports(function):
                if within(name, PROJECT):
                    yield f"{module.name}:{line} imports {name} inside {function.name}(); a circle means a wrong arrow"


def blames_no_slow_machine(module: Module) -> Iterator[str]:
    """A test that must end within so many seconds fails some day on a machine that stalls: limits are the runner's."""
    if not module.name.startswith("tests."):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Assert) and any(map(_is_shorter_than, ast.walk(node.test))):
            yield f"{module.name}:{node.lineno} asserts how long something takes by the clock"


def _is_shorter_than(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Compare)
        and any(isinstance(operator, ast.Lt | ast.LtE) for operator in node.ops)
        and any(isinstance(inner, ast.BinOp) and _is_since(inner) for inner in ast.walk(node))
    )


def _is_since(node: ast.BinOp) -> bool:
    return isinstance(node.op, ast.Sub) and ast.unparse(node.left) in WATCHES


def lists_in_the_language_of_the_reader(module: Module) -> Iterator[str]:
    if not within(module.name, ("broadcaster",)) or within(module.name, MAY_JOIN_WITH_COMMAS):
        return
    for node, called in module.calls():
        if called in ("', '.join", "'、'.join"):
            yield f"{module.name}:{node.lineno} puts commas between things; `language.listed` knows which ones"


def is_written_for_everyone(name: str, text: str) -> Iterator[str]:
    """No address of a package registry, no path of somebody's machine, nothing that looks like a real secret."""
    for what, pattern in PRIVATE.items():
        for match in re.finditer(pattern, text):
            line = text.count("\n", 0, match.start()) + 1
            yield f"{name}:{line} holds {what}: {match[0][:12]}..."


PRIVATE = {
    # each is written so that it does not find itself
    "a package registry": r"pypi[.]org|python[h]osted|registry[.]npmjs|npm[m]irror|files[.]pypi",
    "a path of one machine": r"(?<![\w.}/])/(?:root|home|work|Users)/\w",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE[ ]KEY-----",
    "a cloud key": r"\b(?:AKIA[0-9A-Z]{16}|LTAI[0-9A-Za-z]{12,}|AKID[0-9A-Za-z]{13,})",
    "an account's key": r"\b(?:AC|SK)[0-9a-f]{32}\b",
    "an access token": r"\b(?:gh[pousr]_[0-9A-Za-z]{30,}|glpat-[\w-]{20,}|xox[abp]-[\w-]{10,})",
}

RULES: tuple[Rule, ...] = (
    is_within_budget,
    says_what_it_is,
    has_a_telling_name,
    keeps_outside_packages_in_their_rooms,
    is_not_the_ground_floor_looking_up,
    leaves_other_gateways_alone,
    asks_no_clock,
    leaves_transactions_to_runtime,
    imports_the_project_at_its_top,
    lists_in_the_language_of_the_reader,
    blames_no_slow_machine,
)


def stand_in_a_row(revisions: Iterable[Module]) -> Iterator[str]:
    """Of two who wrote a revision at the same time each follows the same one, and often has the same number."""
    named: defaultdict[str, list[str]] = defaultdict(list)
    followed: defaultdict[str, list[str]] = defaultdict(list)
    for module in revisions:
        values = {
            node.targets[0].id: str(node.value.value)
            for node in module.tree.body
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Constant)
        }
        name = module.name.rpartition(".")[2]
        own, before = values.get("revision"), values.get("down_revision")
        if not name.startswith(f"{own}_"):
            yield f"{name} calls itself {own}"
        named[own or ""].append(name)
        followed[before or ""].append(name)
    for own, names in named.items():
        if len(names) > 1:
            yield f"{' and '.join(names)} are both called {own}: the one that comes later takes the next number"
    for before, names in followed.items():
        if len(names) > 1:
            yield f"{' and '.join(names)} both follow {before}: one of them comes after the other"
        if before not in named and before != "None":
            yield f"{' and '.join(names)} follows {before}, which is not here"


def complaints() -> Iterator[str]:
    """All that breaks a rule in this checkout."""
    yield from (complaint for module in modules() for rule in RULES for complaint in rule(module))
    for path in files():
        yield from is_written_for_everyone(str(path.relative_to(ROOT)), path.read_text("utf-8"))
    yield from stand_in_a_row(module for module in modules() if module.name.startswith(REVISIONS))


if __name__ == "__main__":
    found = list(complaints())
    sys.stdout.write("".join(f"{complaint}\n" for complaint in found))
    sys.exit(bool(found))
