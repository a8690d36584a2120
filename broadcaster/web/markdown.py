"""Full texts to HTML: paragraphs, headings, lists, bold and links; no markup of one's own, no pictures. Pure."""

from __future__ import annotations

from markdown_it import MarkdownIt
from markupsafe import Markup

#: a line break is one: what comes from Word has no blank lines between its paragraphs
_READER = MarkdownIt("commonmark", {"html": False, "breaks": True}).disable(["image", "html_inline", "html_block"])


def as_html(text: str) -> Markup:
    """The text as it stands on a page, below the headline of its item. Links lead to the web and to telephones only."""
    tokens = _READER.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = "h3"
        for inner in token.children or ():
            if inner.type == "link_open":
                inner.attrSet("rel", "noopener nofollow")
                if not str(inner.attrGet("href")).startswith(("https://", "http://", "tel:")):
                    inner.attrs.pop("href")
    return Markup(_READER.renderer.render(tokens, _READER.options, {}))  # noqa: S704 - it escapes all that is text
