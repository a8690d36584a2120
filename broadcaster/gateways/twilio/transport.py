"""The way to Twilio under the official client: pooled connections, and errors that say how far a request got.

The client's own transport logs the numbers it asks about, and its errors do not tell a connection that was never made
from one that was lost with the request in it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from twilio.http import HttpClient
from twilio.http.response import Response
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool, PoolManager, Timeout, make_headers
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

#: bytes of an answer that are read; a page of messages is much less
LONGEST = 4 * 1024 * 1024

# its lines hold addresses, and those of a look-up hold telephone numbers
logging.getLogger("urllib3.connectionpool").setLevel(logging.WARNING)


class NotSent(Exception):
    """The request has certainly not reached Twilio."""


class NotAnswered(Exception):
    """The request may have reached Twilio, and its answer is lost, or none that makes sense."""


class SaidNo(Exception):
    """Twilio's answer is an error. The client would turn it into one of its own, without the headers."""

    def __init__(self, answer: Response) -> None:
        super().__init__(f"status {answer.status_code}")
        self.answer = answer


class _TlsConnection(HTTPSConnection):
    """Tells trouble before the first byte of a request, TLS included, from trouble after it."""

    def connect(self) -> None:
        try:
            super().connect()
        except OSError as error:
            raise NewConnectionError(self, f"TLS failed: {_told(error)}") from error


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class Transport(HttpClient):  # type: ignore[misc]
    """Sends the official client's requests, at most `at_once` at a time; safe for threads. It repeats nothing."""

    def __init__(self, *, at_once: int, connect_timeout: float, answer_timeout: float) -> None:
        super().__init__(logging.getLogger(__name__), False)
        self._pool = PoolManager(
            maxsize=at_once, block=True, retries=False, timeout=Timeout(connect=connect_timeout, read=answer_timeout)
        )
        self._pool.pool_classes_by_scheme = {"http": HTTPConnectionPool, "https": _TlsPool}

    def request(
        self,
        method: str,
        url: str,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """One request, one answer. Raises `NotSent`, `NotAnswered`, `SaidNo`; none names a number, a text, a secret."""
        asked = f"{url}?{urlencode(params, doseq=True)}" if params else url
        body = urlencode(data, doseq=True).encode("ascii") if data else None
        signed = {**(headers or {}), **(make_headers(basic_auth=":".join(auth)) if auth else {})}
        try:
            answer = self._pool.request(
                method.upper(), asked, body=body, headers=signed, redirect=False, preload_content=False
            )
            said = _read(answer)
        except (NewConnectionError, ConnectTimeoutError) as error:
            raise NotSent(_told(error)) from None
        except (HTTPError, OSError, ValueError) as error:
            raise NotAnswered(_told(error)) from None
        if said.status_code >= 400:
            raise SaidNo(said)
        return said

    def close(self) -> None:
        """Hang up."""
        self._pool.clear()


def _read(answer: BaseHTTPResponse) -> Response:
    try:
        text = answer.read(LONGEST + 1)
        if len(text) > LONGEST or answer.read(1):
            raise ValueError("too long")
        return Response(answer.status, text.decode("utf-8"), dict(answer.headers))
    except Exception:
        # what is left in it must not be taken for the next answer
        answer.close()
        raise
    finally:
        answer.release_conn()


def _told(error: Any) -> str:
    """What happened, in words that hold no address: those of urllib3 repeat it."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__
