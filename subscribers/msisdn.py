"""Telephone numbers: what people write -> E.164 with a plus, and back to forms that may be shown."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumber, PhoneNumberFormat, PhoneNumberType

from subscribers.errors import Invalid
from subscribers.models.member import NumberKind
from subscribers.operators import BY_PREFIX

#: 179 is left out: it dials abroad through an operator and is nobody's mobile
_CHINESE_MOBILE = r"1(?:7[0-8]|[3-689][0-9])[0-9]{8}"
_HOME_FORM = re.compile(rf"(?:(?:\+|00)?86)?({_CHINESE_MOBILE})")
_INTERNATIONAL_FORM = re.compile(rf"\+86({_CHINESE_MOBILE})")
_E164_CHINESE_MOBILE = _INTERNATIONAL_FORM

#: what stands between digits for the eye: spaces of every kind, dashes, and marks nobody sees
_SEPARATORS = re.compile(r"[\s\-\u2010-\u2015\u2212\u30fc\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]+")
_KEPT_AS_A_CALCULATION = re.compile(r"([0-9])(?:\.([0-9]*))?[eE]\+?([0-9]{1,2})")
_KEPT_AS_A_FRACTION = re.compile(r"([0-9]+)\.0+")
_ALLOWED = re.compile(r"[0-9+()./*#,\s\-]*")
_SEVERAL = re.compile(r"[0-9]{7,}\s*[/,;、|]\s*\+?[0-9]{7,}")

_KINDS = {
    PhoneNumberType.MOBILE: NumberKind.MOBILE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE: NumberKind.MOBILE,
    PhoneNumberType.PERSONAL_NUMBER: NumberKind.MOBILE,
    PhoneNumberType.FIXED_LINE: NumberKind.LANDLINE,
    PhoneNumberType.VOIP: NumberKind.LANDLINE,
    PhoneNumberType.UAN: NumberKind.LANDLINE,
}


@dataclass(frozen=True, slots=True)
class Parsed:
    """A number in E.164 and what it can receive."""

    msisdn: str
    kind: NumberKind


def parse(text: str, region: str = "CN") -> Parsed:
    """The number that `text` means to people in `region` (two letters), where it needs no country code.

    Raises `Invalid` with the reason in plain words. A landline is no error: it is a number that cannot receive.
    """
    return parse_chinese_mobile(text, region) or parse_any(text, region)


def parse_chinese_mobile(text: str, region: str = "CN") -> Parsed | None:
    """The short way for nearly every row of a Chinese list, 70 times faster; None if the long way must look."""
    form = _HOME_FORM if region == "CN" else _INTERNATIONAL_FORM
    match = form.fullmatch(text) or form.fullmatch(_SEPARATORS.sub("", unicodedata.normalize("NFKC", text)))
    return Parsed(f"+86{match[1]}", NumberKind.MOBILE) if match else None


def parse_any(text: str, region: str = "CN") -> Parsed:
    """The long way, over `phonenumbers`, for every country; agrees with the short way wherever that one answers."""
    written = _SEPARATORS.sub(" ", unicodedata.normalize("NFKC", text)).strip()
    written = _undo_spreadsheet(written)
    _check_characters(written)
    try:
        number = phonenumbers.parse(written, region)
    except NumberParseException as error:
        raise _unparsed(written, error) from None
    national = phonenumbers.national_significant_number(number)
    msisdn = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    if number.country_code == 86 and re.fullmatch(_CHINESE_MOBILE, national):
        # ranges open faster than phonenumbers is released
        return Parsed(msisdn, NumberKind.MOBILE)
    if not phonenumbers.is_valid_number(number):
        raise _wrong(written, number, national)
    kind = _KINDS.get(phonenumbers.number_type(number))
    if kind is None:
        raise Invalid(
            "{number} is a service number, not a person's.",
            hint="Give the member's own mobile number.",
            number=_veiled(written),
        )
    return Parsed(msisdn, kind)


def mask(msisdn: str) -> str:
    """A form that may be shown and logged: `138****2231` for a Chinese mobile, `+44******123` for the rest."""
    if match := _E164_CHINESE_MOBILE.fullmatch(msisdn):
        return f"{match[1][:3]}****{match[1][-4:]}"
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


def _undo_spreadsheet(written: str) -> str:
    """A number that a spreadsheet kept as a quantity, where all its digits are still there."""
    if match := _KEPT_AS_A_FRACTION.fullmatch(written):
        return match[1]
    if match := _KEPT_AS_A_CALCULATION.fullmatch(written):
        first, decimals, exponent = match[1], match[2] or "", int(match[3])
        if len(decimals) == exponent:
            return first + decimals
        raise Invalid(
            "{number} has lost its digits: a spreadsheet kept the number as a quantity.",
            hint="Format the column as text in the spreadsheet, enter the numbers again, and export it again.",
            number=written,
        )
    return written


def _check_characters(written: str) -> None:
    if not written:
        raise Invalid("The number is empty.", hint="Give a mobile number.")
    if _SEVERAL.search(written):
        raise Invalid(
            "{number} is more than one number.",
            hint="Give one number per row; a second one needs a row or a column of its own.",
            number=_veiled(written),
        )
    if not _ALLOWED.fullmatch(written) or not any(c.isdigit() for c in written):
        raise Invalid(
            "{number} is not a telephone number.",
            hint="Write digits only, with + and the country code if it is from abroad.",
            number=_veiled(written),
        )


def _unparsed(written: str, error: NumberParseException) -> Invalid:
    if error.error_type == NumberParseException.INVALID_COUNTRY_CODE:
        return Invalid(
            "{number} has no country code that exists.",
            hint="Write it with + and the country code, as in +86.",
            number=_veiled(written),
        )
    digits = re.sub(r"[^0-9]", "", written)
    if error.error_type == NumberParseException.TOO_LONG:
        return Invalid(
            "{number} has {digits} digits, more than any telephone number.",
            hint="Compare it with the member's own list.",
            number=_veiled(written),
            digits=len(digits),
        )
    return Invalid(
        "{number} is too short for a telephone number.",
        hint="Compare it with the member's own list.",
        number=_veiled(written),
    )


def _wrong(written: str, number: PhoneNumber, national: str) -> Invalid:
    """Say how many digits are missing or over, if that is what is wrong."""
    lengths = _lengths(number, national)
    hint = "Compare it with the member's own list."
    if lengths and len(national) < min(lengths):
        missing = min(lengths) - len(national)
        message = "{number} is too short by {digits} digits." if missing > 1 else "{number} is too short by one digit."
        return Invalid(message, hint=hint, number=_veiled(written), digits=missing)
    if lengths and len(national) > max(lengths):
        over = len(national) - max(lengths)
        message = "{number} is too long by {digits} digits." if over > 1 else "{number} is too long by one digit."
        return Invalid(message, hint=hint, number=_veiled(written), digits=over)
    return Invalid("{number} is in no range that is given out.", hint=hint, number=_veiled(written))


def _lengths(number: PhoneNumber, national: str) -> tuple[int, ...]:
    if number.country_code == 86 and re.match(r"1[3-9]", national):
        return (11,)
    region = phonenumbers.region_code_for_country_code(number.country_code or 0)
    metadata = PhoneMetadata.metadata_for_region(region)
    described = metadata.general_desc if metadata else None
    return tuple(described.possible_length) if described else ()


def _veiled(written: str) -> str:
    """What was written, short, and without the digits in the middle: it goes into messages and logs."""
    shown = written if len(written) <= 30 else f"{written[:29]}…"
    places = [i for i, character in enumerate(shown) if character.isdigit()]
    if len(places) < 7:
        return shown
    hidden = set(places[3:-4]) if len(places) > 8 else set(places[2:-2])
    return "".join("*" if i in hidden else character for i, character in enumerate(shown))
