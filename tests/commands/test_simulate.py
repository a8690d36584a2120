"""`simulate smpp` as it is typed: a process that says where it listens, and tells what was when it is asked to end."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

from tests.commands.conftest import Desk, bare
from tests.rehearsal.wire import Client, submit
from tests.rules import ROOT


def port_of(process: subprocess.Popen[str]) -> int:
    """What its first line on standard error says."""
    assert process.stderr
    line = process.stderr.readline()
    found = re.search(r"127\.0\.0\.1:(\d+)", line)
    assert found, line + process.stderr.read()
    return int(found[1])


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_from_the_first_line_to_the_summary(desk: Desk, how: signal.Signals) -> None:
    words = ("simulate", "smpp", "--port", 0, "--log", "log", "--receipt-delay", 0, "--undelivered", 1, "--json")
    with desk.start(*words) as process:
        with Client(port_of(process)) as client:
            client.bind()
            client.ask(submit(2, "会".encode("utf-16-be"), coding=8))
            assert "stat:UNDELIV" in client.acknowledged().words
        process.send_signal(how)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    summary = json.loads(out)
    assert out.count("\n") == 1
    expected = {"accepted": 1, "refused": 0, "throttled": 0, "receipts": 1, "connections": 1, "internal_errors": 0}
    assert expected.items() <= summary.items()
    (line,) = map(json.loads, (desk.folder / "log").read_text("utf-8").splitlines())
    assert line["text"] == "会"


def test_the_summary_for_people(desk: Desk) -> None:
    for language, words in (("en", r"parts accepted\s+0"), ("zh", r"收下的条数\s+0")):
        with desk.start("simulate", "smpp", "--port", 0, "--log", "log", "--lang", language) as process:
            port_of(process)
            process.terminate()
            out, _ = process.communicate(timeout=30)
        assert re.search(words, out), out


@pytest.mark.parametrize("columns", ["60", "120"])
def test_a_line_of_figures_on_a_terminal(desk: Desk, columns: str) -> None:
    ours, theirs = pty.openpty()
    env = {**bare(), **desk.env, "TERM": "xterm", "COLUMNS": columns}
    command = [
        sys.executable,
        str(ROOT / "cli.py"),
        "simulate",
        "smpp",
        "--port",
        "0",
        "--log",
        "log",
        "--mo-rate",
        "1",
    ]
    with subprocess.Popen(command, cwd=desk.folder, env=env, stdout=subprocess.DEVNULL, stderr=theirs) as process:
        os.close(theirs)
        seen = b""
        while b" connections" not in seen or b"/s" not in seen:
            seen += os.read(ours, 4096)
        process.terminate()
        assert process.wait(30) == 0
        os.close(ours)
    assert b"Listening on 127.0.0.1:" in seen


def test_a_port_in_use(desk: Desk) -> None:
    with desk.start("simulate", "smpp", "--port", 0, "--log", "log") as process:
        port = port_of(process)
        typed = desk.type("simulate", "smpp", "--port", port, "--log", "other")
        process.terminate()
        process.communicate(timeout=30)
    assert (typed.code, typed.out) == (1, "")
    told, hint = typed.err.splitlines()
    assert told.startswith(f"Nothing can listen on 127.0.0.1:{port}: ")
    assert hint.startswith("Another program may be there already")


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ("--port 70000 --log log", 2, "--port must be at most 65535."),
        ("--port x --log log", 2, "--port must be a whole number."),
        ("--log log", 2, "--port is missing."),
        ("--port 0", 2, "--log is missing."),
        ("--port 0 --log no/folder/log", 1, "no/folder/log cannot be used: No such file or directory."),
        ("--port 0 --log .", 1, ". cannot be used: Is a directory."),
        ("--port 0 --log log --throttle 1.5", 2, "--throttle must be at most 1."),
        ("--port 0 --log log --refuse 0.6 --lost 0.6", 2, "Refused, undelivered, expired, rejected and lost together"),
        ("--port 0 --log log --password ninechars", 2, "--password has at most 8 characters"),
        ("--port 0 --log log --id-form octal", 2, "--id-form must be one of 'decimal', "),
        ("--port 0 --log log --time-zone Asia/Peking", 2, "There is no time zone 'Asia/Peking'."),
        ("--port 0 --log log --time-zone ../etc", 2, "There is no time zone '../etc'."),
        ("--port 0 --log log --key key.pem", 2, "--key is the key of a certificate."),
        ("--port 0 --log log --cert no.pem", 2, "no.pem cannot be used as certificate: No such file or directory."),
        (
            "--port 0 --log log --cert broadsheet.toml --key no.pem",
            2,
            "no.pem cannot be used as certificate: No such file or directory.",
        ),
        ("--port 0 --log log --cert broadsheet.toml", 2, "broadsheet.toml cannot be used as certificate: "),
        ("--port 0 --log log --receipt-window 0", 2, "--receipt-window must be at least 1."),
    ],
)
def test_what_cannot_be_used_is_told_in_two_lines(desk: Desk, words: str, code: int, told: str) -> None:
    typed = desk.type("simulate", "smpp", *words.split())
    assert (typed.code, typed.out) == (code, "")
    assert typed.err.startswith(told)
    assert len(typed.err.splitlines()) == 2


def test_over_tls(desk: Desk, tmp_path: Path) -> None:
    import ssl

    authority = trustme.CA()
    both, trusting = tmp_path / "both.pem", ssl.create_default_context()
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(both))
    authority.configure_trust(trusting)
    with desk.start("simulate", "smpp", "--port", 0, "--log", "log", "--cert", both) as process:
        with Client(port_of(process), trusting) as client:
            assert client.bind().status == 0
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode == 0


def test_a_log_that_fails_while_it_runs_ends_it(desk: Desk) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no disk that is full")
    with (
        desk.start("simulate", "smpp", "--port", 0, "--log", "/dev/full") as process,
        Client(port_of(process)) as client,
    ):
        client.bind()
        client.send(submit(2))
        _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "/dev/full cannot be used: No space left on device." in err
