"""What the operator of a gateway demands, from one day on: changes of what the configuration says. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from broadcaster.campaigns.dress import PLACES, Dress, Place
from broadcaster.campaigns.models import Campaign, CampaignDress, ProfileChange
from broadcaster.campaigns.quiet_hours import quiet_until
from broadcaster.gateways.contract import Bill, Capabilities
from broadcaster.language import msgid
from broadcaster.sms import ASCII, GSM, LATIN1, UCS2
from subscribers.errors import Invalid

ALPHABETS = {alphabet.name: alphabet for alphabet in (GSM, ASCII, LATIN1, UCS2)}


class Profile(BaseModel):
    """What is set for one gateway on one day; None is as the configuration has it."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    signature: Annotated[str, Field(max_length=40)] | None = None
    signature_place: Place | None = None
    signature_length: Annotated[str, Field(pattern=r"^(\d{1,2}-\d{1,2})?$")] | None = None
    """Fewest and most characters, without the brackets; empty: any."""
    opt_out: Annotated[str, Field(max_length=100)] | None = None
    sending_window: Annotated[str, Field(pattern=r"^(\d\d:\d\d-\d\d:\d\d)?$")] | None = None
    """In the paper's own time; empty: always."""
    forbidden: Annotated[str, Field(max_length=200)] | None = None
    max_parts: Annotated[int, Field(ge=1, le=255)] | None = None
    alphabet: Literal["gsm", "ascii", "latin1", "ucs2"] | None = None
    reference_bits: Annotated[Literal[8, 16], BeforeValidator(lambda given: _BITS.get(str(given), given))] | None = None
    price: Annotated[Decimal, Field(ge=0, le=1_000)] | None = None
    """Of one part, in `currency`."""
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = None
    bill: Bill | None = None

    @field_validator("sending_window")
    @classmethod
    def _real_hours(cls, value: str | None) -> str | None:
        for part in filter(None, (value or "").split("-")):
            try:
                time.fromisoformat(part)
            except ValueError:
                raise ValueError(msgid("is no time of the day; write it like 08:00-21:00.")) from None
        return value


_BITS = {"8": 8, "16": 16}
_BRACKETED = re.compile("【[^【】]*[^【】 ][^【】]*】")
_CHINESE = re.compile("[【】\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


def standing(changes: Iterable[ProfileChange]) -> list[ProfileChange]:
    """Those that were not taken back, in the order in which they take effect."""
    return sorted((each for each in changes if each.withdrawn_at is None), key=lambda each: (each.day, each.id))


def profile_on(changes: Iterable[ProfileChange], day: date) -> Profile:
    """What holds on a day, by the changes of one gateway; of two of the same day the one written later."""
    values: dict[str, Any] = {}
    for change in standing(changes):
        if change.day <= day:
            values |= change.values
    return Profile.model_validate(values)


def carried(capabilities: Capabilities, profile: Profile) -> Capabilities:
    """What a gateway can do, as its profile has it."""
    given = profile.model_dump(include={"forbidden", "max_parts", "reference_bits", "bill"}, exclude_none=True)
    if profile.alphabet:
        given["alphabet"] = ALPHABETS[profile.alphabet]
    return replace(capabilities, **given)


def dress_at(paper: Dress, profile: Profile) -> Dress:
    """How texts are dressed for a gateway, where the paper dresses them so."""
    return Dress(
        paper.signature if profile.signature is None else profile.signature,
        paper.opt_out if profile.opt_out is None else profile.opt_out,
        profile.signature_place or paper.place,
    )


def has_length(signature: str, profile: Profile) -> bool:
    """Whether a signature is as long as its operator demands, without the brackets."""
    least, _, most = (profile.signature_length or "").partition("-")
    return not least or int(least) <= len(signature.strip("【】")) <= int(most)


def is_bracketed(signature: str) -> bool:
    """Whether it stands in 【】, as every carrier in China demands."""
    return _BRACKETED.fullmatch(signature) is not None


def refuse_halfway(signature: str) -> None:
    """Raise `Invalid` for one that is Chinese, or has a bracket, and is not whole: no carrier takes it."""
    if is_bracketed(signature) or not _CHINESE.search(signature):
        return
    whole = "".join(each for each in signature if each not in "【】")
    raise Invalid(
        "The signature {signature} does not stand in brackets.",
        hint="Carriers in China send nothing without them. Write 【{whole}】.",
        signature=signature[:40],
        whole=whole.strip()[:38],
    )


def signed_otherwise(gateway: str, profiles: Mapping[str, Profile], begins_with: str) -> list[str]:
    """Gateways that were given another signature than what `gateway` still has of the configuration."""
    if gateway not in profiles or profiles[gateway].signature is not None:
        return []
    return [name for name, each in profiles.items() if each.signature not in (None, begins_with)]


def is_closed(profile: Profile, zone: ZoneInfo, now: datetime) -> bool:
    """Whether the operator wants no broadcasts at this instant."""
    begin, _, end = (profile.sending_window or "").partition("-")
    return bool(begin) and quiet_until(f"{end}-{begin}", zone, now) is not None


def frozen(campaign: Campaign, gateway: str, capabilities: Capabilities, profile: Profile) -> CampaignDress:
    """What a campaign that starts keeps of a gateway's profile; `worn` reads it."""
    dress = dress_at(Dress(campaign.signature, campaign.opt_out), profile)
    return CampaignDress(
        gateway=gateway,
        signature=dress.signature,
        place=dress.place,
        opt_out=dress.opt_out,
        alphabet=capabilities.alphabet.name,
        reference_bits=capabilities.reference_bits,
    )


def worn(
    campaign: Campaign, gateway: str, capabilities: Capabilities, profile: Profile | None = None
) -> tuple[Dress, Capabilities]:
    """How this campaign's texts are dressed and cut for a gateway: as when it started, or by the profile until then."""
    kept = next((each for each in campaign.dresses if each.gateway == gateway), None)
    if kept is None:
        return dress_at(Dress(campaign.signature, campaign.opt_out), profile or Profile()), capabilities
    return as_kept(kept, capabilities)


def as_kept(kept: CampaignDress, capabilities: Capabilities) -> tuple[Dress, Capabilities]:
    """How a started campaign's texts are dressed and cut, by what it keeps of the gateway's profile."""
    # an alphabet of a gateway's own is in no table: then it is the one that the gateway has
    alphabet = ALPHABETS.get(kept.alphabet, capabilities.alphabet)
    bits: Literal[8, 16] = 16 if kept.reference_bits == 16 else 8
    place = PLACES[kept.place]
    return Dress(kept.signature, kept.opt_out, place), replace(capabilities, alphabet=alphabet, reference_bits=bits)


class Tariff(NamedTuple):
    """The price of a part from a day on."""

    day: date
    price: Decimal
    currency: str


def tariffs(changes: Sequence[ProfileChange], price: Decimal, currency: str) -> list[Tariff]:
    """The prices of a gateway, the oldest first; the first one is that of the configuration."""
    found = [Tariff(date.min, price, currency)]
    for day in sorted({each.day for each in changes}):
        profile = profile_on(changes, day)
        now = price if profile.price is None else profile.price
        if (now, profile.currency or currency) != found[-1][1:]:
            found.append(Tariff(day, now, profile.currency or currency))
    return found
