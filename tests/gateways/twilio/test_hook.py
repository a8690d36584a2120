"""What Twilio tells by calling, through the real door."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import httpx2
import pytest
from sqlalchemy import func, select
from structlog.testing import capture_logs

from broadcaster.delivery import receipts
from broadcaster.delivery.models import Message, Part, ReceiptInbox
from broadcaster.replies import router
from broadcaster.replies.models import Letter
from broadcaster.runtime import Runtime, make_runtime
from broadcaster.settings import load
from broadcaster.web import bodies
from subscribers import consent
from subscribers.errors import Invalid
from subscribers.models import Wish
from tests.databases import Clock
from tests.factories import make_members
from tests.gateways.twilio.conftest import PUBLIC
from tests.gateways.twilio.server import ACCOUNT, SENDER, TOKEN, sign
from tests.gateways.twilio.test_callbacks import FORGED, HOOK, LETTER, SID, STATUS, twice
from tests.websites import opened

FORM = "application/x-www-form-urlencoded; charset=UTF-8"


@pytest.fixture
def house(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[Runtime]:
    table = {"kind": "twilio", "account_sid": ACCOUNT, "auth_token": TOKEN, "sender": SENDER}
    settings = load(
        None,
        data=tmp_path,
        store={"url": database_url},
        web={"public_url": f"{PUBLIC}/"},
        gateways={"twilio": table, "second": {**table, "sender": "+8619900000098"}},
    )
    house = make_runtime(settings, clock=clock)
    yield house
    house.close()


@pytest.fixture
def site(house: Runtime) -> Iterator[httpx2.Client]:
    with opened(house) as client:
        yield client


def call(site: httpx2.Client, form: dict[str, str], *, hook: str = "/hooks/twilio", **headers: str) -> httpx2.Response:
    signed = {"content-type": FORM, "x-twilio-signature": sign(PUBLIC + hook, form), **headers}
    return site.post(hook, content=urlencode(form).encode(), headers=signed)


def kept(house: Runtime) -> tuple[int, int]:
    with house.reading() as tx:
        told = tx.session.scalar(select(func.count()).select_from(ReceiptInbox)) or 0
        return told, tx.session.scalar(select(func.count()).select_from(Letter)) or 0


def sent_part(house: Runtime, gateway: str = "twilio") -> int:
    """A part that Twilio has taken under `SID`; its id."""
    from broadcaster.delivery.models import Submission
    from broadcaster.delivery.states import State

    with house.begin() as tx:
        message = Message(msisdn=STATUS["To"], gateway=gateway, state=State.SUBMITTED, parts=1)
        tx.session.add(message)
        tx.session.flush()
        part = Part(
            message_id=message.id,
            attempt=1,
            number=1,
            state=State.SUBMITTED,
            gateway=gateway,
            encoding="ucs2",
            text="x",
            submitted_at=tx.now,
        )
        tx.session.add(part)
        tx.session.flush()
        tx.session.add(Submission(part_id=part.id, gateway=gateway, provider_id=SID))
        return part.id


def applied(house: Runtime) -> list[str]:
    with house.begin() as tx:
        receipts.apply(tx.session, now=tx.now)
        return [state.word for state in tx.session.scalars(select(Part.state))]


def test_a_letter_and_a_receipt_whatever_the_host_is_called(house: Runtime, site: httpx2.Client) -> None:
    for form in (LETTER, STATUS):
        answer = call(site, form, host="evil.example:99")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/xml; charset=utf-8")
        assert answer.content == b"<Response/>"
    assert kept(house) == (1, 1)
    with house.reading() as tx:
        letter = tx.session.scalars(select(Letter)).one()
        assert (letter.msisdn, letter.text, letter.destination) == (LETTER["From"], LETTER["Body"], LETTER["To"])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", FORGED)
def test_forged_requests_change_nothing(house: Runtime, site: httpx2.Client, name: str) -> None:
    forged = FORGED[name]
    with capture_logs() as logged:
        answer = site.request(
            forged.method,
            forged.url.removeprefix(PUBLIC),
            content=forged.body,
            headers={key: value.encode() for key, value in forged.headers.items()},
        )
    assert answer.status_code == 403
    assert kept(house) == (0, 0)
    assert [line["event"] for line in logged] == ["forged request refused"]
    assert "compare account_sid, auth_token" in logged[0]["hint"]
    assert "19900000001" not in str(logged)


def test_another_gateways_hook_is_another_address(house: Runtime, site: httpx2.Client) -> None:
    sent_part(house)
    signature = sign(HOOK, STATUS)
    assert call(site, STATUS, hook="/hooks/second", **{"x-twilio-signature": signature}).status_code == 403
    # signed for that one, it is genuine, and still reaches no part of this one
    assert call(site, STATUS, hook="/hooks/second").status_code == 200
    assert applied(house) == ["submitted"]


def test_told_again_in_any_order(house: Runtime, site: httpx2.Client) -> None:
    sent_part(house)
    early = {**STATUS, "MessageStatus": "sent", "SmsStatus": "sent"}
    for form in (STATUS, early, STATUS, early):
        assert call(site, form).status_code == 200
    assert applied(house) == ["delivered"]
    assert kept(house) == (2, 0)


def test_a_status_settles_what_was_left_in_doubt(house: Runtime, site: httpx2.Client) -> None:
    """The answer to the request was lost, and with it the id; the address of the callback knows the part."""
    from sqlalchemy import delete

    from broadcaster.delivery.models import Submission

    part = sent_part(house)
    with house.begin() as tx:
        tx.session.execute(delete(Submission))
    assert call(site, STATUS, hook=f"/hooks/twilio?part=p{part}").status_code == 200
    assert applied(house) == ["delivered"]


def test_a_refusal_that_comes_late_is_told_to_the_registry(house: Runtime, site: httpx2.Client) -> None:
    sent_part(house)
    assert call(site, {**STATUS, "MessageStatus": "failed", "SmsStatus": "failed", "ErrorCode": "21610"}).is_success
    assert applied(house) == ["rejected"]
    with house.reading() as tx:
        wish = consent.wishes(tx.session, [STATUS["To"]])[STATUS["To"]]
        assert (wish.wish, wish.own_word) == (Wish.OUT, True)


def test_wishes_that_twilio_took_itself(house: Runtime, site: httpx2.Client) -> None:
    with house.begin() as tx:
        number = str(make_members(tx.session, 1)[0].msisdn)
    for sid, text, kind, wish in (("1", "Basta", "STOP", Wish.OUT), ("2", "Wieder", "START", Wish.IN)):
        form = {**LETTER, "From": number, "Body": text, "OptOutType": kind}
        form |= dict.fromkeys(("MessageSid", "SmsSid", "SmsMessageSid"), "SM" + sid * 32)
        for _ in range(2):
            assert call(site, form).is_success
            with house.begin() as tx:
                router.route(tx.session, house.desk(tx), now=tx.now)
                assert consent.wishes(tx.session, [number])[number].wish == wish
    # a STOP told again after they came back
    form = {**LETTER, "From": number, "Body": "Basta", "OptOutType": "STOP"}
    form |= dict.fromkeys(("MessageSid", "SmsSid", "SmsMessageSid"), "SM" + "1" * 32)
    call(site, form)
    with house.begin() as tx:
        router.route(tx.session, house.desk(tx), now=tx.now)
        assert consent.wishes(tx.session, [number])[number].wish == Wish.IN
        assert tx.session.scalars(select(Letter.handled_as).order_by(Letter.id)).all() == ["opt_out", "come_back"]
        assert tx.session.scalars(select(Message.id)).all() == [], "Twilio has answered already"


def test_a_wish_that_twilio_does_not_know_is_answered(house: Runtime, site: httpx2.Client) -> None:
    with house.begin() as tx:
        number = str(make_members(tx.session, 1)[0].msisdn)
    call(site, {**LETTER, "From": number, "Body": "退订"})
    with house.begin() as tx:
        router.route(tx.session, house.desk(tx), now=tx.now)
        assert consent.wishes(tx.session, [number])[number].wish == Wish.OUT
        assert len(tx.session.scalars(select(Message.id)).all()) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (urlencode({**LETTER, "Body": "x" * bodies.MOST}).encode(), 413),
        (twice(LETTER, "Body", "x"), 403),
        (b"", 403),
    ],
)
def test_broken_bodies(house: Runtime, site: httpx2.Client, body: bytes, status: int) -> None:
    headers = {"content-type": FORM, "x-twilio-signature": sign(HOOK, {})}
    assert site.post("/hooks/twilio", content=body, headers=headers).status_code == status
    assert kept(house) == (0, 0)
    assert call(site, LETTER).status_code == 200, "the door still works"


def test_signed_but_not_understood(house: Runtime, site: httpx2.Client) -> None:
    assert call(site, {"AccountSid": ACCOUNT, "Hello": "world"}).status_code == 400
    assert kept(house) == (0, 0)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "url",
    ["paper.example", "ftp://paper.example", "https://u:p@paper.example", "https://x?y=1", "https://x#y", "https://"],
)
def test_a_public_address_that_is_none(tmp_path: Path, database_url: str, url: str) -> None:
    with pytest.raises(Invalid, match=r"web.public_url: is not written as it must be"):
        load(None, data=tmp_path, web={"public_url": url})
