"""Looking at a carrier's address from outside, before anybody signs on: is it there, and what answers?"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broadcaster.gateways.contract import GatewayConfig
from broadcaster.gateways.errors import LinkDown
from broadcaster.language import tr

#: seconds
PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where a carrier is, as it is configured."""

    host: str
    port: int
    tls: bool = False
    tls_name: str = ""
    tls_ca: Path | None = None


def address_of(config: GatewayConfig) -> Address | None:
    """The address in a gateway's configuration; None where it has none of this form."""
    given: Any = config
    host, port = getattr(given, "host", ""), getattr(given, "port", 0)
    if not host or not port:
        return None
    ca = getattr(given, "tls_ca", None)
    return Address(host, port, bool(getattr(given, "tls", False)), getattr(given, "tls_name", ""), ca)


def probe(address: Address) -> Iterator[tuple[str, str, float]]:
    """Look step by step: a name for each step, what was found, and the seconds it took.

    Nothing is said to the carrier but TLS's own greeting. Raises `LinkDown` at the step that fails.
    """
    began = time.monotonic()
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise LinkDown(
            "There is no host {host}.",
            hint="Compare the name with the carrier's sheet, and ask whether this machine can look names up.",
            host=address.host,
        ) from error
    numbers = ", ".join(dict.fromkeys(str(each[4][0]) for each in found))
    yield "resolve", tr("{host} is {numbers}", host=address.host, numbers=numbers), time.monotonic() - began

    began = time.monotonic()
    with _connected(address) as link:
        yield "connect", tr("port {port} answers", port=address.port), time.monotonic() - began
        if address.tls:
            began = time.monotonic()
            yield "tls", _greeted(address, link), time.monotonic() - began


@contextlib.contextmanager
def _connected(address: Address) -> Iterator[socket.socket]:
    try:
        link = socket.create_connection((address.host, address.port), PATIENCE)
    except OSError as error:
        raise LinkDown(
            "Nobody answers at {host}, port {port}: {detail}.",
            hint="Compare address and port; many carriers let in only addresses that they have been told.",
            host=address.host,
            port=address.port,
            detail=error.strerror or str(error),
        ) from error
    with link:
        yield link


def _greeted(address: Address, link: socket.socket) -> str:
    try:
        context = ssl.create_default_context(cafile=address.tls_ca)
        with context.wrap_socket(link, server_hostname=address.tls_name or address.host) as secured:
            return tr("{version}, the certificate is good", version=secured.version())
    except ssl.SSLCertVerificationError as error:
        raise LinkDown(
            "The certificate of {host} is not good: {detail}.",
            hint="Set tls_name to the name in it, or tls_ca to the authority that signed it.",
            host=address.host,
            detail=error.verify_message,
        ) from error
    except OSError as error:
        raise LinkDown(
            "Port {port} of {host} does not speak TLS.",
            hint="Leave out tls, or ask the carrier for the port with TLS.",
            host=address.host,
            port=address.port,
        ) from error
