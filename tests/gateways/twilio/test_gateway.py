"""Requests as Twilio wants them, answers as it gives them, over real connections."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import pytest
import trustme

from broadcaster.gateways.contract import (
    Accepted,
    OptedOut,
    OutcomeUnknown,
    Question,
    Refused,
    Throttled,
    Unreachable,
)
from broadcaster.gateways.errors import LinkDown, Misconfigured
from broadcaster.gateways.events import ReceiptState
from broadcaster.gateways.testkit import make_part, make_parts
from broadcaster.gateways.twilio import TwilioGateway
from broadcaster.sms import split
from tests.gateways.twilio.server import SENDER, TwilioServer, refusal

Make = Callable[..., TwilioGateway]

#: 500 characters with rare Han, emoji families and flags
LONG = ("【东城快报】𠮷野家𫝆𱍊会议改在明天👩‍👩‍👧‍👦🇨🇳，请带好证件。" * 20)[:500]


def form_of(request: str) -> dict[str, str]:
    return dict(parse_qsl(request.split(" ", 2)[2], keep_blank_values=True))


def test_a_message_by_its_sender(server: TwilioServer, make_gateway: Make) -> None:
    gateway = make_gateway(validity_period=3600)
    part = replace(make_part(7, "晚上好"), sender=SENDER)
    assert gateway.submit([part]) == [Accepted(server.messages[0].sid)]
    assert form_of(server.requests[0]) == {
        "To": part.msisdn,
        "From": SENDER,
        "Body": "晚上好",
        "StatusCallback": "https://paper.example/hooks/twilio?part=p7",
        "ValidityPeriod": "3600",
        "SmartEncoded": "false",
    }


def test_a_message_by_a_service_without_a_public_address(server: TwilioServer, make_gateway: Make) -> None:
    gateway = make_gateway("", messaging_service="MG" + "1" * 32, sender="")
    gateway.submit([replace(make_part(1, "x"), sender="")])
    assert set(form_of(server.requests[0])) == {"To", "MessagingServiceSid", "Body", "SmartEncoded"}
    assert not gateway.capabilities.echoes_reference
    assert not gateway.capabilities.inbound


def test_five_hundred_characters_are_one_request_and_arrive_whole(server: TwilioServer, make_gateway: Make) -> None:
    gateway = make_gateway()
    pieces = gateway.capabilities.handed_over(split(LONG))
    assert len(pieces) == 1
    assert isinstance(gateway.submit([make_part(1, pieces[0])])[0], Accepted)
    assert [taken.form["Body"] for taken in server.messages] == [LONG]


def test_a_batch_of_mixed_ends(server: TwilioServer, make_gateway: Make) -> None:
    parts = make_parts(7)
    server.answers = {
        parts[1].msisdn: refusal(400, 21211),
        parts[2].msisdn: refusal(400, 21610),
        parts[3].msisdn: refusal(429, 20429, Retry_After="4"),
        parts[4].msisdn: (500, b"<html>oh</html>", {}),
        parts[5].msisdn: (201, b"<html>oh</html>", {}),
        parts[6].msisdn: (201, {"sid": "none"}, {}),
    }
    outcomes = make_gateway().submit(parts)
    assert [type(outcome) for outcome in outcomes] == [
        Accepted,
        Refused,
        OptedOut,
        Throttled,
        OutcomeUnknown,
        OutcomeUnknown,
        OutcomeUnknown,
    ]
    assert outcomes[3] == Throttled(4.0)
    assert "8619900000001" not in repr(outcomes)


def test_requests_go_side_by_side_over_few_connections(server: TwilioServer, make_gateway: Make) -> None:
    server.latency = 0.02
    gateway = make_gateway(window=8)
    gateway.submit(make_parts(40))
    gateway.submit(make_parts(40, first=41))
    assert len(server.accepted()) == 80
    assert 2 <= server.most_at_once <= 8
    assert server.connections <= 8


def test_wrong_credentials_take_the_gateway_out(server: TwilioServer, make_gateway: Make) -> None:
    gateway = make_gateway()
    server.token = "another"
    with pytest.raises(Misconfigured, match="20003"):
        gateway.submit(make_parts(30))
    asked = len(server.requests)
    assert asked < 30
    with pytest.raises(Misconfigured):
        gateway.submit(make_parts(30))
    assert len(server.requests) == asked + 1, "it knocked with more than one"
    server.token = "a-token-that-nobody-may-see"
    assert [type(outcome) for outcome in gateway.submit(make_parts(3))] == [Accepted] * 3


def test_turned_away_in_the_middle(server: TwilioServer, make_gateway: Make) -> None:
    parts = make_parts(5)
    server.answers = {parts[2].msisdn: refusal(401, 20003)}
    outcomes = make_gateway(window=1).submit(parts)
    assert [type(outcome) for outcome in outcomes] == [Accepted, Accepted, Unreachable, Unreachable, Unreachable]
    assert len(server.accepted()) == 2


def test_silence_is_no_answer(server: TwilioServer, make_gateway: Make) -> None:
    gateway = make_gateway(answer_timeout=0.3)
    server.latency = 1
    assert [type(outcome) for outcome in gateway.submit(make_parts(3))] == [OutcomeUnknown] * 3
    assert len(server.connections * [0]) >= 3


def test_an_answer_without_end(make_gateway: Make) -> None:
    """It drips a byte at a time, so that no single read ever takes too long."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            line, _ = listener.accept()
            with line:
                line.recv(65536)
                line.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 100000\r\n\r\n")
                try:
                    for _ in range(50):
                        line.sendall(b" ")
                        time.sleep(0.1)
                except OSError:
                    pass

        thread = threading.Thread(target=drip)
        thread.start()
        port = listener.getsockname()[1]
        gateway = make_gateway(api_url=f"http://127.0.0.1:{port}", connect_timeout=0.5, answer_timeout=0.5)
        assert [type(outcome) for outcome in gateway.submit(make_parts(1))] == [OutcomeUnknown]
        thread.join()


def test_the_environment_of_the_process_is_not_asked(
    server: TwilioServer, make_gateway: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in {"EDGE": "dublin", "REGION": "ie1", "ACCOUNT_SID": "AC1", "AUTH_TOKEN": "x"}.items():
        monkeypatch.setenv(f"TWILIO_{key}", value)
    assert isinstance(make_gateway().submit(make_parts(1))[0], Accepted)


class TestTls:
    @pytest.fixture
    def tls(self) -> Iterator[tuple[int, trustme.CA]]:
        """A server with a certificate that nobody trusts; it hangs up after the handshake."""
        authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        listener = socket.create_server(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                try:
                    line, _ = listener.accept()
                except OSError:
                    return
                try:
                    with context.wrap_socket(line, server_side=True) as secured:
                        secured.recv(65536)
                except OSError:
                    line.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield int(listener.getsockname()[1]), authority
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()

    def test_no_trust_means_that_nothing_left(self, tls: tuple[int, trustme.CA], make_gateway: Make) -> None:
        outcome = make_gateway(api_url=f"https://127.0.0.1:{tls[0]}").submit(make_parts(1))[0]
        assert isinstance(outcome, Unreachable)
        assert "127.0.0.1" not in outcome.reason

    def test_a_cut_after_the_handshake_leaves_doubt(
        self, tls: tuple[int, trustme.CA], make_gateway: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with tls[1].cert_pem.tempfile() as file:
            monkeypatch.setenv("SSL_CERT_FILE", file)
            outcome = make_gateway(api_url=f"https://127.0.0.1:{tls[0]}").submit(make_parts(1))[0]
        assert isinstance(outcome, OutcomeUnknown)

    def test_a_server_without_tls(self, server: TwilioServer, make_gateway: Make) -> None:
        outcome = make_gateway(api_url=f"https://127.0.0.1:{server.port}").submit(make_parts(1))[0]
        assert isinstance(outcome, Unreachable)


class TestLookingUp:
    NOW = datetime.now(UTC).replace(microsecond=0)

    def question(self, part_id: int, message_id: str | None, text: str = "The paper is out.") -> Question:
        return Question(f"p{part_id}", f"+86199{part_id:08d}", text, self.NOW, message_id)

    def test_by_id(self, server: TwilioServer, make_gateway: Make) -> None:
        gateway = make_gateway()
        outcomes = gateway.submit(make_parts(3))
        for taken, (status, code) in zip(
            server.messages, [("delivered", None), ("undelivered", 30005), ("sent", None)], strict=True
        ):
            taken.status, taken.error_code = status, code
        ids = {taken.form["To"]: taken.sid for taken in server.messages}
        assert {outcome.message_id for outcome in outcomes if isinstance(outcome, Accepted)} == set(ids.values())
        told = gateway.look_up([self.question(n, ids[f"+86199{n:08d}"]) for n in (1, 2, 3)])
        by_reference = {receipt.client_reference: receipt for receipt in told}
        states = {taken.form["To"]: taken for taken in server.messages}
        for n in (1, 2, 3):
            receipt, taken = by_reference[f"p{n}"], states[f"+86199{n:08d}"]
            assert receipt.message_id == taken.sid
            assert receipt.code == (str(taken.error_code) if taken.error_code else taken.status)
            assert receipt.done_at is not None

    def test_by_number_and_time(self, server: TwilioServer, make_gateway: Make) -> None:
        to = "+8619900000001"
        mine = {"To": to, "Body": "The paper is out.\n"}
        wanted = server.take(mine, made=self.NOW + timedelta(minutes=1), status="delivered")
        server.take({"To": to, "Body": "Another text"}, made=self.NOW)
        server.take(mine, made=self.NOW - timedelta(hours=2))
        server.take(mine, made=self.NOW + timedelta(minutes=11))
        server.take(mine, made=self.NOW, direction="inbound")
        server.take({**mine, "To": "+8619900000002"}, made=self.NOW)
        told = make_gateway().look_up([self.question(1, None)])
        assert [(r.message_id, r.client_reference, r.state) for r in told] == [
            (wanted.sid, "p1", ReceiptState.DELIVERED)
        ]

    def test_all_that_may_be_it_are_told(self, server: TwilioServer, make_gateway: Make) -> None:
        for _ in range(2):
            server.take({"To": "+8619900000001", "Body": "The paper is out."}, made=self.NOW)
        assert len(make_gateway().look_up([self.question(1, None)])) == 2

    def test_one_that_was_deleted_has_no_receipt(self, server: TwilioServer, make_gateway: Make) -> None:
        taken = server.take({"To": "+8619900000001", "Body": "x"}, made=self.NOW)
        told = make_gateway().look_up([self.question(1, "SM" + "f" * 32), self.question(2, taken.sid)])
        assert [receipt.message_id for receipt in told] == [taken.sid]

    def test_wrong_credentials_and_nobody_there(self, server: TwilioServer, make_gateway: Make) -> None:
        gateway = make_gateway()
        assert gateway.look_up([]) == []
        server.token = "another"
        with pytest.raises(Misconfigured):
            gateway.look_up([self.question(1, None)])
        server.kill()
        with pytest.raises(LinkDown):
            gateway.look_up([self.question(1, None)])
        gateway.close()
        with pytest.raises(LinkDown):
            gateway.look_up([self.question(1, None)])

    def test_no_number_in_the_logs(
        self, server: TwilioServer, make_gateway: Make, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("DEBUG")
        gateway = make_gateway()
        gateway.look_up([self.question(1, None)])
        server.kill()
        with pytest.raises(LinkDown) as raised:
            gateway.look_up([self.question(1, None)])
        assert "19900000001" not in caplog.text + str(raised.value)


WRONG = {
    "no account": ({"account_sid": "AC1"}, "account_sid: must be the account sid of Twilio's console"),
    "a line behind the account": ({"account_sid": "AC" + "0" * 32 + "\n"}, "account_sid: must be the account sid"),
    "no key": ({"api_key": "SK1"}, "api_key: must be the sid of an API key"),
    "no service": ({"messaging_service": "AC" + "0" * 32}, "messaging_service: must be the sid of a messaging"),
    "no token": ({"auth_token": ""}, "auth_token is missing"),
    "half a key": ({"api_key": "SK" + "0" * 32}, "api_key and api_key_secret belong together"),
    "no sender": ({"sender": ""}, "Say who the messages come from"),
    "two addresses": ({"edge": "dublin"}, "edge and region choose among Twilio's own addresses"),
    "an address with a path": ({"api_url": "http://x/y"}, "api_url: must be http:// or https:// and a host"),
    "too patient": ({"validity_period": 36_001}, "validity_period: must be at most 36000"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_settings(name: str, make_gateway: Make) -> None:
    settings, line = WRONG[name]
    with pytest.raises(Misconfigured) as raised:
        make_gateway(**settings)
    assert line in str(raised.value)
    assert "a-token" not in str(raised.value)


def test_secrets_stay_out_of_repr(make_gateway: Make) -> None:
    gateway = make_gateway(api_key="SK" + "0" * 32, api_key_secret="a-token-of-the-key")
    assert "a-token" not in f"{gateway!r} {gateway.config!r} {vars(gateway)!r}"
