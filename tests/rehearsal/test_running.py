from __future__ import annotations

import socket
from pathlib import Path

import pytest

from broadcaster.rehearsal.behaviour import Behaviour
from broadcaster.rehearsal.running import rehearsing
from subscribers.errors import Unavailable
from tests import rules
from tests.rehearsal.conftest import Start, wait_until
from tests.rehearsal.wire import Client, pdu, submit


def test_it_shares_nothing_with_the_gateways() -> None:
    allowed = ("broadcaster.rehearsal", "broadcaster.logs", "subscribers.clock", "subscribers.errors")
    seen = 0
    for module in rules.modules():
        if rules.within(module.name, ("broadcaster.rehearsal",)):
            seen += 1
            for line, name in module.imports():
                inside = rules.within(name, rules.PROJECT) and name != "broadcaster.logs"
                assert not inside or rules.within(name, allowed), f"{module.name}:{line} imports {name}"
                assert not name.startswith(("smpplib", "gsm0338")), f"{module.name}:{line}"
    assert seen > 10


def test_a_port_that_is_taken(tmp_path: Path, start: Start) -> None:
    port = start().port
    with (
        pytest.raises(Unavailable, match=f"Nothing can listen on 127.0.0.1:{port}: ") as caught,
        rehearsing(tmp_path / "other", port=port),
    ):
        pass
    assert "choose another port" in caught.value.hint


def test_an_address_that_is_not_here(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="Nothing can listen on 192"), rehearsing(tmp_path / "log", host="192.0.2.1"):
        pass


def test_a_log_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="Is a directory"), rehearsing(tmp_path):
        pass
    with pytest.raises(OSError, match="No such file"), rehearsing(tmp_path / "no" / "log"):
        pass


def test_a_disk_that_is_full_ends_it_without_an_answer() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("there is no disk that is full")
    with pytest.raises(OSError, match="No space left"), rehearsing(full) as carrier, Client(carrier.port) as client:
        client.bind()
        client.send(submit(2))
        wait_until(carrier.ended.is_set)
        with pytest.raises(ConnectionError):
            # what is not written down is not answered: goodbye is all that comes
            while client.read().command == 6:
                pass


def test_on_the_disk_before_it_is_answered(start: Start) -> None:
    carrier = start(fsync=True)
    with Client(carrier.port) as client:
        client.bind()
        for n in range(2, 30):
            client.ask(submit(n, registered=0))
            assert len(carrier.accepted()) == n - 1


def test_behaviour_is_as_it_was_asked_for(tmp_path: Path) -> None:
    with rehearsing(tmp_path / "log", Behaviour(system_id="paper")) as carrier:
        assert carrier.host == "127.0.0.1"
        with Client(carrier.port) as client:
            assert client.bind(system_id="other").status == 0x0F
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", carrier.port), timeout=5)
    assert carrier.counts().binds_refused == 1
    assert carrier.stop().binds_refused == 1


def test_a_client_that_does_not_say_goodbye_is_cut(start: Start) -> None:
    carrier = start()
    with Client(carrier.port) as client:
        client.bind()
        client.send(pdu(0x15, 2))
        assert carrier.stop().links == 0
        assert client.is_over()


def test_who_does_not_bind_is_hung_up_on(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broadcaster.rehearsal.link.BIND_WITHIN", 0.1)
    carrier = start()
    with Client(carrier.port) as bound, Client(carrier.port) as client:
        bound.bind()
        assert client.is_over()
        assert bound.ask(submit(2)).status == 0


def test_what_nobody_fetches_is_thrown_away_at_last(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broadcaster.rehearsal.account.MOST_KEPT", 10)
    carrier = start(receipt_delay=0.0)
    with Client(carrier.port) as client:
        client.bind(how=2)
        client.send(*(submit(n) for n in range(2, 102)))
        wait_until(lambda: carrier.counts().receipts_dropped == 90)
        assert carrier.counts().receipts_waiting == 10
