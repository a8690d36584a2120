"""A real browser at the newsroom: Chromium without a screen, and what is held against every page in it."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.rules import ROOT

AXE = ROOT / "tests" / "vendored" / "axe.min.js"
NO_CHROMIUM = "*** CHROMIUM IS MISSING: tests in a browser were skipped. Install chromium. ***"

DESKTOP, PHONE = (1280, 800), (390, 844)
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

#: where a blank is drawn behind a Chinese stop: what stands in one line, without what looks like a control or is quoted
GAPS = """() => {
    if (document.documentElement.lang !== "zh-CN") return [];
    const apart = "button, input, select, textarea, pre, code, article, label > .soft, " +
        ".written, .button, .step, .bubble, .away";
    const line = node => [...node.childNodes].map(each => {
        if (each.nodeType === Node.TEXT_NODE) return each.data;
        if (each.nodeType !== Node.ELEMENT_NODE) return "";
        if (each.matches(apart) || !getComputedStyle(each).display.startsWith("inline")) return "|";
        return line(each);
    }).join("");
    const found = [];
    for (const block of document.querySelectorAll("p, li, td, th, dd, dt, h1, h2, h3, label, legend, summary, span")) {
        if (!block.checkVisibility() || block.closest(apart)) continue;
        const drawn = line(block).replace(/[\\s\u00a0]+/g, " ");
        const gap = drawn.match(/.{0,15}[。！？；：，、] [\u3400-\u9fff“‘（《].{0,15}/);
        if (gap) found.push(gap[0]);
    }
    return found;
}"""

#: the Latin words of a Chinese page with what stands around each: what is drawn, and what is read aloud or hinted at
LATIN = """() => {
    if (document.documentElement.lang !== "zh-CN") return [];
    const found = [];
    const look = written => {
        // commands stand between these signs
        const text = written.replace(/`[^`]*`/g, "…");
        for (const each of text.matchAll(/[A-Za-z][\\w.+-]*[A-Za-z]/g))
            found.push([each[0], text.slice(Math.max(0, each.index - 12), each.index + 24).replace(/\\s+/g, " ")]);
    };
    look(document.title);
    // what is written for the machine, and what says that it is of another language
    const apart = "script, style, noscript, template, pre, code, .secret, [lang]:not(html):not([lang^=zh])";
    const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (nodes.nextNode())
        if (!nodes.currentNode.parentElement.closest(apart)) look(nodes.currentNode.data);
    for (const name of ["placeholder", "aria-label", "title", "alt"])
        for (const each of document.querySelectorAll(`[${name}]`))
            if (!each.closest(apart)) look(each.getAttribute(name));
    return found;
}"""


def chromium_program() -> str | None:
    """The system's own."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """The browser, for a whole file of tests; they skip where there is none."""
    program = chromium_program()
    if program is None:
        pytest.skip(NO_CHROMIUM)
    with sync_playwright() as playwright:
        # without a sandbox, as root needs it; it opens pages of ours only
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


class Look:
    """One person's window. At its end nothing may stand on the console: no error, nothing that the policy refused."""

    def __init__(self, browser: Browser, address: str, language: str = "zh-CN", size: tuple[int, int] = DESKTOP):
        self._browser, self.address = browser, address
        self.context = browser.new_context(
            base_url=address, locale=language, viewport={"width": size[0], "height": size[1]}
        )
        # many share the machine
        self.context.set_default_timeout(30_000)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        #: answers that are what was asked for; a form that is not filled in well is answered with 422
        self.expected = ["422"]
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(f"a dialog: {dialog.message}"))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.location["url"].endswith("/favicon.ico"):
            # pages name theirs; for a picture by itself a browser asks sooner or later
            return
        if message.type in ("error", "warning") and not any(each in message.text for each in self.expected):
            self.complaints.append(message.text)

    def heard(self) -> list[str]:
        """What the page complained of since this was asked last: whoever asks tells of it."""
        told, self.complaints = self.complaints, []
        return told

    def fits(self) -> None:
        """Nothing hangs over the side, and nobody is kept out: axe finds nothing."""
        self.is_within_its_width()
        self.keeps_nobody_out()

    def is_within_its_width(self) -> None:
        """Nothing hangs over the side, and no blank is drawn behind a Chinese stop."""
        # a click ends when the next page begins; its sizes come with the style sheet
        self.page.wait_for_load_state()
        wide = self.page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        assert wide[0] <= wide[1], f"{self.page.url} is {wide[0]} wide in {wide[1]}"
        gaps = self.page.evaluate(GAPS)
        assert not gaps, f"{self.page.url} has gaps behind full stops: {gaps}"

    def latin(self) -> list[tuple[str, str]]:
        """The Latin words of a Chinese page, also those that are folded away, each with what stands around it."""
        return [tuple(each) for each in self.page.evaluate(LATIN)]

    def keeps_nobody_out(self) -> None:
        """Axe finds nothing."""
        self.page.evaluate(AXE.read_text("utf-8"))
        # what it found nothing in is not told, and its own loading of sheets and films serves no rule that is asked
        options = {
            "runOnly": {"type": "tag", "values": _RULES},
            # axe leaves it out unless it is asked for
            "rules": {"target-size": {"enabled": True}},
            "resultTypes": ["violations"],
            "preload": False,
        }
        found: list[dict[str, Any]] = self.page.evaluate(
            "options => axe.run(document, options).then(found => found.violations)", options
        )
        told = [f"{each['id']}: {each['help']}: {[node['html'][:200] for node in each['nodes']]}" for each in found]
        assert not told, f"{self.page.url}: " + "\n".join(told)

    def without_scripts(self) -> Page:
        """A window of the same person in English without scripts; whoever asked for it closes its context."""
        (token,) = [each["value"] for each in self.context.cookies() if each["name"] == "broadsheet"]
        context = self._browser.new_context(base_url=self.address, locale="en", java_script_enabled=False)
        context.add_cookies([{"name": "broadsheet", "value": token, "url": self.address}])
        return context.new_page()

    def close(self) -> None:
        """Close the window."""
        self.context.close()
        assert not self.complaints, "\n".join(self.complaints)


@contextlib.contextmanager
def looking(browser: Browser, address: str, language: str = "zh-CN", size: tuple[int, int] = DESKTOP) -> Iterator[Look]:
    """A window for the length of the block."""
    look = Look(browser, address, language, size)
    try:
        yield look
    except BaseException:
        look.context.close()
        raise
    look.close()
