"""A server that behaves like Twilio's messages: takes them, tells of them when asked, and calls back."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit
from urllib.request import Request, urlopen

from twilio.request_validator import RequestValidator

from broadcaster.gateways.testkit import AcceptedPart

ACCOUNT = "AC" + "0123456789abcdef" * 2
KEY = "SK" + "0" * 32
TOKEN = "a-token-that-nobody-may-see"
SENDER = "+8619900000099"

#: what one request is answered with: status, document, headers
Answer = tuple[int, Mapping[str, Any] | bytes, Mapping[str, str]]


@dataclass
class Taken:
    """One message that the server has."""

    sid: str
    form: dict[str, str]
    made: datetime
    status: str = "queued"
    error_code: int | None = None
    direction: str = "outbound-api"

    def document(self) -> dict[str, Any]:
        stamp = format_datetime(self.made)
        home = f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{self.sid}"
        return {
            "account_sid": ACCOUNT,
            "api_version": "2010-04-01",
            "body": self.form["Body"],
            "date_created": stamp,
            "date_sent": stamp,
            "date_updated": stamp,
            "direction": self.direction,
            "error_code": self.error_code,
            "error_message": None,
            "from": self.form.get("From"),
            "messaging_service_sid": self.form.get("MessagingServiceSid"),
            "num_media": "0",
            "num_segments": "1",
            "price": None,
            "price_unit": "USD",
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {"media": f"{home}/Media.json"},
            "to": self.form["To"],
            "uri": f"{home}.json",
        }


def refusal(status: int, code: int, **headers: str) -> Answer:
    """As Twilio refuses: with a sentence that holds the number."""
    told = {
        "code": code,
        "message": "The 'To' number +8619900000001 is not a valid phone number.",
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    return status, told, {name.replace("_", "-"): value for name, value in headers.items()}


@dataclass
class TwilioServer:
    """On a port of the loopback, for the length of a `with` block."""

    token: str = TOKEN
    #: by the number that a message goes to: what it is answered instead
    answers: dict[str, Answer] = field(default_factory=dict)
    #: by the number that a message goes to: the statuses and error codes it goes through
    fates: dict[str, list[tuple[str, int | None]]] = field(default_factory=dict)
    #: numbers whose messages are taken, and the answer is an error all the same
    lost: set[str] = field(default_factory=set)
    #: numbers of whose messages nothing is told until somebody asks
    silent: set[str] = field(default_factory=set)
    #: the public address of the hooks, and where it leads
    public: tuple[str, str] = ("", "")
    latency: float = 0.0
    secrets: tuple[str, ...] = (TOKEN,)
    messages: list[Taken] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    connections: int = 0
    most_at_once: int = 0
    _at_once: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _open: set[socket.socket] = field(default_factory=set)

    def __enter__(self) -> Self:
        server = self

        class Handler(_Handler):
            house = server

        self._http = _Listener(("127.0.0.1", 0), Handler)
        self.port = int(self._http.server_address[1])
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """End it at once, without a word to anybody."""
        self._http.shutdown()
        self._http.server_close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def accepted(self) -> list[AcceptedPart]:
        with self._lock:
            return [AcceptedPart(taken.sid, taken.form["To"], taken.form["Body"]) for taken in self.messages]

    def take(self, form: dict[str, str], *, made: datetime | None = None, **more: Any) -> Taken:
        """Have a message, as if it had been sent."""
        with self._lock:
            taken = Taken(f"SM{len(self.messages):032x}", form, made or datetime.now(UTC), **more)
            self.messages.append(taken)
        return taken

    def answer(self, method: str, path: str, query: dict[str, str], form: dict[str, str], auth: str) -> Answer:
        if auth not in {"Basic " + base64.b64encode(f"{who}:{self.token}".encode()).decode() for who in (ACCOUNT, KEY)}:
            return refusal(401, 20003)
        home = f"/2010-04-01/Accounts/{ACCOUNT}/Messages"
        if method == "POST" and path == f"{home}.json":
            if form["To"] in self.answers:
                return self.answers[form["To"]]
            taken = self.take(form)
            if form["To"] in self.fates:
                threading.Thread(target=self._live, args=(taken,), daemon=True).start()
            return (500, b"", {}) if form["To"] in self.lost else (201, taken.document(), {})
        if method == "GET" and path == f"{home}.json":
            after = datetime.fromisoformat(query["DateSent>"]) if "DateSent>" in query else None
            found = [
                taken.document()
                for taken in self.messages
                if taken.form["To"] == query.get("To", taken.form["To"]) and (after is None or taken.made >= after)
            ]
            return 200, {"messages": found, "page": 0, "page_size": 50, "uri": path, "next_page_uri": None}, {}
        if method == "GET":
            for taken in self.messages:
                if path == f"{home}/{taken.sid}.json":
                    return 200, taken.document(), {}
        return refusal(404, 20404)

    def _live(self, taken: Taken) -> None:
        for status, code in self.fates[taken.form["To"]]:
            taken.status, taken.error_code = status, code
            if (callback := taken.form.get("StatusCallback")) and taken.form["To"] not in self.silent:
                call_back(callback, status_form(taken), at=callback.replace(*self.public))


def status_form(taken: Taken) -> dict[str, str]:
    """What Twilio tells of a status."""
    return {
        "AccountSid": ACCOUNT,
        "ApiVersion": "2010-04-01",
        **({"ErrorCode": str(taken.error_code)} if taken.error_code else {}),
        "From": taken.form.get("From", ""),
        "MessageSid": taken.sid,
        "MessageStatus": taken.status,
        "SmsSid": taken.sid,
        "SmsStatus": taken.status,
        "To": taken.form["To"],
    }


def sign(url: str, form: Mapping[str, str], token: str = TOKEN) -> str:
    return str(RequestValidator(token).compute_signature(url, dict(form)))


def call_back(url: str, form: Mapping[str, str], *, at: str) -> int:
    """Post to the hook that is publicly known as `url`, as Twilio does; what it answered."""
    headers = {
        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
        "X-Twilio-Signature": sign(url, form),
    }
    with urlopen(Request(at, urlencode(form).encode(), headers), timeout=10) as answer:
        return int(answer.status)


class _Listener(ThreadingHTTPServer):
    request_queue_size = 200
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Connections break here; that is what it is for."""


class _Handler(BaseHTTPRequestHandler):
    house: TwilioServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        with self.house._lock:
            self.house._open.add(self.connection)
            self.house.connections += 1

    def finish(self) -> None:
        with self.house._lock:
            self.house._open.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Not to standard error."""

    def _answer(self, method: str) -> None:
        house = self.house
        with house._lock:
            house._at_once += 1
            house.most_at_once = max(house.most_at_once, house._at_once)
        split = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        time.sleep(house.latency)
        with house._lock:
            house.requests.append(f"{method} {self.path} {body}")
            house._at_once -= 1
        query = {name: values[0] for name, values in parse_qs(split.query).items()}
        form = dict(parse_qsl(body, keep_blank_values=True))
        status, told, headers = house.answer(method, split.path, query, form, self.headers.get("Authorization", ""))
        content = told if isinstance(told, bytes) else json.dumps(told).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def wait_until(true: Callable[[], object], seconds: float = 20.0) -> bool:
    """Whether it became true in time."""
    deadline = datetime.now(UTC) + timedelta(seconds=seconds)
    while not true():
        if datetime.now(UTC) > deadline:
            return False
        time.sleep(0.01)
    return True
