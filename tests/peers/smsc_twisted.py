"""An SMSC on the server of smpp.twisted3: speaks to the tests as `smsc.js` does. Runs in an environment of its own.

python smsc_twisted.py ID_FORM
"""

from __future__ import annotations

import json
import logging
import sys
from io import BytesIO
from typing import Any

from smpp.pdu.operations import DeliverSM
from smpp.pdu.pdu_encoding import (
    CommandStatusEncoder,
    DataCodingEncoder,
    EsmClassEncoder,
    IEncoder,
    MessageStateEncoder,
    RegisteredDeliveryEncoder,
)
from smpp.pdu.pdu_types import AddrNpi, AddrTon, CommandStatus, PDURequest
from smpp.pdu.sm_encoding import SMStringEncoder
from smpp.twisted.config import SMPPServerConfig
from smpp.twisted.protocol import DataHandlerResponse, SMPPServerProtocol
from smpp.twisted.server import IAuthenticatedSMPP, SMPPServerFactory
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.portal import Portal
from twisted.internet import reactor
from twisted.internet.stdio import StandardIO
from twisted.protocols.basic import LineReceiver

ID_FORM = sys.argv[1]
WRITES: dict[str, Any] = {"hex": "{:X}", "decimal": "{:d}"}
SYSTEM = "desk"


class Smsc(SMPPServerFactory):
    """Everybody who binds as SYSTEM; remembers the ids it gave."""

    last = 1_000_000_000

    def submitted(self, system_id: str, session: SMPPServerProtocol, pdu: PDURequest) -> DataHandlerResponse:
        """Answer a submit_sm with an id, and tell of it."""
        Smsc.last += 1
        message_id = WRITES[ID_FORM].format(Smsc.last)
        said = pdu.params
        read = SMStringEncoder().decodeSM(pdu)
        concatenation = SMStringEncoder().getConcatenatedSMInfoElement(pdu)
        sar = [said[name] for name in ("sar_msg_ref_num", "sar_total_segments", "sar_segment_seqnum") if name in said]
        payload = said.get("message_payload")
        tell(
            event="submit",
            id=message_id,
            source=said["source_addr"].decode(),
            destination=said["destination_addr"].decode(),
            esm_class=EsmClassEncoder().encode(said["esm_class"])[0],
            data_coding=DataCodingEncoder().encode(said["data_coding"])[0],
            registered_delivery=RegisteredDeliveryEncoder().encode(said["registered_delivery"])[0],
            joined_by="sar" if sar else concatenation and concatenation.identifier.name.split("_")[2],
            part=sar or (concatenation and list(concatenation.data)),
            text=payload.decode("utf-16-be") if payload else read.unicode,
        )
        return DataHandlerResponse(status=CommandStatus.ESME_ROK, message_id=message_id)

    def deliver(self, told: dict[str, Any]) -> None:
        """Send a deliver_sm to whoever listens."""
        tlvs = dict(told["tlvs"])
        if "message_state" in tlvs:
            tlvs["message_state"] = _read(MessageStateEncoder(), tlvs["message_state"])
        pdu = DeliverSM(
            service_type="",
            source_addr_ton=AddrTon.INTERNATIONAL,
            source_addr_npi=AddrNpi.ISDN,
            source_addr=told["source"],
            dest_addr_ton=AddrTon.UNKNOWN,
            dest_addr_npi=AddrNpi.UNKNOWN,
            destination_addr=told["destination"],
            esm_class=_read(EsmClassEncoder(), told["esm_class"]),
            data_coding=_read(DataCodingEncoder(), told["data_coding"]),
            short_message=bytes.fromhex(told["hex"]),
            **tlvs,
        )
        session = self.getBoundConnections(SYSTEM).getNextBindingForDelivery()
        answer = session.sendDataRequest(pdu)
        answer.addCallback(
            lambda result: tell(event="answered", tag=told["tag"], status=_number(result.response.status))
        )
        answer.addErrback(lambda failure: tell(event="error", message=failure.getErrorMessage()))


class Session(SMPPServerProtocol):
    """A connection that tells of its binds."""

    def PDUReceived(self, pdu: PDURequest) -> None:  # noqa: N802, the library's name
        name = pdu.id.name
        if name in ("unbind", "enquire_link"):
            tell(event=name)
        super().PDUReceived(pdu)
        if name.startswith("bind_"):
            tell(event="bind", mode=name[5:], system_id=pdu.params["system_id"].decode(), refused=not self.isBound())

    def connectionLost(self, reason: Any) -> None:  # noqa: N802
        super().connectionLost(reason)
        tell(event="close")


class Orders(LineReceiver):
    """What the test wants sent, a JSON line each; the end of it ends us."""

    delimiter = b"\n"

    def __init__(self, smsc: Smsc) -> None:
        self.smsc = smsc

    def lineReceived(self, line: bytes) -> None:  # noqa: N802
        self.smsc.deliver(json.loads(line))

    def connectionLost(self, reason: Any = None) -> None:  # noqa: N802
        if reactor.running:
            reactor.stop()


class Realm:
    """Everybody who knows the password is let in."""

    def requestAvatar(self, avatar_id: bytes, mind: object, *interfaces: object) -> tuple[object, bytes, Any]:  # noqa: N802
        return IAuthenticatedSMPP, avatar_id, lambda: None


class Passwords(InMemoryUsernamePasswordDatabaseDontUse):
    """Names and passwords as text, which is how this library hands them over."""

    def requestAvatarId(self, credentials: Any) -> Any:  # noqa: N802
        credentials.username, credentials.password = credentials.username.encode(), credentials.password.encode()
        return super().requestAvatarId(credentials)


def tell(**event: Any) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def _read(encoder: IEncoder, octet: int) -> Any:
    return encoder.decode(BytesIO(bytes([octet])))


def _number(status: CommandStatus) -> int:
    return int.from_bytes(CommandStatusEncoder().encode(status), "big")


logging.basicConfig(stream=sys.stderr, level=logging.ERROR)
config = SMPPServerConfig(msgHandler=lambda *a: factory.submitted(*a), systems={SYSTEM: {"max_bindings": 4}})
passwords = Passwords()
passwords.addUser(SYSTEM.encode(), b"secret")
portal = Portal(Realm())
portal.registerChecker(passwords)
factory = Smsc(config, auth_portal=portal)
factory.protocol = Session
port = reactor.listenTCP(0, factory, interface="127.0.0.1")
StandardIO(Orders(factory))
tell(event="listening", port=port.getHost().port)
reactor.run()
