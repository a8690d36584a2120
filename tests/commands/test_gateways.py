"""Holding connections, each in a process of its own: places, waiting, ending, kill -9."""

from __future__ import annotations

import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import pytest
import trustme
from rich.cells import cell_len
from sqlalchemy import update
from sqlalchemy.orm import Session

from broadcaster.delivery import memory
from broadcaster.delivery.models import Part
from broadcaster.gateways.simulator.journal import accepted_parts
from broadcaster.rehearsal.behaviour import Behaviour
from broadcaster.rehearsal.running import rehearsing
from subscribers.clock import utc_now
from subscribers.db import make_engine
from tests.commands.conftest import CONFIG, Desk
from tests.journeys.sending import wait_until
from tests.rules import ROOT

#: twenty parts a second by two connections
SLOW = CONFIG.replace('price = "0.05"', 'price = "0.05"\nbinds = 2\nparts_per_second = 20')
MANY = "姓名,手机,支部,状态,订阅\n" + "".join(f"读者{n},1990000{n:04},东川,在职,是\n" for n in range(60))


class Serving:
    """A command in a process of its own that goes on until it is asked to end."""

    def __init__(self, desk: Desk, *words: str) -> None:
        self.process = desk.start(*words)
        self.said: list[str] = []
        for stream in filter(None, (self.process.stdout, self.process.stderr)):
            threading.Thread(target=self._read, args=(stream,)).start()

    def _read(self, stream: IO[str]) -> None:
        # extend would keep the lines back until the stream has ended
        for line in stream:
            self.said += [line]

    def says(self, words: str, seconds: float = 40) -> bool:
        return wait_until(lambda: words in "".join(self.said), seconds)

    def ends(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(40)


@pytest.fixture
def carrier(tmp_path: Path) -> Iterator[int]:
    """A carrier that outlives whoever holds a connection to it; its port."""
    options = [sys.executable, "-m", "broadcaster.gateways.simulator", "--file", str(tmp_path / "carrier")]
    options += ["--failed", "0", "--late", "0", "--never", "0", "--delay", "0.1", "0.3"]
    with subprocess.Popen(options, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.terminate()


def test_two_hold_a_third_waits_and_takes_over_from_the_dead(desk: Desk, carrier: int) -> None:
    desk.write("broadsheet.toml", SLOW + f"port = {carrier}\n")
    desk.write("people.csv", MANY)
    assert desk.type("members", "import", "people.csv").code == 0
    with ExitStack() as stack:
        runs = []
        for _ in range(3):
            runs.append(Serving(desk, "gateways", "run", "simulator"))
            stack.enter_context(runs[-1].process)
            stack.callback(runs[-1].process.kill)
            assert runs[-1].says("Sending for simulator.")
            if len(runs) < 3:
                assert wait_until(lambda: _bound(desk) == len(runs), 40)
        assert runs[2].says("All 2 connections of simulator are held by other processes: waiting.")
        assert desk.type("campaigns", "create", "--text", "{{ name }}，您好。", "--to", "everyone").code == 0
        assert desk.type("campaigns", "send", 1, "--confirm", 60).code == 0
        file = desk.folder / "carrier"
        assert wait_until(lambda: len(accepted_parts(file)) > 10, 40)
        assert runs[0].ends(signal.SIGKILL) == -signal.SIGKILL
        assert runs[2].says("of simulator is held from here now.")
        watched = desk.type("campaigns", "watch", 1, "--until", "sent", "--timeout", 60, "--json").document
        assert [run.ends() for run in runs[1:]] == [0, 0]
    numbers = [line["destination"] for line in accepted_parts(file)]
    doubtful = watched["messages"].get("unknown", 0)
    # half a second of its half of the rate is what the dead had in hand
    assert doubtful <= 5
    assert len(numbers) == len(set(numbers)) >= 60 - doubtful
    assert {line["bind"] for line in accepted_parts(file)} > {1}
    assert _bound(desk) == 0


def _bound(desk: Desk) -> int:
    listed = desk.type("gateways", "list", "--json").document["gateways"][0]
    return sum(bind["bound"] for bind in listed["binds"])


def test_a_trial_tells_each_step(staffed: Desk) -> None:
    typed = staffed.type("gateways", "test", "simulator", "--to", "19900000009", "--json")
    assert (typed.code, typed.document["ok"], typed.document["msisdn"]) == (0, True, "199****0009")
    assert [step["name"] for step in typed.document["steps"]] == ["sign_on", "alphabet", "sent", "answer", "receipt"]
    part = accepted_parts(staffed.folder / "data" / "simulator.carrier")[0]
    assert part["text"].startswith("【晨晖手机报】")
    assert part["text"].endswith("拒收请回复R")
    deeds = staffed.type("audit", "list", "--json").document["audit"]
    assert deeds[0]["deed"] == "gateways.test"
    assert _bound(staffed) == 0


def test_a_trial_asks_nobody_who_has_refused(staffed: Desk) -> None:
    typed = staffed.type("gateways", "test", "simulator", "--to", "19900000001")
    assert typed.code == 0
    assert staffed.type("consent", "out", "19900000001", "--wording", "R").code == 0
    typed = staffed.type("gateways", "test", "simulator", "--to", "19900000001")
    assert (typed.code, "wants no messages" in typed.err) == (1, True)
    assert len(accepted_parts(staffed.folder / "data" / "simulator.carrier")) == 1


def test_a_trial_sends_nothing_else(draft: Callable[..., int], staffed: Desk) -> None:
    assert staffed.type("campaigns", "send", draft(), "--confirm", 3).code == 0
    assert staffed.type("gateways", "test", "simulator", "--to", "19900000009").code == 0
    assert len(accepted_parts(staffed.folder / "data" / "simulator.carrier")) == 1


@pytest.mark.parametrize(
    ("to", "code", "words"),
    [("12", 2, "too short"), ("010-6512 3456", 2, "landline"), ("10086", 2, "service number")],
)
def test_a_number_that_takes_no_messages(staffed: Desk, to: str, code: int, words: str) -> None:
    typed = staffed.type("gateways", "test", "simulator", "--to", to)
    assert (typed.code, words in typed.err) == (code, True), typed.err


def test_a_trial_of_a_gateway_that_is_not_there(staffed: Desk) -> None:
    assert "There is no gateway carrier." in staffed.type("gateways", "test", "carrier", "--to", "19900000009").err


@pytest.mark.parametrize(
    ("host", "failed", "words"),
    [("127.0.0.1", "connect", "Nobody listens"), ("no such host", "resolve", "There is no host")],
)
def test_a_carrier_that_is_not_there(staffed: Desk, host: str, failed: str, words: str) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        _configure_smpp(staffed, host, nobody.getsockname()[1])
        typed = staffed.type("gateways", "test", "smsc", "--to", "19900000009", "--json")
        looked = staffed.type("doctor", "--json")
    step = typed.document["steps"][-1]
    assert (typed.code, step["name"], step["ok"]) == (1, failed, False)
    assert words in step["words"]
    assert step["hint"]
    check = next(each for each in looked.document["checks"] if each["name"] == "gateway smsc")
    assert (looked.code, check["ok"], words in check["found"]) == (1, False, True)


def test_tls_to_a_port_that_speaks_none(staffed: Desk) -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        _configure_smpp(staffed, "127.0.0.1", door.getsockname()[1], "tls = true")
        threading.Thread(target=_answer_like_a_web_server, args=(door,)).start()
        typed = staffed.type("gateways", "test", "smsc", "--to", "19900000009", "--json")
    assert [step["name"] for step in typed.document["steps"]] == ["resolve", "connect", "tls"]
    assert "does not speak TLS" in typed.document["steps"][-1]["words"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ('tls_ca = "nowhere.pem"', "nowhere.pem holds no certificates that can be read: No such file"),
        ('tls_ca = "broadsheet.toml"', "broadsheet.toml holds no certificates that can be read: "),
        ("", "is signed by nobody that this machine trusts."),
        ('tls_ca = "ca.pem"', "is not for 127.0.0.1."),
        ('tls_ca = "ca.pem"\ntls_name = "other.example.org"', "is not for other.example.org."),
        ('tls_ca = "ca.pem"\ntls_name = "smsc.example.org"', ""),
    ],
)
def test_a_certificate_is_told_by_what_is_wrong_with_it(staffed: Desk, tmp_path: Path, more: str, words: str) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(staffed.folder / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("smsc.example.org").configure_cert(context)
    with rehearsing(tmp_path / "log", Behaviour(receipt_delay=0), tls=context) as carrier:
        _configure_smpp(staffed, "127.0.0.1", carrier.port, f"tls = true\n{more}")
        typed = staffed.type("gateways", "test", "smsc", "--to", "19900000009", "--json")
        looked = staffed.type("doctor", "--json")
    step = next(each for each in typed.document["steps"] if each["name"] == "tls")
    check = next(each for each in looked.document["checks"] if each["name"] == "gateway smsc")
    assert (typed.code, step["ok"], check["ok"]) == ((1, False, False) if words else (0, True, True))
    assert words in step["words"]
    assert words in check["found"]
    assert bool(step["hint"]) == bool(words)


def test_what_is_wrong_with_a_connection_is_told_in_the_readers_language(staffed: Desk) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        _configure_smpp(staffed, "127.0.0.1", nobody.getsockname()[1])
        holder = Serving(staffed, "gateways", "run", "smsc")
        with holder.process:
            try:
                assert wait_until(lambda: _trouble(staffed, "en") is not None, 90)
                told = {language: _trouble(staffed, language) or "" for language in ("en", "zh")}
                # whoever reads the log is told as well what to do
                assert holder.says("Compare `host` and `port`")
            finally:
                holder.ends()
    assert "nobody listens at 127.0.0.1" in told["en"]
    assert told["zh"].startswith("网关 smsc：127.0.0.1:")
    assert told["zh"].endswith("无人应答。")


def _trouble(desk: Desk, language: str) -> str | None:
    found = desk.type("--lang", language, "gateways", "list", "--json").document["gateways"]
    return next((bind["error"] for each in found for bind in each["binds"]), None)


def test_a_price_is_told_to_its_last_place(staffed: Desk) -> None:
    staffed.write("broadsheet.toml", CONFIG.replace('"0.05"', '"0.0079"'))
    assert "CNY 0.0079 a part" in staffed.type("gateways", "list").out


def test_the_doctor_misses_receipts_and_a_sender(staffed: Desk) -> None:
    config = CONFIG.replace("never = 0", "never = 1") + 'bill = "chars_70_67"\n'
    staffed.write("broadsheet.toml", config)
    typed = staffed.type("gateways", "test", "simulator", "--to", "19900000009", "--wait", 1, "--json")
    assert (typed.code, typed.document["steps"][-1]["name"]) == (1, "receipt")
    seen = staffed.type("doctor", "--json").document["checks"]
    assert "parts_per_second is 0" in next(each for each in seen if each["name"] == "gateway simulator")["advice"]
    engine = make_engine(f"sqlite:///{staffed.folder / 'data' / 'broadsheet.db'}")
    with engine.begin() as connection:
        connection.execute(update(Part).values(submitted_at=utc_now() - timedelta(days=2)))
    engine.dispose()
    seen = staffed.type("doctor", "--json").document["checks"]
    check = next(each for each in seen if each["name"] == "gateway simulator")
    assert (check["ok"], "No receipt has come" in check["found"]) == (False, True)


def test_chinese_signatures_stand_in_brackets(staffed: Desk) -> None:
    typed = staffed.type("gateways", "profile", "simulator", "--set", "signature=晨晖")
    assert (typed.code, "Write 【晨晖】." in typed.err) == (2, True)
    assert staffed.type("gateways", "profile", "simulator", "--set", "signature=【晨晖】").code == 0
    staffed.write("broadsheet.toml", CONFIG.replace("【晨晖手机报】", "晨晖手机报】"))
    checks = staffed.type("doctor", "--json").document["checks"]
    assert next(each for each in checks if each["name"] == "configuration") == {
        "name": "configuration",
        "ok": False,
        "found": "The signature 晨晖手机报】 does not stand in brackets.",
        "advice": "Carriers in China send nothing without them. Write 【晨晖手机报】.",
    }
    told = staffed.type("--lang", "zh", "doctor").out
    assert "晨晖手机报】" in told
    assert "does not" not in told


def test_a_gateway_that_came_later_says_whose_signature_it_has(staffed: Desk) -> None:
    later = CONFIG + '[gateways.later]\nkind = "simulator"\n'
    staffed.write("broadsheet.toml", later)

    def advice(name: str) -> str:
        checks = staffed.type("doctor", "--json").document["checks"]
        return str(next(each for each in checks if each["name"] == f"gateway {name}")["advice"])

    assert advice("later") == ""
    staffed.type("gateways", "profile", "simulator", "--set", "signature=【晨晖】")
    assert "broadsheet.toml has it: 【晨晖手机报】. Another signature was set for simulator" in advice("later")
    assert advice("simulator") == ""
    staffed.type("gateways", "profile", "later", "--set", "signature=【晨晖手机报】")
    assert advice("later") == "", "somebody has looked at it"


@pytest.mark.parametrize(
    ("language", "told"), [("en", "Gateway smsc: the carrier says"), ("zh", "网关 smsc：运营商说")]
)
def test_the_doctor_names_a_gateway_once(staffed: Desk, tmp_path: Path, language: str, told: str) -> None:
    with rehearsing(tmp_path / "smsc.jsonl", Behaviour(system_id="paper", password="right")) as smsc:
        _configure_smpp(staffed, "127.0.0.1", smsc.port, 'password = "wrong"')
        assert f"FAIL {told}" in staffed.type("--lang", language, "doctor").out


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("line", ["doctor", "gateways test smsc --to 19900000009"])
def test_long_lines_go_on_under_their_beginning(staffed: Desk, language: str, line: str) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        _configure_smpp(staffed, "127.0.0.1", port := nobody.getsockname()[1])
        typed = staffed.type("--lang", language, *line.split(), COLUMNS="60")
    assert all(re.match("ok   |FAIL |     ", row) for row in typed.out.splitlines() if row)
    words = "".join(typed.out.split())
    assert {"en": f"Nobodylistensat127.0.0.1,port{port}.", "zh": f"127.0.0.1端口{port}无人监听。"}[language] in words
    assert "Connection refused" not in typed.out
    assert max(map(cell_len, typed.out.splitlines())) <= 60


def test_what_a_gateway_can_is_listed_as_one_lists_things(staffed: Desk) -> None:
    told = staffed.type("--lang", "zh", "gateways", "list").out
    assert "短信用 GSM-7、最多 10 条、回执、来信" in told
    assert "; " not in told


def test_what_was_learned_of_a_carrier_is_shown(staffed: Desk, tmp_path: Path) -> None:
    with rehearsing(tmp_path / "smsc.jsonl", Behaviour()) as smsc:
        _configure_smpp(staffed, "127.0.0.1", smsc.port)
        engine = make_engine(f"sqlite:///{staffed.folder / 'data' / 'broadsheet.db'}")
        with Session(engine) as session, session.begin():
            memory.keep(session, "smsc", "decimal_hex 0", now=utc_now())
            memory.keep(session, "smsc", "hex_decimal 8 capitals", now=utc_now())
        engine.dispose()
        words = "The answer gives the id in hexadecimal, the receipt in decimal."
        seen = staffed.type("gateways", "list", "--json").document["gateways"]
        assert [each["learned"] for each in seen] == [None, words]
        assert words in " ".join(staffed.type("gateways", "list").out.split())
        checks = staffed.type("doctor", "--json").document["checks"]
        assert words in next(each for each in checks if each["name"] == "gateway smsc")["advice"]


def test_a_campaign_says_what_keeps_it_from_going_out(draft: Callable[..., int], staffed: Desk, tmp_path: Path) -> None:
    with rehearsing(tmp_path / "smsc.jsonl", Behaviour(system_id="paper", password="right")) as smsc:
        _configure_smpp(staffed, "127.0.0.1", smsc.port, 'password = "wrong"\n[routes]\ndefault = ["smsc"]')
        campaign = draft()
        recipients = staffed.type("campaigns", "check", campaign, "--json").document["recipients"]
        assert staffed.type("campaigns", "send", campaign, "--confirm", recipients).code == 0
        watching = Serving(staffed, "campaigns", "watch", campaign)
        with watching.process:
            try:
                assert wait_until(lambda: "密码不对" in _held_up(staffed, campaign), 100)
                assert "Compare `password`" in " ".join("".join(watching.said).split())
            finally:
                watching.ends()


def test_whoever_is_killed_is_missed(draft: Callable[..., int], staffed: Desk, tmp_path: Path) -> None:
    """Its row says still that its connection stands: nobody is there who could write down the end."""
    with rehearsing(tmp_path / "smsc.jsonl", Behaviour(system_id="paper", password="right")) as smsc:
        _configure_smpp(staffed, "127.0.0.1", smsc.port, 'password = "right"\n[routes]\ndefault = ["smsc"]')
        campaign = draft()
        recipients = staffed.type("campaigns", "check", campaign, "--json").document["recipients"]
        with ExitStack() as stack:
            sending = Serving(staffed, "gateways", "run", "smsc")
            stack.enter_context(sending.process)
            stack.callback(sending.process.kill)
            assert wait_until(lambda: f"process {sending.process.pid}" in _way(staffed)["found"], 40)
            smsc.behave(latency=60.0)
            assert staffed.type("campaigns", "send", campaign, "--confirm", recipients).code == 0
            assert wait_until(smsc.accepted, 40)
            assert not _alarms(staffed)
            assert sending.ends(signal.SIGKILL) == -signal.SIGKILL
    told = next(each for each in _alarms(staffed) if "is gone" in each["found"])
    assert f"Parts for gateway smsc that it had in hand: {recipients}." in told["found"]
    assert "broadsheet up" in told["advice"]
    # it looks for itself: the carrier of this test has gone home meanwhile
    assert not _way(staffed)["ok"]
    listed = staffed.type("gateways", "list", "--json").document["gateways"]
    assert [each["binds"] for each in listed if each["name"] == "smsc"] == [[]]
    assert wait_until(lambda: "没有进程在发送" in _held_up(staffed, campaign), 20)


def _checks(desk: Desk) -> list[dict[str, Any]]:
    return list(desk.type("doctor", "--json").document["checks"])


def _alarms(desk: Desk) -> list[dict[str, Any]]:
    return [each for each in _checks(desk) if each["name"] == "alarm" and not each["ok"]]


def _way(desk: Desk) -> dict[str, Any]:
    return next(each for each in _checks(desk) if each["name"] == "gateway smsc")


def _held_up(desk: Desk, campaign: int) -> str:
    seen = desk.type("--lang", "zh", "campaigns", "show", campaign, "--json").document["held_up"]
    return "".join(each["reason"] for each in seen)


def _configure_smpp(desk: Desk, host: str, port: int, more: str = "") -> None:
    smsc = f'[gateways.smsc]\nkind = "smpp"\nhost = "{host}"\nport = {port}\nsystem_id = "paper"\n{more}\n'
    desk.write("broadsheet.toml", CONFIG + smsc)


def _answer_like_a_web_server(door: socket.socket) -> None:
    link, _ = door.accept()
    with link:
        link.recv(1000)
        link.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
