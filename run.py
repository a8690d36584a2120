#!/usr/bin/env python3
"""Everything a developer types, on one page: `python3 run.py`.

The first command builds an environment from requirements.lock; the next ones use it as it is. Only the standard library
is needed, because nothing is installed yet when this runs.
"""

import sys

# written so that an old Python still reads this far
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit("Broadsheet needs Python 3.11 or newer; this is Python %d.%d." % sys.version_info[:2])  # noqa: UP031
if sys.platform == "win32":
    sys.exit("Broadsheet runs on Linux and macOS; on Windows, run it in WSL.")

import contextlib
import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
import tempfile
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PAGE = """\
usage: python3 run.py COMMAND [options]

  demo              make a small newspaper, send it, collect receipts and
                    answers
  up                run everything in one process: worker, schedule, web
  test [...]        run all tests on all cores, on servers that they start
                    themselves; or pytest with these options (files or
                    folders: these alone, in one process)
  test-peers [...]  fetch other people's programs (docs/peers.md) and run the
                    tests against them
  chaos [...]       send while things break, and hold the carrier's log
                    against the ledger (docs/chaos.md)
  screenshots [DIR] a picture of every page of the newsroom (needs chromium)
  check             format, lint, types, rules of the house, architecture,
                    lock
  bench NAME [...]  run benchmarks/NAME.py
  lock [...]        make requirements.lock again from pyproject.toml; needs
                    uv and takes its options (--upgrade)

Any other word is one of the product's own commands, such as
python3 run.py members import people.csv:

  demo init doctor  login logout users audit
  members transfers admissions organisations segments lists consent
  editions campaigns replies report  gateways simulate up worker beat

`python3 run.py help` explains them, in Chinese with `--lang zh`;
`python3 run.py COMMAND --help` says more about one.
The first command installs what is needed into .venv.
"""

ROOT = Path(__file__).resolve().parent
LOCK = ROOT / "requirements.lock"
PROJECT = ROOT / "pyproject.toml"
# four workers also on two cores: many tests wait for receipts and deadlines; idle ones take over from busy ones
ALL_AT_ONCE = ["-n", "4", "--dist", "worksteal"]


class CannotSetUp(Exception):
    """The environment could not be built; the message says what to do."""


def main(arguments: list[str]) -> None:
    word, *rest = language_last(arguments) or ["--help"]
    if word in ("-h", "--help"):
        print(PAGE, end="")
        return
    if word == "lock":
        sys.exit(lock(rest))
    python, caches = ready_environment()
    if word == "check":
        sys.exit(check(python, caches))
    if word == "test":
        os.chdir(ROOT)
        command = ["-m", "pytest", "-o", f"cache_dir={caches / 'pytest'}", *at_once(rest), *rest]
    elif word == "test-peers":
        os.chdir(ROOT)
        command = ["-m", "tests.peers", str(cache_folder() / "peers"), "-o", f"cache_dir={caches / 'pytest'}", *rest]
    elif word == "chaos":
        os.chdir(ROOT)
        command = ["-m", "tests.chaos", *rest]
    elif word == "screenshots":
        given = [each if each.startswith("-") else str(Path(each).resolve()) for each in rest or ["screenshots"]]
        command = ["-m", "tests.screenshots", *given]
        os.chdir(ROOT)
    elif word == "bench":
        command = [str(benchmark(rest)), *rest[1:]]
    else:
        # examples and hints name what can really be typed: nothing has put `broadsheet` on the path
        os.environ["BROADSHEET_PROGRAM"] = f"python3 {shlex.quote(sys.argv[0])}"
        command = [str(ROOT / "cli.py"), *([*rest, "--help"] if word == "help" else [word, *rest])]
    # from here on signals, exit code and output are that program's own
    sys.stdout.flush()
    os.execv(python, [str(python), *command])


def at_once(options: list[str]) -> list[str]:
    """How many workers: several, unless these options name some of the tests, or their number, or want a debugger."""
    alone = any(Path(option.split("::")[0]).exists() or option.startswith(("-n", "--pdb")) for option in options)
    return [] if alone else ALL_AT_ONCE


def language_last(arguments: list[str]) -> list[str]:
    """`--lang zh help` as `help --lang zh`: the word that decides comes first."""
    first = arguments[:1]
    if first == ["--lang"] and len(arguments) > 2:
        return [*arguments[2:], *arguments[:2]]
    return [*arguments[1:], *first] if first and first[0].startswith("--lang=") and len(arguments) > 1 else arguments


def check(python: Path, caches: Path) -> int:
    """Run every check, and say at the end which failed."""
    os.chdir(ROOT)
    ruff = python.with_name("ruff")
    import_linter = "from importlinter.cli import lint_imports_command as lint; lint()"
    commands: dict[str, list[str | Path]] = {
        "format": [ruff, "format", "--check", "--quiet", "--diff", "."],
        "lint": [ruff, "check", "--quiet", "."],
        "types": [python, "-m", "mypy"],
        "house": [python, "-m", "tests.rules"],
        "architecture": [python, "-c", import_linter, "--cache-dir", caches / "import_linter"],
    }
    failed = [name for name, command in commands.items() if subprocess.run(command, check=False).returncode]
    if not lock_is_current():
        failed.append("lock")
    tell(f"check: {', '.join(failed)} failed" if failed else f"check: {', '.join(commands)}, lock: all well")
    return 1 if failed else 0


def benchmark(rest: list[str]) -> Path:
    known = sorted(path.stem for path in (ROOT / "benchmarks").glob("[!_]*.py"))
    if not rest or rest[0] not in known:
        tell(f"Which benchmark? There is: {', '.join(known) or 'none yet'}.")
        sys.exit(2)
    return ROOT / "benchmarks" / f"{rest[0]}.py"


# --- the lock ---------------------------------------------------------------------------------------------------------


def lock(options: list[str]) -> int:
    """Write requirements.lock. Versions stay as they are where they still fit, unless `--upgrade` is given."""
    if not shutil.which("uv"):
        tell("The lock is made with uv, which is not on PATH. Nothing else needs it.")
        return 2
    return compile_lock(LOCK, *options).returncode


def compile_lock(output: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    wanted = ["--universal", "--all-extras", "--group", "dev", "--generate-hashes", "--no-header", "--no-annotate"]
    made = subprocess.run(
        ["uv", "pip", "compile", PROJECT, *wanted, "--quiet", *options, "-o", output],
        cwd=ROOT,
        check=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    sys.stderr.write(made.stderr)
    return made


def lock_is_current() -> bool:
    """Whether the lock names no address and is what pyproject.toml asks for (the latter only where uv is there)."""
    text = LOCK.read_text(encoding="utf-8")
    if "://" in text:
        tell("requirements.lock names an address; make it again with `python3 run.py lock`")
        return False
    if not shutil.which("uv"):
        tell("lock: uv is not on PATH, so it was not compared with pyproject.toml (a test compares their names)")
        return True
    with tempfile.TemporaryDirectory() as folder:
        again = Path(folder, LOCK.name)
        again.write_text(text, encoding="utf-8")
        made = compile_lock(again)
        if made.returncode and "No solution found" not in made.stderr:
            tell("lock: uv could not reach its package index, so it was not compared with pyproject.toml")
            return True
        current = made.returncode == 0 and again.read_text(encoding="utf-8") == text
    if not current:
        tell("requirements.lock is not what pyproject.toml asks for: run `python3 run.py lock`")
    return current


# --- the environment --------------------------------------------------------------------------------------------------


def ready_environment() -> tuple[Path, Path]:
    """The Python of an environment that matches the lock, built if need be, and the folder for the tools' caches."""
    venv, wanted = ROOT / ".venv", fingerprint()
    if not is_ready(venv, wanted) and not may_write(venv):
        # somebody else's checkout: it stays as it is
        venv = cache_folder() / "venv"
    if not is_ready(venv, wanted):
        with alone(venv.parent):
            if not is_ready(venv, wanted):
                build(venv, wanted)
    caches = (venv if may_write(venv) else cache_folder()) / "caches"
    if not may_write(ROOT):
        os.environ["PYTHONPYCACHEPREFIX"] = str(caches / "bytecode")
    # images that shall stay small ask for none; then each of the processes that the tests start compiles the house anew
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["RUFF_CACHE_DIR"] = str(caches / "ruff")
    os.environ["MYPY_CACHE_DIR"] = str(caches / "mypy")
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(caches / "hypothesis")
    return venv / "bin" / "python", caches


def cache_folder() -> Path:
    """Where this user's things for this checkout go, if the checkout itself must stay as it is."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))  # noqa: PTH111
    if not base.is_absolute() or not may_write(base):
        base = private_temporary_folder()
    return base / "broadsheet" / key(str(ROOT))[:16]


def private_temporary_folder() -> Path:
    """For users without a home: a folder that nobody else can have prepared, since programs will be run from it."""
    folder = Path(tempfile.gettempdir(), f"broadsheet-{os.getuid()}")
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    is_mine = folder.is_dir() and not folder.is_symlink() and folder.stat().st_uid == os.getuid()
    if not is_mine or folder.stat().st_mode & 0o022:
        raise CannotSetUp(f"{folder} was made by somebody else. Set XDG_CACHE_HOME to a folder of yours and try again.")
    return folder


def fingerprint() -> str:
    """What an environment must match: the place of the checkout, the Python, the lock, the project's entry points."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    return key(str(ROOT), sys.version, LOCK.read_text(encoding="utf-8"), entry_points(project), project["version"])


def build(venv: Path, wanted: str) -> None:
    """Make the environment anew. Its stamp is written last, so that an interrupted set-up is done again."""
    began = time.monotonic()
    tell(f"Setting up once, about a minute: installing what Broadsheet needs into {venv} ...")
    base = getattr(sys, "_base_executable", None) or sys.executable
    with_uv = shutil.which("uv") and install_with_uv(venv, base)
    if not with_uv:
        install_with_pip(venv, base)
    introduce(venv)
    (venv / ".stamp").write_text(wanted)
    tell(f"Set up in {time.monotonic() - began:.0f} s.")


def install_with_uv(venv: Path, base: str) -> bool:
    """Whether uv could do it. It knows nothing of pip's settings, so pip may still reach what it does not."""
    shutil.rmtree(venv, ignore_errors=True)
    try:
        run("uv", "venv", "--quiet", "--python", base, venv)
        python = venv / "bin" / "python"
        run("uv", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--python", python, "-r", LOCK)
    except CannotSetUp:
        tell("uv could not install everything; trying pip ...")
        return False
    return True


def install_with_pip(venv: Path, base: str) -> None:
    shutil.rmtree(venv, ignore_errors=True)
    python = venv / "bin" / "python"
    try:
        run(base, "-m", "venv", venv)
        pip: list[str | Path] = [python, "-m", "pip"]
    except CannotSetUp:
        # Debian's Python without python3-venv has no pip to put into an environment, but may have one beside it
        shutil.rmtree(venv, ignore_errors=True)
        run(base, "-m", "venv", "--without-pip", venv)
        pip = [base, "-m", "pip", "--python", python]
        run(*pip, "--version", hint="Install the packages python3-venv and python3-pip, or uv, and try again.")
    quietly = ["--quiet", "--disable-pip-version-check", "--no-input", "--no-compile"]
    run(
        *(*pip, "install", *quietly, "--no-deps", "--require-hashes", "-r", LOCK),
        hint="If packages come through a proxy or a mirror here, tell pip about it (`pip config`), then try again.",
    )


def introduce(venv: Path) -> None:
    """Make the checkout importable in the environment: an editable install, without a build back-end."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    name, version = project["name"], project["version"]
    site = next((venv / "lib").glob("python*/site-packages"))
    # code instead of a bare path: its escapes are ASCII, so the path may hold any character in any locale
    (site / "broadsheet.pth").write_text(f"import sys; sys.path.append({str(ROOT)!a})\n")
    about = site / f"{name}-{version}.dist-info"
    about.mkdir(exist_ok=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (about / "entry_points.txt").write_text(entry_points(project))


def entry_points(project: dict[str, Any]) -> str:
    groups: dict[str, dict[str, str]] = project.get("entry-points", {})
    return "".join(
        f"[{group}]\n" + "".join(f"{name} = {target}\n" for name, target in entries.items())
        for group, entries in groups.items()
    )


def is_ready(venv: Path, wanted: str) -> bool:
    python, stamp = venv / "bin" / "python", venv / ".stamp"
    try:
        return os.access(python, os.X_OK) and stamp.read_text() == wanted
    except OSError:
        return False


def may_write(folder: Path) -> bool:
    """Whether a folder can be changed, or made."""
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    return os.access(nearest, os.W_OK | os.X_OK)


def key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Only one set-up at a time: a second one waits here, and then finds the work done."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def run(*command: str | Path, hint: str = "") -> None:
    """Run a step of the set-up in silence; if it fails, show the end of what it said."""
    quiet: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, cwd=ROOT, text=True, errors="replace", **quiet) as process:
        try:
            said, _ = process.communicate()
        except KeyboardInterrupt:
            # it was interrupted as well: let it clean up after itself
            process.wait(10)
            raise
    if process.returncode:
        end = "".join(f"  {line}\n" for line in said.strip().splitlines()[-12:])
        name = " ".join(Path(part).name for part in command[:4])
        raise CannotSetUp(f"{end}Setting up failed at `{name}`. {hint}".rstrip())


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except CannotSetUp as problem:
        tell(str(problem))
        sys.exit(1)
    except OSError as problem:
        tell(f"run.py could not go on: {problem}")
        sys.exit(1)
    except KeyboardInterrupt:
        tell("Stopped. Type the same command again to go on.")
        sys.exit(130)
