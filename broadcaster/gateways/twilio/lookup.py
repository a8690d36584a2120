"""What Twilio says about a message when it is asked."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from twilio.rest import Client

from broadcaster.gateways.contract import Question
from broadcaster.gateways.events import Receipt
from broadcaster.gateways.twilio.codes import STATES
from broadcaster.gateways.twilio.outcomes import MESSAGE_SID
from broadcaster.gateways.twilio.receipts import judged

#: how far apart our hand-over and Twilio's record of it may lie
NEAR = timedelta(minutes=10)
#: messages to one number within that time; whoever gets more than this has no certain candidate anyway
_MOST = 50


def ask(client: Client, gateway: str, question: Question) -> list[Receipt]:
    """The receipt of this message, or one for each message that may be it. Raises what the transport raises."""
    if question.message_id is not None:
        found = [client.messages(question.message_id).fetch()]
    else:
        since = question.handed_over_at.astimezone(UTC) - NEAR
        sent = client.messages.list(to=question.msisdn, date_sent_after=since, limit=_MOST, page_size=_MOST)
        found = [message for message in sent if _may_be(message, question)]
    receipts = [_receipt(gateway, message, question) for message in found]
    return [receipt for receipt in receipts if receipt is not None]


def _may_be(message: Any, question: Question) -> bool:
    made: datetime | None = message.date_created
    return (
        str(message.direction).startswith("outbound")
        and message.to == question.msisdn
        and (message.body or "").strip() == question.text.strip()
        and made is not None
        and abs(made - question.handed_over_at) <= NEAR
    )


def _receipt(gateway: str, message: Any, question: Question) -> Receipt | None:
    if message.status not in STATES or not MESSAGE_SID.fullmatch(str(message.sid)):
        return None
    state, code, permanent = judged(message.status, str(message.error_code or ""))
    told = {"sid": message.sid, "status": message.status, "error_code": message.error_code, "asked": True}
    return Receipt(
        gateway=gateway,
        message_id=message.sid,
        state=state,
        code=code,
        permanent=permanent,
        msisdn=question.msisdn,
        client_reference=question.client_reference,
        done_at=message.date_updated,
        raw=json.dumps(told),
    )
