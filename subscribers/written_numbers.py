"""What people, telephones and spreadsheets write where a number belongs -> the digits, or why they cannot be had.

A digit is never guessed and never dropped: what cannot be read for certain is refused with the reason.
"""

from __future__ import annotations

import re
import unicodedata

from subscribers.errors import Invalid

#: nobody writes a number in so many characters; whoever does has pasted something else
LONGEST = 100

#: what stands between digits for the eye: spaces of every kind, dashes, and marks nobody sees
SEPARATORS = re.compile(
    r"[\s\-_\u02d7\u2010-\u2015\u2043\u2212\u30fc\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe0f\ufeff]+"
)
_LABEL = re.compile(
    r"(?:联系|移动|办公|家庭|单位)?(?:手机号码|电话号码|手机号|手机|电话|座机|号码|方式)|"
    r"(?:cell ?phone|telephone|mobile|phone|cell|tel|mob|m|t)(?= ?[.:(]|(?<=\w{3}) ?[+0-9])",
    re.IGNORECASE,
)
#: a word in brackets behind the number: whose it is, where it rings
_REMARK = re.compile(r" ?[(\[【〔][^0-9()\[\]【】〔〕]{0,20}[)\]】〕]$")
_EXTENSION = re.compile(r"(?<=[0-9]) ?(?:转|轉|分机|ext\.?|x|#|,)[ :.]?([0-9]{1,6})$", re.IGNORECASE)
#: 010-12345678-801, whose dashes are spaces by now
_LANDLINE_AND_EXTENSION = re.compile(r"(?<![0-9])\(?0[0-9]{2,3}\)? ?[0-9]{7,8}( )([0-9]{1,5})$")
_KEPT_AS_A_CALCULATION = re.compile(r"([0-9])(?:\.([0-9]*))?[eE]\+?([0-9]{1,2})")
_KEPT_AS_A_QUANTITY = re.compile(r"([0-9]{5,})\.([0-9]{1,3})")
_WITH_THOUSANDS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3}){2,}")
_ALLOWED = re.compile(r"[0-9+(). /*#]*")
_SEVERAL = re.compile(r"[0-9]{7,} ?[/,;、|和或] ?\+?[0-9]{7,}|(?<![0-9])1[3-9][0-9]{9} \+?(?:86)?1[3-9][0-9]{9}")
_CHINESE_DIGITS = str.maketrans("〇○零一二三四五六七八九幺", "0001234567891")


def clean(text: str) -> tuple[str, str]:
    """A number as `phonenumbers` reads it, in plain digits, and its extension, empty if there is none.

    Raises `Invalid` for what is no number, more than one, or has lost digits in a spreadsheet.
    """
    if len(text) > LONGEST:
        raise _no_number(text)
    written = SEPARATORS.sub(" ", plain(text)).strip(" '’‘`\"=")
    written = "".join(_digit(character) for character in written)
    if not any(character.isascii() and character.isdigit() for character in written):
        written = written.translate(_CHINESE_DIGITS)
    written = _without_words(written)
    if _SEVERAL.search(written):
        raise Invalid(
            "{number} is more than one number.",
            hint="Give one number per row; a second one needs a row or a column of its own.",
            number=veiled(written),
        )
    written = _undo_spreadsheet(written)
    written, extension = _without_extension(written)
    if not written:
        raise Invalid("The number is empty.", hint="Give a mobile number.")
    if not _ALLOWED.fullmatch(written) or not any(character.isdigit() for character in written):
        raise _no_number(written)
    return written, extension


def plain(text: str) -> str:
    """Full-width and other forms of the same characters as ordinary ones; footnote and list numbers stay apart."""
    if text.isascii():
        return text
    return "".join(c if unicodedata.category(c) == "No" else unicodedata.normalize("NFKC", c) for c in text)


def veiled(written: str) -> str:
    """What was written, short, and without the digits in the middle: it goes into messages and logs."""
    shown = written if len(written) <= 30 else f"{written[:29]}…"
    places = [i for i, character in enumerate(shown) if character.isdigit()]
    if len(places) < 7:
        return shown
    hidden = set(places[3:-4]) if len(places) > 8 else set(places[2:-2])
    return "".join("*" if i in hidden else character for i, character in enumerate(shown))


def _digit(character: str) -> str:
    """Digits of every script as ASCII; everything else as it is."""
    if character.isascii():
        return character
    digit = unicodedata.decimal(character, None)
    return character if digit is None else str(digit)


def _without_words(written: str) -> str:
    if label := _LABEL.match(written):
        written = written[label.end() :].lstrip(" .:")
    while remark := _REMARK.search(written):
        written = written[: remark.start()]
    return written.rstrip(" *#.;,")


def _without_extension(written: str) -> tuple[str, str]:
    if match := _EXTENSION.search(written):
        return written[: match.start()], match[1]
    if match := _LANDLINE_AND_EXTENSION.search(written):
        return written[: match.start(1)], match[2]
    return written, ""


def _undo_spreadsheet(written: str) -> str:
    """A number that a spreadsheet kept as a quantity, where all its digits are still there."""
    if _WITH_THOUSANDS.fullmatch(written):
        return written.replace(",", "")
    if match := _KEPT_AS_A_QUANTITY.fullmatch(written):
        if not match[2].strip("0"):
            return match[1]
        raise Invalid(
            "{number} is a quantity with a fraction, not a number that can be called.",
            hint="Compare it, digit by digit, with where it was written down.",
            number=veiled(written),
        )
    if match := _KEPT_AS_A_CALCULATION.fullmatch(written):
        first, decimals, exponent = match[1], match[2] or "", int(match[3])
        if len(decimals) >= exponent and not decimals[exponent:].strip("0"):
            return first + decimals[:exponent]
        raise Invalid(
            "{number} has lost its digits: a spreadsheet kept the number as a quantity.",
            hint="Format the column as text in the spreadsheet, enter the numbers again, and export it again.",
            number=veiled(written),
        )
    return written


def _no_number(written: str) -> Invalid:
    return Invalid(
        "{number} is not a telephone number.",
        hint="Write digits only, with + and the country code if it is from abroad.",
        number=veiled(written),
    )
