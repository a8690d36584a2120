"""Only what Twilio signed, for this account, and only where it can be read one way."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.gateways.errors import ForgedRequest
from broadcaster.gateways.events import InboundMessage, InboundRequest, Receipt, ReceiptState
from broadcaster.gateways.twilio import TwilioGateway
from broadcaster.gateways.twilio.callbacks import addresses
from tests.gateways.twilio.conftest import PUBLIC
from tests.gateways.twilio.server import ACCOUNT, sign

Make = Callable[..., TwilioGateway]

HOOK = f"{PUBLIC}/hooks/twilio"
SID = "SM" + "0a" * 16
FORM = "application/x-www-form-urlencoded; charset=UTF-8"

LETTER = {
    "AccountSid": ACCOUNT,
    "ApiVersion": "2010-04-01",
    "Body": "收到，谢谢 𠮷 👩‍👩‍👧‍👦",
    "From": "+8619900000001",
    "FromCity": "",
    "FromCountry": "CN",
    "MessageSid": SID,
    "NumMedia": "0",
    "NumSegments": "1",
    "SmsMessageSid": SID,
    "SmsSid": SID,
    "SmsStatus": "received",
    "To": "+8619900000099",
    "ToCountry": "CN",
}
STATUS = {
    "AccountSid": ACCOUNT,
    "ApiVersion": "2010-04-01",
    "From": "+8619900000099",
    "MessageSid": SID,
    "MessageStatus": "delivered",
    "RawDlrDoneDate": "2611221005",
    "SmsSid": SID,
    "SmsStatus": "delivered",
    "To": "+8619900000001",
}


def request(
    form: Mapping[str, str] | bytes,
    *,
    url: str = HOOK,
    signature: str | None = None,
    method: str = "POST",
    kind: str = FORM,
) -> InboundRequest:
    body = form if isinstance(form, bytes) else urlencode(form).encode()
    signed = signature if signature is not None else sign(url, form) if not isinstance(form, bytes) else ""
    return InboundRequest(method, url, {"content-type": kind, "x-twilio-signature": signed}, body)


@pytest.fixture
def gateway(make_gateway: Make) -> TwilioGateway:
    return make_gateway()


def test_a_letter(gateway: TwilioGateway) -> None:
    genuine = request(LETTER)
    gateway.verify(genuine)
    assert gateway.parse(genuine) == [
        InboundMessage("twilio", SID, "+8619900000001", "+8619900000099", LETTER["Body"], raw=urlencode(LETTER))
    ]
    assert gateway.answer([]).body == b"<Response/>"


@pytest.mark.parametrize(("kind", "taken_as"), [("STOP", "opt_out"), ("START", "come_back"), ("HELP", ""), ("X", "")])
def test_a_wish_that_twilio_has_taken_itself(gateway: TwilioGateway, kind: str, taken_as: str) -> None:
    genuine = request({**LETTER, "OptOutType": kind})
    gateway.verify(genuine)
    (letter,) = gateway.parse(genuine)
    assert isinstance(letter, InboundMessage)
    assert letter.taken_as == taken_as


def test_a_receipt(gateway: TwilioGateway) -> None:
    genuine = request(STATUS, url=f"{HOOK}?part=p7")
    gateway.verify(genuine)
    (receipt,) = gateway.parse(genuine)
    assert isinstance(receipt, Receipt)
    assert (receipt.message_id, receipt.state, receipt.code) == (SID, ReceiptState.DELIVERED, "delivered")
    assert (receipt.client_reference, receipt.msisdn) == ("p7", "+8619900000001")
    assert receipt.done_at == datetime(2026, 11, 22, 2, 5, tzinfo=UTC), "Twilio's times have no zone: the paper's"


@pytest.mark.parametrize("done", ["", "2613450000", "26112210051", "now"])
def test_a_time_that_is_none(gateway: TwilioGateway, done: str) -> None:
    (receipt,) = gateway.parse(request({**STATUS, "RawDlrDoneDate": done}))
    assert isinstance(receipt, Receipt)
    assert receipt.done_at is None


def test_a_status_of_the_future_is_passed_over(gateway: TwilioGateway) -> None:
    genuine = request({**STATUS, "MessageStatus": "pondered", "SmsStatus": "pondered"})
    gateway.verify(genuine)
    assert gateway.parse(genuine) == []


@pytest.mark.parametrize(
    "signed", [HOOK, "https://paper.example:443/hooks/twilio", "https://paper.example:8443/hooks/twilio"]
)
def test_with_and_without_a_port(make_gateway: Make, signed: str) -> None:
    public = "https://paper.example:8443" if "8443" in signed else PUBLIC
    gateway = make_gateway(public)
    gateway.verify(request(LETTER, url=f"{public}/hooks/twilio", signature=sign(signed, LETTER)))
    with pytest.raises(ForgedRequest):
        gateway.verify(
            request(LETTER, url=f"{public}/hooks/twilio", signature=sign("https://evil.example/hooks/twilio", LETTER))
        )


def test_the_addresses_of_a_hook() -> None:
    assert addresses("http://[::1]:8080/a?b=c") == ("http://[::1]:8080/a?b=c", "http://[::1]/a?b=c")
    assert addresses("http://x/a") == ("http://x/a", "http://x:80/a")


def test_a_name_that_we_do_not_know_does_no_harm(gateway: TwilioGateway) -> None:
    gateway.verify(request({**LETTER, "ChannelMetadata": '{"type": "sms"}'}))


def twice(form: Mapping[str, str], name: str, value: str) -> bytes:
    return f"{urlencode(form)}&{urlencode({name: value})}".encode()


FORGED: dict[str, InboundRequest] = {
    "no signature": request(LETTER, signature=""),
    "another token": request(LETTER, signature=sign(HOOK, LETTER, "another")),
    "a signature of other letters": request(LETTER, signature="签名"),
    "a value changed": request({**LETTER, "Body": "TD"}, signature=sign(HOOK, LETTER)),
    "a value more": request({**LETTER, "OptOutType": "STOP"}, signature=sign(HOOK, LETTER)),
    "another address": request(LETTER, signature=sign(f"{PUBLIC}/hooks/other", LETTER)),
    "another part": request(STATUS, url=f"{HOOK}?part=p8", signature=sign(f"{HOOK}?part=p7", STATUS)),
    "another account": request({**LETTER, "AccountSid": "AC" + "f" * 32}),
    "no account": request({name: value for name, value in LETTER.items() if name != "AccountSid"}),
    "a field twice, the same": request(twice(LETTER, "Body", LETTER["Body"]), signature=sign(HOOK, LETTER)),
    "a field twice": request(twice(LETTER, "From", "+8619900000002"), signature=sign(HOOK, LETTER)),
    "a GET": request(LETTER, method="GET"),
    "JSON": request(b"{}", signature=sign(HOOK, {}), kind="application/json"),
    "JSON with its hash": request(
        json.dumps(LETTER).encode(),
        url=f"{HOOK}?bodySHA256=" + "0" * 64,
        signature=sign(f"{HOOK}?bodySHA256=" + "0" * 64, {}),
        kind="application/json",
    ),
    "no type": request(LETTER, kind=""),
    "empty": request(b"", signature=sign(HOOK, {})),
    "no form": request(b"\xff\xfe", signature=sign(HOOK, {})),
    "no pairs": request(b"a", signature=sign(HOOK, {})),
    "bytes that are no UTF-8": request(b"Body=%ff", signature=sign(HOOK, {})),
    "fields without end": request(b"&".join(b"A%d=1" % n for n in range(2000)), signature=sign(HOOK, {})),
    "ids that contradict": request({**LETTER, "SmsSid": "SM" + "0b" * 16}),
    "states that contradict": request({**STATUS, "SmsStatus": "failed"}),
    "a name of another kind": request({**LETTER, "part=p1": "x"}),
}


@pytest.mark.parametrize("name", FORGED)
def test_forged(gateway: TwilioGateway, name: str) -> None:
    with pytest.raises(ForgedRequest) as raised:
        gateway.verify(FORGED[name])
    assert "19900000001" not in str(raised.value)


def test_without_an_address_or_a_token_nothing_is_proved(make_gateway: Make) -> None:
    with pytest.raises(ForgedRequest, match="public_url is not set"):
        make_gateway("").verify(request(LETTER))
    keyed = make_gateway(auth_token="", api_key="SK" + "0" * 32, api_key_secret="x")
    with pytest.raises(ForgedRequest, match="auth_token is not set"):
        keyed.verify(request(LETTER, signature=sign(HOOK, LETTER, "")))


@given(signature=st.text(max_size=60) | st.binary(min_size=20, max_size=20).map(lambda b: b.hex()))
def test_no_signature_is_guessed(signature: str) -> None:
    with pytest.raises(ForgedRequest):
        FIXED.verify(request(LETTER, signature=signature))


def cut_anew(genuine: Mapping[str, str], kept: tuple[str, ...]) -> dict[str, str]:
    """The same signed row, with only these names as borders: each value swallows what follows up to the next one."""
    form: dict[str, str] = {}
    last = ""
    for name in sorted(genuine):
        if name in kept:
            form[name] = genuine[name]
            last = name
        else:
            form[last] += name + genuine[name]
    return form


@pytest.mark.parametrize("genuine", [LETTER, STATUS], ids=["letter", "status"])
def test_a_row_cut_anew_says_nothing_else(gateway: TwilioGateway, genuine: dict[str, str]) -> None:
    """Every choice of borders among the genuine names."""
    names = sorted(genuine)
    signature = sign(HOOK, genuine)
    honest = gateway.parse(request(genuine))
    passed = 0
    for kept in itertools.chain.from_iterable(itertools.combinations(names[1:], n) for n in range(len(names))):
        form = cut_anew(genuine, (names[0], *kept))
        assert sign(HOOK, form) == signature
        forged = request(form, signature=signature)
        try:
            gateway.verify(forged)
            told = gateway.parse(forged)
        except (ForgedRequest, ValueError, LookupError):
            continue
        passed += 1
        assert [essence(event) for event in told] == [essence(event) for event in honest]
    assert passed


def essence(event: object) -> object:
    if isinstance(event, InboundMessage):
        return event.message_id, event.msisdn, event.destination, event.taken_as
    assert isinstance(event, Receipt)
    return event.message_id, event.state, event.msisdn


OTHER = "+8619900000666"
FAKE = "SM" + "0f" * 16
#: what a member writes to have it signed, and how they would cut it afterwards
ATTACKS = {
    "another sender": (
        f"xFrom{OTHER}FromZ",
        lambda rest: {"Body": "x", "From": OTHER, "FromZ": rest},
    ),
    "everything anew": (
        f"STOPFrom{OTHER}MessageSid{FAKE}SmsMessageSid{FAKE}SmsSid{FAKE}SmsStatusreceivedTo+8619900000099ToZ",
        lambda rest: {
            "Body": "STOP",
            "From": OTHER,
            "MessageSid": FAKE,
            "SmsMessageSid": FAKE,
            "SmsSid": FAKE,
            "SmsStatus": "received",
            "To": "+8619900000099",
            "ToZ": rest,
        },
    ),
    "a receipt from a letter": (
        f"xFrom+8619900000099MessageSid{FAKE}MessageStatusdeliveredTo{OTHER}ToZ",
        lambda rest: {
            "Body": "x",
            "From": "+8619900000099",
            "MessageSid": FAKE,
            "MessageStatus": "delivered",
            "To": OTHER,
            "ToZ": rest,
        },
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_a_letter_written_to_be_cut_anew(gateway: TwilioGateway, name: str) -> None:
    text, cut = ATTACKS[name]
    genuine = {**LETTER, "Body": text}
    gateway.verify(request(genuine))
    rest = "".join(key + genuine[key] for key in sorted(genuine) if key > "Body")
    form = {"AccountSid": ACCOUNT, "ApiVersion": "2010-04-01", **cut(rest)}
    signature = sign(HOOK, genuine)
    assert sign(HOOK, form) == signature, "the attack is no attack"
    with pytest.raises(ForgedRequest, match="run into one another"):
        gateway.verify(request(form, signature=signature))


def test_the_border_between_address_and_form(gateway: TwilioGateway) -> None:
    """The number of the part lent to the first name, or taken from it."""
    signature = sign(f"{HOOK}?part=p12", STATUS)
    shifted = {("2" + name if name == "AccountSid" else name): value for name, value in STATUS.items()}
    for url, form in ((f"{HOOK}?part=p1", shifted), (f"{HOOK}?part=p12AccountSid{ACCOUNT}", STATUS)):
        with pytest.raises(ForgedRequest):
            gateway.verify(request(form, url=url, signature=signature))


@pytest.mark.parametrize("form", [{}, {"MessageSid": "SM1"}, {"MessageSid": SID}, {**LETTER, "From": "whatsapp:+86"}])
def test_signed_but_nothing_we_know(gateway: TwilioGateway, form: dict[str, str]) -> None:
    with pytest.raises((ValueError, LookupError)):
        gateway.parse(request(form))


def _fixed() -> TwilioGateway:
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from broadcaster.gateways.contract import GatewayContext
    from broadcaster.gateways.twilio import TwilioConfig
    from tests.gateways.twilio.server import SENDER, TOKEN

    table = {"kind": "twilio", "account_sid": ACCOUNT, "auth_token": TOKEN, "sender": SENDER}
    return TwilioGateway("twilio", TwilioConfig.model_validate(table), GatewayContext(Path(), ZoneInfo("UTC"), PUBLIC))


FIXED = _fixed()
