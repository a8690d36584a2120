"""What Twilio tells our hook: the proof that it is Twilio, and what it says.

The signature covers the public address and the form, as names and values in a row without anything between them. So a
signed form could be cut anew into other names and values that read the same in a row; whatever could have been made so
is refused. Nothing signed says when it was signed: a request told again is harmless because ids and states are kept
once.
"""

from __future__ import annotations

import hmac
import re
from datetime import UTC, datetime, tzinfo
from urllib.parse import parse_qsl, urlsplit

from twilio.request_validator import RequestValidator

from broadcaster.gateways.errors import ForgedRequest
from broadcaster.gateways.events import Event, InboundMessage, InboundRequest, Receipt
from broadcaster.gateways.twilio.codes import STATES
from broadcaster.gateways.twilio.config import TwilioConfig
from broadcaster.gateways.twilio.outcomes import MESSAGE_SID
from broadcaster.gateways.twilio.receipts import judged

_FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 100
#: Twilio's names begin with a capital letter and are words; the longest is half of this
_NAME = re.compile(r"[A-Z][A-Za-z0-9]{0,39}")
#: what a genuine value never contains, and one that has swallowed its neighbours does. A member's text may
_SWALLOWED = re.compile(
    r"AccountSidAC|(?:Sms)?MessageSid(?:SM|MM)|SmsSid(?:SM|MM)|(?:From|To)\+?[0-9]{3}|MessageStatus[a-z]"
)
#: a telephone's or a service's
_NUMBER = re.compile(r"\+?[0-9]{3,15}")
_REFERENCE = re.compile(r"p[0-9]{1,18}")
_DONE = "%y%m%d%H%M"
_TAKEN_AS = {"STOP": "opt_out", "START": "come_back"}


def verify(gateway: str, request: InboundRequest, config: TwilioConfig, *, reachable: bool) -> None:
    """Raise `ForgedRequest` unless Twilio signed exactly this for this account, and it can be read one way only."""

    def forged(why: str) -> ForgedRequest:
        return ForgedRequest(
            "A request to gateway {name} is not proved: {why}.",
            hint="If Twilio itself called, compare account_sid, auth_token and [web] public_url with its console. If "
            "it did not, there is nothing to do: nothing of the request was read.",
            name=gateway,
            why=why,
        )

    token = config.auth_token.get_secret_value()
    if not reachable:
        raise forged("[web] public_url is not set")
    if not token:
        raise forged("auth_token is not set, and it is what signs")
    if request.method != "POST" or request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise forged("it is no posted form")
    try:
        fields = _fields(request)
    except ValueError as error:
        raise forged(str(error)) from None
    signature = request.headers.get("x-twilio-signature", "").encode()
    validator = RequestValidator(token)
    # every address is compared, so that the time tells nothing
    proofs = [validator.compute_signature(url, fields).encode() for url in addresses(request.url)]
    proved = [hmac.compare_digest(proof, signature) for proof in proofs]
    if not any(proved):
        raise forged("the signature is another")
    if fields.get("AccountSid") != config.account_sid:
        raise forged("it is another account's")
    sids = {fields[name] for name in ("MessageSid", "SmsMessageSid", "SmsSid") if name in fields}
    states = {fields[name] for name in ("MessageStatus", "SmsStatus") if name in fields}
    if len(sids) > 1 or len(states) > 1:
        raise forged("it contradicts itself")
    if any(_SWALLOWED.search(value) for name, value in fields.items() if name != "Body"):
        raise forged("its values run into one another")


def addresses(url: str) -> tuple[str, ...]:
    """The address as configured, and with and without its port: Twilio signs one or another."""
    parts = urlsplit(url)
    bare = parts.netloc.rpartition(":")[0] if parts.port else parts.netloc
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return tuple(dict.fromkeys([url, *(parts._replace(netloc=host).geturl() for host in (bare, f"{bare}:{port}"))]))


def parse(gateway: str, request: InboundRequest, zone: tzinfo) -> list[Event]:
    """The event in a verified request; none for a status that we do not know. Raises `ValueError`."""
    fields = _fields(request)
    sid = fields.get("MessageSid", "")
    if not MESSAGE_SID.fullmatch(sid):
        raise ValueError("no id of a message")
    if not _NUMBER.fullmatch(fields["To"]):
        raise ValueError("nobody whom it was for")
    if "MessageStatus" in fields:
        return _receipts(gateway, sid, fields, request, zone)
    text, sender, to = fields["Body"], fields["From"], fields["To"]
    if not _NUMBER.fullmatch(sender):
        raise ValueError("no sender")
    return [
        InboundMessage(
            gateway=gateway,
            message_id=sid,
            msisdn=sender,
            destination=to,
            text=text,
            raw=request.body.decode(),
            taken_as=_TAKEN_AS.get(fields.get("OptOutType", ""), ""),  # type: ignore[arg-type]
        )
    ]


def _receipts(gateway: str, sid: str, fields: dict[str, str], request: InboundRequest, zone: tzinfo) -> list[Event]:
    status = fields["MessageStatus"]
    if status not in STATES:
        return []
    state, code, permanent = judged(status, fields.get("ErrorCode", ""))
    reference = dict(parse_qsl(urlsplit(request.url).query)).get("part", "")
    return [
        Receipt(
            gateway=gateway,
            message_id=sid,
            state=state,
            code=code,
            permanent=permanent,
            msisdn=fields["To"],
            client_reference=reference if _REFERENCE.fullmatch(reference) else None,
            done_at=_done_at(fields.get("RawDlrDoneDate", ""), zone),
            raw=request.body.decode(),
        )
    ]


def _fields(request: InboundRequest) -> dict[str, str]:
    """The form. Raises `ValueError`, in words that name no value."""
    try:
        told = parse_qsl(
            request.body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:
        raise ValueError("its form cannot be read") from None
    fields = dict(told)
    if len(fields) != len(told):
        raise ValueError("a field stands in it twice")
    if not all(_NAME.fullmatch(name) for name in fields):
        raise ValueError("a field has a name that Twilio does not give")
    return fields


def _done_at(told: str, zone: tzinfo) -> datetime | None:
    # YYMMDDhhmm, without a zone
    if not re.fullmatch("[0-9]{10}", told):
        return None
    try:
        return datetime.strptime(told, _DONE).replace(tzinfo=zone).astimezone(UTC)
    except ValueError:
        return None
