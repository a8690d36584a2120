"""What comes along when a text is pasted from Word, a web page or a chat: taken out where it can only be an accident.

Quotes, dashes and full-width letters stay: they may be meant, and the check looks at them. Pure.
"""

from __future__ import annotations

import re
import unicodedata

#: breaks of lines and pages that are none to anybody else
_BREAKS = str.maketrans({"\r": "\n", "\v": "\n", "\f": "\n", "\x85": "\n", "\u2028": "\n", "\u2029": "\n\n"})
_SPACES = re.compile("[\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]")
#: not seen and not meant: soft hyphens, marks of byte order, places of pictures and of notes
_UNSEEN = re.compile("[\xad\u180e\u200b\u2060\ufeff\ufff9-\ufffd]")
_HIDDEN = re.compile(r"<!--\[if.*?<!\[endif\]-->", re.DOTALL | re.IGNORECASE)
_HIDDEN_END = re.compile(r"<!\[endif\]-->", re.IGNORECASE)
_TAGS = re.compile(r"<\?xml:namespace[^>]{0,1000}>|</?o:p>", re.IGNORECASE)
#: Word's own bullets are letters of Symbol and Wingdings, which other fonts do not have
_BULLET = re.compile("^[ \t]*[\uf000-\uf0ff•·●○■□◆◇▪▫‣⁃➢✓✔❖][ \t]+", re.MULTILINE)
#: other private characters may be rare ones of a name
_SYMBOL = re.compile("[\uf000-\uf0ff]")
_NUMBERED = re.compile(r"^[ ]*(\d{1,3})[.)、][ ]*\t[ \t]*", re.MULTILINE)
_INDENT = re.compile(r"^ +(?=\S)", re.MULTILINE)
_LIST = re.compile(r"^ *(?:[-*]|\d{1,3}\.) ")
_WIDE = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
_BETWEEN_WIDE = re.compile(rf"(?<=[{_WIDE}])\s*\n\s*(?=[{_WIDE}])")


def clean_text(text: str) -> str:
    """Text of several paragraphs: its line breaks, one blank line at most, no indents but those of lists."""
    text = _without_hidden(text.replace("\r\n", "\n")).translate(_BREAKS)
    text = _BULLET.sub("- ", _SPACES.sub(" ", _UNSEEN.sub("", text)))
    text = _SYMBOL.sub("", _NUMBERED.sub(r"\1. ", text)).replace("\t", " ")
    text = "".join(each for each in text if each == "\n" or unicodedata.category(each) not in ("Cc", "Cs"))
    lines = (line.rstrip(" ") for line in text.split("\n"))
    text = "\n".join(line if _LIST.match(line) else _INDENT.sub("", line) for line in lines)
    return unicodedata.normalize("NFC", re.sub(r"\n{3,}", "\n\n", text)).strip()


def clean_line(text: str) -> str:
    """Text of one line: what was broken is joined, without a blank between Chinese characters."""
    return re.sub(r"\s+", " ", _BETWEEN_WIDE.sub("", clean_text(text)))


def _without_hidden(text: str) -> str:
    # past the last end nothing ends: from each beginning there the whole rest would be read
    last = max((found.end() for found in _HIDDEN_END.finditer(text)), default=0)
    return _TAGS.sub("", _HIDDEN.sub("", text[:last]) + text[last:])
