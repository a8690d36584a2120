"""Looking at a carrier's address from outside, before anybody signs on: is it there, and what answers?"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from broadcaster.gateways.contract import Gateway, GatewayConfig, Question
from broadcaster.gateways.errors import LinkDown, Misconfigured
from broadcaster.language import Phrase, listed, msgid, tr

#: seconds
PATIENCE = 5.0
#: X509_V_ERR_HOSTNAME_MISMATCH and the two after it
_OTHER_NAME = frozenset({62, 63, 64})
#: not yet valid, expired
_OUT_OF_TIME = frozenset({9, 10})
#: no issuer's certificate, self-signed alone or in the chain, first certificate unproved
_UNKNOWN_AUTHORITY = frozenset({2, 18, 19, 20, 21})
#: of a range that is given to nobody
_NOBODY = "+8619900000000"


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
    numbers = listed(dict.fromkeys(str(each[4][0]) for each in found))
    if numbers == address.host:
        yield "resolve", tr("{host} needs no looking up", host=address.host), 0.0
    else:
        yield "resolve", tr("{host} is {numbers}", host=address.host, numbers=numbers), time.monotonic() - began

    began = time.monotonic()
    with _connected(address) as link:
        yield "connect", tr("port {port} answers", port=address.port), time.monotonic() - began
        if address.tls:
            began = time.monotonic()
            yield "tls", _greeted(address, link), time.monotonic() - began


def knock(gateway: Gateway, *, now: datetime) -> bool:
    """Ask a carrier that can be asked, about a message that never was: then it has to know this account.

    False where it cannot be asked. The gateway is open. Raises `LinkDown`, `Misconfigured`.
    """
    if not gateway.capabilities.looks_up:
        return False
    gateway.look_up([Question("", _NOBODY, "", now, None)])
    return True


@contextlib.contextmanager
def _connected(address: Address) -> Iterator[socket.socket]:
    try:
        link = socket.create_connection((address.host, address.port), PATIENCE)
    except OSError as error:
        raise _nobody(address, error) from error
    with link:
        yield link


def _nobody(address: Address, error: OSError) -> LinkDown:
    told = {"host": address.host, "port": address.port}
    if isinstance(error, ConnectionRefusedError):
        return LinkDown(
            "Nobody listens at {host}, port {port}.",
            hint="Compare address and port with the carrier's sheet; if they are right, the carrier is down.",
            **told,
        )
    if isinstance(error, TimeoutError):
        return LinkDown(
            "Nobody answers at {host}, port {port}.",
            hint="Compare address and port; many carriers let in only addresses that they have been told.",
            **told,
        )
    return LinkDown(
        "There is no way to {host}, port {port}: {detail}.",
        hint="Look at this machine's network.",
        **told,
        detail=error.strerror or type(error).__name__,
    )


def _greeted(address: Address, link: socket.socket) -> str:
    context = _trust(address.tls_ca)
    try:
        with context.wrap_socket(link, server_hostname=address.tls_name or address.host) as secured:
            return tr("{version}, the certificate is good", version=secured.version())
    except ssl.SSLCertVerificationError as error:
        raise _not_believed(address, error) from error
    except TimeoutError as error:
        raise LinkDown(
            "Port {port} of {host} takes the connection and says nothing to TLS.",
            hint="Most likely it is a port without TLS: leave out tls, or ask the carrier for the port with TLS.",
            host=address.host,
            port=address.port,
        ) from error
    except OSError as error:
        raise LinkDown(
            "Port {port} of {host} does not speak TLS.",
            hint="Leave out tls, or ask the carrier for the port with TLS.",
            host=address.host,
            port=address.port,
        ) from error


def _trust(ca: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca)
    except OSError as error:
        raise Misconfigured(
            "{path} holds no certificates that can be read: {detail}.",
            hint="tls_ca names a file with the certificate of the carrier's authority, in PEM.",
            path=str(ca),
            detail=not_read(error),
        ) from error


def not_read(error: OSError) -> str:
    """Why a file of certificates cannot be read, for a field of an error."""
    if isinstance(error, ssl.SSLError):
        # what OpenSSL says names its own source lines
        return Phrase(msgid("it is not in PEM"))
    return error.strerror or type(error).__name__


def _not_believed(address: Address, error: ssl.SSLCertVerificationError) -> LinkDown:
    told = {"host": address.tls_name or address.host, "port": address.port}
    if error.verify_code in _OTHER_NAME:
        return LinkDown(
            "The certificate at port {port} is not for {host}.",
            hint="Set tls_name to the name that the certificate bears, or host, if it is the same machine.",
            **told,
        )
    if error.verify_code in _OUT_OF_TIME:
        return LinkDown(
            "The certificate at port {port} of {host} is not valid today.",
            hint="Look at this machine's clock; if it is right, the carrier has to renew its certificate.",
            **told,
        )
    if error.verify_code in _UNKNOWN_AUTHORITY:
        return LinkDown(
            "The certificate at port {port} of {host} is signed by nobody that this machine trusts.",
            hint="Ask the carrier for the certificate of its authority, and name the file as tls_ca.",
            **told,
        )
    return LinkDown(
        "The certificate of {host} is not good: {detail}.",
        hint="Ask the carrier for the certificate of its authority, and name the file as tls_ca.",
        detail=error.verify_message.rstrip("."),
        **told,
    )
