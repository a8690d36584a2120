"""aiosmpplib as a client: sends what it is told to, tells what it hears, in JSON lines. An environment of its own.

python client_aio.py PORT

In:  {log_id, destination, text, cut}: a text to be sent; a long one is cut, or goes as message_payload. (The library
     can also join by SAR parameters, but not in this version: it fails before it sends anything.)
Out: {event: answer | receipt | message | failed, ...}.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from typing import Any

from aiosmpplib import (
    ESME,
    AbstractHook,
    DeliverSm,
    PhoneNumber,
    SmppMessage,
    SubmitSm,
    SubmitSmResp,
)


class Teller(AbstractHook):
    """Tells what arrives."""

    async def sending(self, smpp_message: SmppMessage, pdu: bytes, client_id: str) -> None:
        pass

    async def received(self, smpp_message: SmppMessage | None, pdu: bytes, client_id: str) -> None:
        if isinstance(smpp_message, DeliverSm):
            tell(**_delivered(smpp_message))
        elif isinstance(smpp_message, SubmitSmResp):
            tell(event="answer", log_id=smpp_message.log_id, status=int(smpp_message.command_status))

    async def send_error(self, smpp_message: SmppMessage, error: Exception, client_id: str) -> None:
        tell(event="failed", reason=repr(error))


def _delivered(message: DeliverSm) -> dict[str, Any]:
    if not message.is_receipt():
        text = message.short_message or message.message_payload
        return {"event": "message", "source": message.source.number, "text": text}
    told = message.parse_receipt()
    tlvs = {parameter.tag: parameter.value for parameter in message.optional_params or []}
    return {
        "event": "receipt",
        # known only if the id in the receipt is one that an answer brought
        "log_id": message.log_id,
        "id": told.get("id"),
        "stat": told.get("stat"),
        "done": str(told.get("done date")),
        "state": tlvs.get(0x0427),
    }


def tell(**event: Any) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


async def main(port: int) -> None:
    """Be a client until stdin ends."""
    quiet = logging.NullHandler()
    client = ESME("127.0.0.1", port, "desk", "secret", hook=Teller(), log_handler=quiet)
    running = asyncio.create_task(client.start())
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        told = json.loads(line)
        message = SubmitSm(
            short_message=told["text"],
            source=PhoneNumber("10690000"),
            destination=PhoneNumber(told["destination"]),
            esm_class=0x40 if told["cut"] else 0,
            auto_message_payload=not told["cut"],
            registered_delivery=1,
            log_id=told["log_id"],
        )
        await client.broker.enqueue(message)
    await client.stop()
    await running


asyncio.run(main(int(sys.argv[1])))
