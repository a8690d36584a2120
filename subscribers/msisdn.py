"""Telephone numbers: what people write -> E.164 with a plus, and back to forms that may be shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumber, PhoneNumberFormat, PhoneNumberType

from subscribers.errors import Invalid
from subscribers.models.member import NumberKind
from subscribers.operators import BY_PREFIX
from subscribers.written_numbers import LONGEST, SEPARATORS, clean, plain, veiled

#: 179 is left out: it dials abroad through an operator and is nobody's mobile
_CHINESE_MOBILE = r"1(?:7[0-8]|[3-689][0-9])[0-9]{8}"
_E164_CHINESE_MOBILE = re.compile(rf"\+86({_CHINESE_MOBILE})")
_HOME_FORM = re.compile(rf"(?:(?:\+|00)?86)?({_CHINESE_MOBILE})").fullmatch
_INTERNATIONAL_FORM = _E164_CHINESE_MOBILE.fullmatch
#: lines that are dialled for a service, and the ports that SMS of companies come from
_CHINESE_SERVICE = re.compile(r"(?:\+86|0086)?(?:[48]00[0-9]{7}|9[56][0-9]{3,6}|1[0-2][0-9]{1,3}|106[0-9]{5,17})")

_MOBILE = NumberKind.MOBILE
_make = tuple.__new__

_KINDS = {
    PhoneNumberType.MOBILE: NumberKind.MOBILE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE: NumberKind.MOBILE,
    PhoneNumberType.FIXED_LINE: NumberKind.LANDLINE,
    PhoneNumberType.VOIP: NumberKind.LANDLINE,
    PhoneNumberType.UAN: NumberKind.LANDLINE,
}


class Parsed(NamedTuple):
    """A number in E.164 and what it can receive."""

    msisdn: str
    kind: NumberKind


def parse(text: str, region: str = "CN") -> Parsed:
    """The number that `text` means to people in `region` (two letters), where it needs no country code.

    Raises `Invalid` with the reason in plain words. A landline is no error: it is a number that cannot receive.
    """
    match = _HOME_FORM(text) if region == "CN" else None
    if match is not None:
        # made in C: a million rows of an import pass here
        return _make(Parsed, (f"+86{match[1]}", _MOBILE))
    return parse_chinese_mobile(text, region) or parse_any(text, region)


def chinese_mobile_form(region: str = "CN") -> Callable[[str], re.Match[str] | None]:
    """What tells the everyday forms of a Chinese mobile number; group 1 of its match is the number as at home."""
    return _HOME_FORM if region == "CN" else _INTERNATIONAL_FORM


def parse_chinese_mobile(text: str, region: str = "CN") -> Parsed | None:
    """The short way for nearly every row of a Chinese list, 100 times faster; None if the long way must look."""
    form = _HOME_FORM if region == "CN" else _INTERNATIONAL_FORM
    match = form(text) or (form(_closed_up(text)) if len(text) <= LONGEST else None)
    return Parsed(f"+86{match[1]}", NumberKind.MOBILE) if match else None


def parse_any(text: str, region: str = "CN") -> Parsed:
    """The long way, over `phonenumbers`, for every country; agrees with the short way wherever that one answers."""
    written, extension = clean(text)
    try:
        number = phonenumbers.parse(written, region)
    except NumberParseException as error:
        raise _service(written, region) or _unparsed(written, error) from None
    national = phonenumbers.national_significant_number(number)
    msisdn = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    if number.country_code == 86 and re.fullmatch(_CHINESE_MOBILE, national):
        # ranges open faster than phonenumbers is released
        kind: NumberKind | None = NumberKind.MOBILE
    elif not phonenumbers.is_valid_number(number):
        raise _service(written, region) or _wrong(written, number, national)
    else:
        kind = _KINDS.get(phonenumbers.number_type(number))
    if kind is None:
        raise _service_number(written)
    if extension and kind is NumberKind.MOBILE:
        raise Invalid(
            "{number} has more digits behind a mobile number.",
            hint="Mobile numbers have no extension. Leave it out, or write the number that has one.",
            number=veiled(written),
        )
    return Parsed(msisdn, kind)


def mask(msisdn: str) -> str:
    """A form that may be shown and logged: `138****2231` and `010****5678` of China, `+44******123` of the rest."""
    if match := _E164_CHINESE_MOBILE.fullmatch(msisdn):
        return f"{match[1][:3]}****{match[1][-4:]}"
    if len(msisdn) > 10 and msisdn.startswith("+86"):
        # at home, as in the row of the list that it came with; numbers of businesses have no area
        return veiled(msisdn[3:] if msisdn[3:6] in ("400", "800") else f"0{msisdn[3:]}")
    digits = msisdn.removeprefix("+")
    if len(digits) < 7:
        return "*" * len(digits)
    code = next((digits[:n] for n in (1, 2, 3) if _is_country_code(digits[:n])), "") if msisdn[0] == "+" else ""
    return f"{'+' if code else ''}{code}******{digits[-3:]}"


def national(msisdn: str) -> str:
    """As its own country writes it, digits only: `13800002231`, `01012345678`, `07700900123`."""
    if match := _E164_CHINESE_MOBILE.fullmatch(msisdn):
        return match[1]
    number = phonenumbers.parse(msisdn, None)
    return re.sub(r"[^0-9]", "", phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL))


def operator(msisdn: str) -> str | None:
    """`mobile`, `unicom`, `telecom` or `broadnet` by the digits it begins with; None if they do not tell."""
    match = _E164_CHINESE_MOBILE.fullmatch(msisdn)
    if match is None:
        return None
    return BY_PREFIX.get(match[1][:4]) or BY_PREFIX.get(match[1][:3])


def _is_country_code(digits: str) -> bool:
    return digits.isdigit() and int(digits) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE


def _closed_up(text: str) -> str:
    return SEPARATORS.sub("", plain(text))


def _service(written: str, region: str) -> Invalid | None:
    """The reason, if it is one of those short numbers that belong to a service."""
    chinese = region == "CN" or written.startswith("+86")
    return _service_number(written) if chinese and _CHINESE_SERVICE.fullmatch(_closed_up(written)) else None


def _service_number(written: str) -> Invalid:
    return Invalid(
        "{number} is a service number, not a person's.",
        hint="Give a mobile number of the person's own.",
        number=veiled(written),
    )


def _unparsed(written: str, error: NumberParseException) -> Invalid:
    if error.error_type == NumberParseException.INVALID_COUNTRY_CODE:
        return Invalid(
            "{number} has no country code that exists.",
            hint="Write it with + and the country code, as in +86.",
            number=veiled(written),
        )
    digits = re.sub(r"[^0-9]", "", written)
    if error.error_type == NumberParseException.TOO_LONG:
        return Invalid(
            "{number} has {digits} digits, more than any telephone number.",
            hint="Compare it, digit by digit, with where it was written down.",
            number=veiled(written),
            digits=len(digits),
        )
    return Invalid(
        "{number} is too short for a telephone number.",
        hint="Compare it, digit by digit, with where it was written down.",
        number=veiled(written),
    )


def _wrong(written: str, number: PhoneNumber, national: str) -> Invalid:
    """Say how many digits are missing or over, if that is what is wrong."""
    lengths = _lengths(number, national)
    hint = "Compare it, digit by digit, with where it was written down."
    if lengths and len(national) < min(lengths):
        missing = min(lengths) - len(national)
        message = "{number} is too short by {digits} digits." if missing > 1 else "{number} is too short by one digit."
        return Invalid(message, hint=hint, number=veiled(written), digits=missing)
    if lengths and len(national) > max(lengths):
        over = len(national) - max(lengths)
        message = "{number} is too long by {digits} digits." if over > 1 else "{number} is too long by one digit."
        return Invalid(message, hint=hint, number=veiled(written), digits=over)
    return Invalid("{number} is in no range that is given out.", hint=hint, number=veiled(written))


def _lengths(number: PhoneNumber, national: str) -> tuple[int, ...]:
    if number.country_code == 86 and re.match(r"1[3-9]", national):
        return (11,)
    region = phonenumbers.region_code_for_country_code(number.country_code or 0)
    metadata = PhoneMetadata.metadata_for_region(region)
    described = metadata.general_desc if metadata else None
    return tuple(described.possible_length) if described else ()
