"""What a browser hands over as HTML when somebody pastes from Word, a web page or a chat: made into Markdown. Pure.

Headings, lists, bold and links stay. All else is text or nothing: no style, no picture, no markup of anybody's own.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

from broadcaster.newspaper.pasted import clean_line, clean_text

_BLOCKS = frozenset({"p", "div", "ul", "ol", "table", "tr", "blockquote", "section", "article", "pre", "hr"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_UNREAD = frozenset({"style", "script", "title", "xml", "template", "noscript", "textarea", "select", "svg", "math"})
_LINKS = ("https://", "http://", "tel:")
_SIGNS = re.compile(r"([\\*`\[\]])")
_NOT_BOLD = re.compile(r"font-weight:\s*(?:normal|[1-4]00)")
#: where bold begins and ends, until it is known what it holds; private characters, which no text has then
_ON, _OFF = "\ue000", "\ue001"
#: where a cell of a table begins, and where a paragraph of it ends; and what stands between two cells
_CELL, _PARAGRAPH, _BETWEEN = "\ue002", "\ue003", " | "
_PAIRED = re.compile(f"(?:[^{_ON}{_OFF}]*{_ON}[^{_ON}{_OFF}\\n]*{_OFF})*[^{_ON}{_OFF}]*")
#: levels of lists that are told apart
_DEEPEST = 4
#: conditions of Word; the reader stumbles over other sections of this kind
_CONDITION = re.compile(r"<!\[(?:if|endif)[^<>\-]*\]>")
#: what begins like a tag and does not end before the next one: the reader would look for its end again and again
_NO_TAG = re.compile(r"<(?!!--|[^<>]*>)|<(?=!\[)")
#: characters that are read; an item has room for far fewer
LONGEST = 500_000
#: bold pieces of a block; nobody means more
_MOST_BOLD = 500


def as_markdown(html: str) -> str:
    """The text with its headings, lists, bold and links; "" if there is none."""
    reader = _Reader()
    html = _NO_TAG.sub("&lt;", _CONDITION.sub("", html[:LONGEST]))
    # for a comment without an end it would do so, too
    ended = html.rfind("-->") + 1
    reader.feed(html[:ended] + html[ended:].replace("<!--", ""))
    reader.close()
    reader.end_block()
    return clean_text("\n".join(reader.lines))


class _Reader(HTMLParser):
    """Collects the inline pieces of a block, and ends it with whatever begins or ends another."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = []
        self._pieces: list[str] = []
        self._begins = ""
        self._lists: list[tuple[str, int]] = []
        self._unread = 0
        self._bold: list[bool] = []
        self._links: list[tuple[str, int]] = []
        self._is_row = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Something begins."""
        if tag in _UNREAD:
            self._unread += 1
        elif tag in ("ul", "ol"):
            self.end_block()
            self._lists.append((tag, 0))
        elif tag == "li":
            self.end_block()
            self._begins = self._bullet()
        elif tag in _HEADINGS:
            self.end_block()
            self._begins = "## "
        elif tag == "tr":
            self._end_row()
            self._is_row = True
        elif tag in ("td", "th"):
            self._pieces.append(_CELL)
        elif tag in _BLOCKS:
            self._end_paragraph()
        elif tag == "br":
            self._pieces.append(_PARAGRAPH if self._is_row else "\n")
        elif tag in ("b", "strong"):
            # Google Docs has all of a text in a <b> that is not bold
            self._bold.append(
                _NOT_BOLD.search(dict(attrs).get("style") or "") is None and not self._begins.startswith("#")
            )
            self._pieces.append(_ON if self._bold[-1] else "")
        elif tag == "a":
            self._links.append(((dict(attrs).get("href") or "").strip(), len(self._pieces)))

    def handle_endtag(self, tag: str) -> None:
        """Something ends."""
        if tag in _UNREAD:
            self._unread = max(0, self._unread - 1)
        elif tag in ("b", "strong") and self._bold:
            self._pieces.append(_OFF if self._bold.pop() else "")
        elif tag == "a" and self._links:
            self._link(*self._links.pop())
        elif tag == "tr":
            self._end_row()
        elif tag in ("ul", "ol", "li", "table") or tag in _HEADINGS:
            self.end_block()
            if tag in ("ul", "ol") and self._lists:
                self._lists.pop()
        elif tag in _BLOCKS:
            self._end_paragraph()

    def handle_data(self, data: str) -> None:
        """Text between them."""
        if not self._unread:
            # lines of the source are none of the text
            self._pieces.append(_SIGNS.sub(r"\\\1", re.sub("[\x00-\x08\r\n\t \ue000-\ue003]+", " ", data)))

    def _end_paragraph(self) -> None:
        # what stands in a cell of a table is one line with its neighbours
        if self._is_row:
            self._pieces.append(_PARAGRAPH)
        else:
            self.end_block()

    def _end_row(self) -> None:
        """The cells of a row in one line; where there is only one, the table only held its text in place."""
        before, *cells = "".join(self._pieces).split(_CELL)
        cells = [" ".join(cell.split(_PARAGRAPH)).strip() for cell in ([before, *cells] if before.strip() else cells)]
        if self._is_row and sum(map(bool, cells)) > 1:
            self._pieces = [_BETWEEN.join(cells)]
        self._is_row = False
        self.end_block()

    def end_block(self) -> None:
        """Whatever was collected is a block of its own."""
        whole = "".join(self._pieces)
        if _PARAGRAPH in whole or _CELL in whole:
            for paragraph in whole.replace(_CELL, _PARAGRAPH).split(_PARAGRAPH):
                self._pieces = [paragraph]
                self.end_block()
            return
        lines = [clean_line(line) for line in whole.split("\n")]
        text = _weighted("\n".join(filter(None, lines)))
        if text:
            is_listed = bool(self._lists) and self._begins != "## "
            self.lines += [self._begins + text] if is_listed else ["", self._begins + text, ""]
            self._begins = ""
        self._pieces, self._links, self._bold = [], [], []

    def _bullet(self) -> str:
        if not self._lists:
            return "- "
        kind, n = self._lists[-1]
        self._lists[-1] = (kind, n + 1)
        indent = "   " * min(len(self._lists) - 1, _DEEPEST - 1)
        return f"{indent}{n + 1}. " if kind == "ol" else f"{indent}- "

    def _link(self, address: str, at: int) -> None:
        said = "".join(self._pieces[at:]).strip()
        if said and address.lower().startswith(_LINKS) and not re.search(r"[\s()<>\\]", address):
            self._pieces[at:] = [f"[{said}]({address})"]


def _weighted(text: str) -> str:
    """Marks of bold where they hold something; blanks go outside of them."""
    if text.count(_ON) > _MOST_BOLD:
        return re.sub(f"[{_ON}{_OFF}]", "", text).strip()
    text = re.sub(f"{_ON}([\\s{_ON}{_OFF}]*){_OFF}", lambda found: re.sub(f"[{_ON}{_OFF}]", "", found[1]), text)
    text = re.sub(f"(\\s+){_OFF}", lambda found: _OFF + found[1], text)
    text = re.sub(f"{_ON}(\\s+)", lambda found: found[1] + _ON, text).replace(_OFF + _ON, "")
    if not _PAIRED.fullmatch(text):
        return re.sub(f"[{_ON}{_OFF}]", "", text).strip()
    return text.replace(_ON, "**").replace(_OFF, "**").strip()
