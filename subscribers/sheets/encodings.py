"""In which encoding a text file is: found out by reading all of it once, in blocks."""

from __future__ import annotations

import codecs
from pathlib import Path

from subscribers.errors import Invalid
from subscribers.sheets.faults import unreadable

_BLOCK = 1 << 20
_HEAD = 65_536
_DELIMITERS = ",;\t"
#: C0 controls but tab, line feed, vertical tab, form feed, carriage return: no list has them
_CONTROLS = bytes(code for code in range(32) if code not in (9, 10, 11, 12, 13))


def find_encoding(path: Path) -> str:
    """UTF-8 with or without a mark, UTF-16, or GB18030. Raises `Invalid` for what is no text, or not there."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
        if not head.strip():
            raise Invalid("{file} is empty.", hint="Save the list once more.", file=path.name)
        for encoding in _candidates(head):
            if _decodes(path, encoding):
                return encoding
    except OSError as error:
        raise unreadable(path, error) from None
    raise Invalid(
        "{file} is no text: it is neither UTF-8, UTF-16 nor GB18030, or it is damaged.",
        hint='Open the list in the spreadsheet program, and save it as "CSV UTF-8".',
        file=path.name,
    )


def _candidates(head: bytes) -> list[str]:
    if head.startswith(codecs.BOM_UTF8):
        return ["utf-8-sig"]
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ["utf-16"]
    if b"\0" not in head:
        return ["utf-8", "gb18030"]
    # UTF-16 without a mark: then there are lines and delimiters in it, but not with the bytes swapped
    return [name for name in ("utf-16-le", "utf-16-be") if _looks_like_a_list(head.decode(name, "ignore"))]


def _looks_like_a_list(text: str) -> bool:
    return ("\n" in text or "\r" in text) and any(delimiter in text for delimiter in _DELIMITERS)


def _decodes(path: Path, encoding: str) -> bool:
    """Whether all of the file is text in this encoding, without control characters."""
    decoder = codecs.getincrementaldecoder(encoding)()
    wide = encoding.startswith("utf-16")
    with path.open("rb") as file:
        while True:
            block = file.read(_BLOCK)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeError:
                return False
            # of the others, no character but a control has such a byte in it
            looked_at = text.encode("utf-8", "surrogatepass") if wide else block
            if len(looked_at.translate(None, _CONTROLS)) != len(looked_at):
                return False
            if not block:
                return True
