"""The road to the carrier: name, connection, TLS; and for each way in which it ends early, what to do about it."""

from __future__ import annotations

import socket
import ssl

from broadcaster.gateways.errors import GatewayError, LinkDown, Misconfigured
from broadcaster.gateways.probing import not_read
from broadcaster.gateways.smpp.config import SmppConfig
from broadcaster.gateways.smpp.reasons import status, status_code
from broadcaster.language import Phrase

_NOT_TLS = ("WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE")


def trust(gateway: str, config: SmppConfig) -> ssl.SSLContext | None:
    """Whom to believe, if TLS is asked for. Raises `Misconfigured` when `tls_ca` cannot be read."""
    if not config.tls:
        return None
    try:
        return ssl.create_default_context(cafile=config.tls_ca)
    except OSError as error:
        raise Misconfigured(
            "Gateway {name}: {path} holds no certificates: {detail}.",
            hint="tls_ca names a file with the certificate of the carrier's authority, in PEM.",
            name=gateway,
            path=str(config.tls_ca),
            detail=not_read(error),
        ) from None


def connect(gateway: str, config: SmppConfig, context: ssl.SSLContext | None) -> socket.socket:
    """A connection that stands, TLS and all, not blocking. Raises `LinkDown` or `Misconfigured` in words."""
    try:
        connection = socket.create_connection((config.host, config.port), config.connect_timeout)
    except OSError as error:
        raise _no_connection(gateway, config, error) from error
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is not None:
            connection = context.wrap_socket(connection, server_hostname=config.tls_name or config.host)
        connection.setblocking(False)
    except (OSError, ValueError) as error:
        connection.close()
        raise _no_tls(gateway, config, error) from error
    return connection


def _no_connection(gateway: str, config: SmppConfig, error: OSError) -> LinkDown:
    told = {"name": gateway, "host": config.host, "port": config.port}
    if isinstance(error, socket.gaierror):
        return LinkDown(
            "Gateway {name}: there is no host {host}, or no name server to ask.",
            hint="Compare `host` with what the carrier gave.",
            **told,
        )
    if isinstance(error, TimeoutError):
        return LinkDown(
            "Gateway {name}: {host}:{port} does not answer at all.",
            hint="A firewall is in between, or the carrier does not let this machine's address in: ask the carrier.",
            **told,
        )
    if isinstance(error, ConnectionRefusedError):
        return LinkDown(
            "Gateway {name}: nobody listens at {host}:{port}.",
            hint="Compare `host` and `port` with what the carrier gave; if they are right, the carrier is down.",
            **told,
        )
    return LinkDown(
        "Gateway {name}: there is no way to {host}:{port}: {detail}.",
        hint="Look at this machine's network.",
        **told,
        detail=error.strerror or type(error).__name__,
    )


def _no_tls(gateway: str, config: SmppConfig, error: OSError | ValueError) -> GatewayError:
    told = {"name": gateway, "host": config.tls_name or config.host, "port": config.port}
    if isinstance(error, ssl.SSLCertVerificationError):
        # 62 to 64: host name, mail address, IP address do not match (X509_V_ERR_HOSTNAME_MISMATCH and after)
        if error.verify_code in (62, 63, 64):
            return Misconfigured(
                "Gateway {name}: the certificate at port {port} is not for {host}.",
                hint="Write the name that the carrier's certificate bears as `host`, or as `tls_name`.",
                **told,
            )
        return Misconfigured(
            "Gateway {name}: the certificate of {host}:{port} is not trusted: {detail}.",
            hint="Ask the carrier for the certificate of its authority, and name the file as `tls_ca`.",
            **told,
            detail=error.verify_message,
        )
    if isinstance(error, ssl.SSLError) and error.reason in _NOT_TLS:
        return Misconfigured(
            "Gateway {name}: {host}:{port} does not speak TLS.",
            hint="Ask the carrier for its TLS port, or leave `tls` out if it has none.",
            **told,
        )
    if isinstance(error, TimeoutError):
        return LinkDown(
            "Gateway {name}: {host}:{port} takes the connection and says nothing to TLS.",
            hint="Most likely the port is one without TLS: ask the carrier for its TLS port.",
            **told,
        )
    return LinkDown(
        "Gateway {name}: {host}:{port} broke off while TLS was being agreed on: {detail}.",
        hint="Ask the carrier whether this port has TLS, and which versions.",
        **told,
        detail=getattr(error, "reason", None) or type(error).__name__,
    )


def silent(gateway: str, config: SmppConfig) -> LinkDown:
    """The connection stands, and nobody answers the bind."""
    return LinkDown(
        "Gateway {name}: {host}:{port} takes the connection and says nothing.",
        hint="Most likely it is no SMPP port (web servers wait like this, too), or one that speaks TLS (`tls = true`), "
        "or the carrier hangs: ask it.",
        name=gateway,
        host=config.host,
        port=config.port,
    )


def hung_up(gateway: str, config: SmppConfig) -> LinkDown:
    """The connection was closed instead of an answer to the bind."""
    return LinkDown(
        "Gateway {name}: {host}:{port} hung up instead of answering the bind.",
        hint="Carriers do so to addresses that they do not know, and ports with TLS do (`tls = true`): ask it.",
        name=gateway,
        host=config.host,
        port=config.port,
    )


def refused(gateway: str, config: SmppConfig, number: int) -> GatewayError:
    """The carrier answered the bind with a no."""
    told = {"name": gateway, "code": status_code(number), "system_id": config.system_id}
    if number == 0x0E:
        return Misconfigured(
            "Gateway {name}: the carrier says that the password is wrong ({code}).",
            hint="Compare `password` with what the carrier gave; too many tries may lock the account.",
            **told,
        )
    if number == 0x0F:
        return Misconfigured(
            "Gateway {name}: the carrier does not know system_id {system_id} ({code}).",
            hint="Compare `system_id` with what the carrier gave, capitals too.",
            **told,
        )
    if number == 0x53:
        return Misconfigured(
            "Gateway {name}: the carrier does not take system_type {system_type} ({code}).",
            hint="Write `system_type` as the carrier gave it; often it is empty.",
            system_type=repr(config.system_type),
            **told,
        )
    if number == 0x05:
        return LinkDown(
            "Gateway {name}: this account is signed on already, or as often as it may ({code}).",
            hint="End what else is signed on with this account, or lower `binds`; a lost link may hold on for a while.",
            **told,
        )
    if number in (0x02, 0x03, 0x04):
        return Misconfigured(
            "Gateway {name}: the carrier does not know this kind of bind in version {version} ({code}).",
            hint='Try `mode = "two_links"`, or the `interface_version` that the carrier gave.',
            version=config.interface_version,
            **told,
        )
    if number in (0x0D, 0x65, 0x66):
        return Misconfigured(
            "Gateway {name}: the carrier refuses the bind and does not say why ({code}).",
            hint="Compare system_id, password, system_type, interface_version and mode with what the carrier gave, "
            "and ask whether it knows this machine's address.",
            **told,
        )
    return LinkDown(
        "Gateway {name}: the carrier refuses the bind: {reason} ({code}).",
        hint="If it stays so, ask the carrier what the code means.",
        reason=Phrase(status(number).reason.words),
        **told,
    )
