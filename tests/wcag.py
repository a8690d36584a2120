"""What WCAG 2.2 AA asks of a page and axe cannot see: each look says what is wrong with the page as it stands."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browsers import DESKTOP, PHONE

#: 1,280 pixels at 400 % (1.4.10)
NARROW = (320, 640)
#: what a reader may set without losing a word (1.4.12)
_SPACED = """* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }
p { margin-bottom: 2em !important }"""
#: letters twice as large in a window of the same size (1.4.4)
_LARGE = "html { font-size: 200% !important }"

_WEAR = """style => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    document.adoptedStyleSheets = style ? [sheet] : [];
}"""

#: words that are cut off, hang out of what they stand in, or lie over others; and what is wider than the window
_CUT = """() => {
    const found = new Set(), rects = [], styles = new Map();
    const style = each => styles.get(each) ?? styles.set(each, getComputedStyle(each)).get(each);
    const root = document.documentElement;
    if (root.scrollWidth > innerWidth) found.add(`${root.scrollWidth} wide in ${innerWidth}`);
    const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (nodes.nextNode()) {
        const node = nodes.currentNode, parent = node.parentElement;
        if (!node.data.trim() || parent.closest("script, style, option, svg, .away, .skip")) continue;
        if (!parent.checkVisibility({visibilityProperty: true})) continue;
        const words = node.data.trim().replace(/\\s+/g, " ").slice(0, 40);
        const range = document.createRange();
        range.selectNodeContents(node);
        for (const drawn of range.getClientRects()) {
            // what stands beside the window is there to be read aloud
            if (drawn.width < 1 || drawn.right < 0) continue;
            let {left, right, top, bottom} = drawn, layer = "", holds = null;
            const deep = (bottom - top) / 4;
            let scrolls = false;
            for (let at = parent; at !== document.body; at = at.parentElement) {
                const its = style(at), box = at.getBoundingClientRect();
                if (["fixed", "sticky"].includes(its.position)) layer = at;
                if (its.display === "inline" || its.display === "contents") continue;
                if (!holds) {
                    holds = at;
                    const wide = left < box.left - 1 || right > box.right + 1;
                    if (wide || top < box.top - deep || bottom > box.bottom + deep)
                        found.add(`hangs out of ${at.tagName}: ${words}`);
                }
                if (its.overflowX === "visible" && its.overflowY === "visible") continue;
                scrolls = true;
                const clips = ["hidden", "clip"].includes(its.overflowX) || ["hidden", "clip"].includes(its.overflowY);
                if (clips && (left < box.left - 1 || right > box.right + 1 || bottom > box.bottom + deep))
                    found.add(`cut off in ${at.tagName}: ${words}`);
                // what a scroller does not show just now lies over nothing
                [left, right] = [Math.max(left, box.left), Math.min(right, box.right)];
                [top, bottom] = [Math.max(top, box.top), Math.min(bottom, box.bottom)];
            }
            if (!scrolls && (left < 0 || right > innerWidth)) found.add(`hangs out of the window: ${words}`);
            if (right - left > 1 && bottom - top > 1) rects.push({left, right, top, bottom, node, words, layer});
        }
    }
    rects.sort((one, other) => one.top - other.top);
    rects.forEach((one, at) => {
        for (let next = at + 1; next < rects.length && rects[next].top < one.bottom; next++) {
            const other = rects[next];
            if (one.node === other.node || one.layer !== other.layer) continue;
            const wide = Math.min(one.right, other.right) - Math.max(one.left, other.left);
            const high = Math.min(one.bottom, other.bottom) - other.top;
            const least = Math.min(one.bottom - one.top, other.bottom - other.top);
            if (wide > 2 && high > least / 4) found.add(`lies over another: ${one.words} / ${other.words}`);
        }
    });
    return [...found];
}"""

#: in colours of the system's choice: where the focus is, what is chosen, what is ticked
_FORCED = """() => {
    const found = [];
    const name = each => each.outerHTML.replace(/\\s+/g, " ").slice(0, 120);
    const lined = each => each && getComputedStyle(each).outlineStyle !== "none"
        && parseFloat(getComputedStyle(each).outlineWidth) >= 2;
    const shows = each => each.checkVisibility() && !each.disabled;
    const first = document.activeElement;
    for (const each of document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")) {
        if (!shows(each) || each.type === "hidden") continue;
        each.focus({preventScroll: true, focusVisible: true});
        if (document.activeElement === each && !lined(each) && !lined(each.closest("label")))
            found.push(`the focus is not seen: ${name(each)}`);
    }
    document.activeElement.blur();
    first?.focus({preventScroll: true});
    const drawn = each => {
        const its = getComputedStyle(each);
        const names = ["backgroundColor", "borderTopWidth", "borderBottomWidth", "borderBottomStyle", "outlineStyle"];
        return JSON.stringify(names.map(each => its[each]));
    };
    for (const chosen of document.querySelectorAll("[aria-current], .pick-one label:has(:checked)")) {
        const list = chosen.closest("nav, p, ol, ul, fieldset");
        const others = [...list.querySelectorAll(chosen.tagName)]
            .filter(each => !each.matches("[aria-current], :has(:checked)"));
        if (shows(chosen) && others.length && drawn(chosen) === drawn(others[0]))
            found.push(`is not seen to be chosen: ${name(chosen)}`);
    }
    for (const box of document.querySelectorAll("[type=checkbox], [type=radio]"))
        if (shows(box) && getComputedStyle(box).opacity === "1" && getComputedStyle(box).appearance === "none")
            found.push(`is not seen to be ticked: ${name(box)}`);
    return found;
}"""

#: on paper: nothing that is there to be pressed, and nothing beside the sheet
_PRINTED = """() => [...document.querySelectorAll("button, .button, .plain, .menu, .tabs, .tools, .sizes, .turn")]
    .filter(each => each.checkVisibility() && each.getBoundingClientRect().right > 0)
    .map(each => `is printed: ${each.outerHTML.replace(/\\s+/g, " ").slice(0, 120)}`)"""


def cuts_nothing_on_a_phone(page: Page) -> list[str]:
    """At 320 pixels, and with the spacing of a reader's own."""
    return _cut(page, "at 320 pixels", NARROW) + _cut(page, "spaced on a phone", PHONE, _SPACED)


def cuts_nothing_on_a_desk(page: Page) -> list[str]:
    """With the spacing of a reader's own, and with letters twice as large."""
    return _cut(page, "spaced on a desk", DESKTOP, _SPACED) + _cut(page, "with large letters", DESKTOP, _LARGE)


def _cut(page: Page, how: str, size: tuple[int, int], style: str = "") -> list[str]:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.evaluate(_WEAR, style)
    wrong = [f"{how}: {each}" for each in page.evaluate(_CUT)]
    if style:
        page.evaluate(_WEAR, "")
    return wrong


def shows_what_is_chosen(page: Page) -> list[str]:
    """In forced colours."""
    page.emulate_media(forced_colors="active")
    wrong = [f"in forced colours: {each}" for each in page.evaluate(_FORCED)]
    page.emulate_media(forced_colors="none")
    return wrong


def prints_words_only(page: Page) -> list[str]:
    """On paper."""
    page.emulate_media(media="print")
    wrong: list[str] = page.evaluate(_PRINTED)
    page.emulate_media(media="screen")
    return wrong
