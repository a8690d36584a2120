"""`python -m tests.screenshots FOLDER`: every page of the newsroom, in both languages, on a desk and on a phone."""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser as Chromium

from broadcaster import migrations
from broadcaster.app import make_web, serve
from broadcaster.newsroom.first_run import first_link
from broadcaster.runtime import Runtime, make_runtime
from broadcaster.settings import Paper, Settings
from broadcaster.tasks.lists import work_on_lists
from broadcaster.web.doors import DECLARED
from tests.browsers import DESKTOP, PHONE, Look, chromium, looking
from tests.newsrooms import PASSWORD, Browser, Signed, add_user, furnish

#: a file, a picture, a part of a page and a word to a script: nothing that anybody looks at by itself
NO_PAGES = frozenset(
    {
        "/editions/{id}/count",
        "/editions/{id}/shown",
        "/items/pictures/{id}",
        "/login/here",
        "/members/imports/{id}/refused",
    }
)
#: of them there are pictures besides those that whoever is signed in sees
APART = ("/first", "/login", "/login/code", "/account/code")
#: shown once more where nothing was written, taken in or sent
EMPTY = (
    "/",
    "/editions",
    "/items",
    "/items/columns",
    "/items/contributed",
    "/items/shared",
    "/members",
    "/members/imports",
    "/members/organisations",
    "/members/segments",
    "/place",
    "/search?q=zz",
    "/p",
)
#: what is not there, not found, or cannot be read
WRONG = ("/nowhere", "/editions/99", "/p/99", "/items?q=zz", "/members?q=zz", "/members?rule=age%20%3E", "/p?q=zz")
#: what stands for `{...}` in an address
_PATHS = {"{id}": "1", "{name}": "0", "{number}": "1"}
_LANGUAGES = {"zh": "zh-CN", "en": "en"}
_SIZES = {"desktop": DESKTOP, "phone": PHONE}


def inside() -> list[str]:
    """The paths of pages that whoever is signed in sees, with fields in them."""
    shown = {path for (method, path) in DECLARED if method == "GET"}
    return sorted(shown - NO_PAGES - set(APART))


def main(folder: Path) -> None:
    """Take them all."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, chromium() as browser:
        house = make_runtime(Settings(data=Path(data), paper=Paper(name="晨晖手机报", signature="【晨晖】")))
        migrations.upgrade(house.engine)
        try:
            web = make_web(house)
            with serve(web, "127.0.0.1", 0) as address:
                walk = Walk(browser, address, folder)
                walk.go("before", ["/", first_link(web, address).removeprefix(address[:-1])])
                add_user(house, "wang", "admin")
                add_user(house, "li", "editor")
                add_user(house, "zhao", "viewer")
                walk.go("outside", ["/login"])
                cookie = Signed(house, "wang").token
                walk.go("empty", EMPTY, cookie)
                walk.go("own", ["/account/code"], Signed(house, "li", has_code=False).token)
                walk.go("halfway", ["/login/code"], name="wang")
                furnish(house)
                walk.go("reading", ["/p", "/p/1", "/p/1?z=3"])
                hand_in(house, address, cookie, taken=True)
                token = hand_in(house, address, cookie)
                walk.go("inside", [path.replace("{token}", token) for path in inside()], cookie)
                walk.go("wrong", WRONG, cookie)
                walk.go("refused", ["/settings/users"], Signed(house, "zhao").token)
        finally:
            house.close()
    sys.stdout.write(f"{len(list(folder.glob('*.png')))} pictures in {folder}\n")


def hand_in(house: Runtime, address: str, cookie: str, *, taken: bool = False) -> str:
    """The name of a list that was handed in, to be seen looked at; or `taken` in."""
    visitor = Browser(address)
    with visitor.client:
        visitor.client.cookies["broadsheet"] = cookie
        form = re.search(r'form_token" value="([0-9a-f]{64})"', visitor.get("/members/import").text)
        assert form
        rows = "姓名,手机,支部,职务\n王秀兰,19900007771,东城/东街分会,组长\n赵平,19900007772,东城/新分会,\n坏,1,东城,\n"
        answer = visitor.client.post(
            "/members/import", data={"form_token": form[1]}, files={"file": ("list.csv", rows.encode())}
        )
        work_on_lists(house)
        token = answer.headers["location"].rpartition("/")[2]
        if taken:
            visitor.client.post(f"/members/import/{token}/take", data={"form_token": form[1], "agreed": "signed"})
            work_on_lists(house)
        return token


class Walk:
    """From page to page, in each language and size."""

    def __init__(self, browser: Chromium, address: str, folder: Path) -> None:
        self._browser, self._address, self._folder = browser, address, folder

    def go(self, when: str, paths: Iterable[str], cookie: str = "", *, name: str = "") -> None:
        """Take pictures of these pages; `cookie`: whose, or with the password of `name` typed."""
        for language, locale in _LANGUAGES.items():
            for kind, size in _SIZES.items():
                with looking(self._browser, self._address, locale, size) as look:
                    look.expected += ["403", "404"]
                    if cookie:
                        look.context.add_cookies([{"name": "broadsheet", "value": cookie, "url": self._address}])
                    if name:
                        look.page.goto("/login")
                        look.page.locator("[name=name]").fill(name)
                        look.page.locator("[name=password]").fill(PASSWORD)
                        look.page.locator("main [type=submit]").click()
                        look.page.wait_for_url("**/login/code")
                    for path in paths:
                        self._take(look, when, path, f"{language}-{kind}")

    def _take(self, look: Look, when: str, path: str, kind: str) -> None:
        for field, value in _PATHS.items():
            path = path.replace(field, value)
        look.page.goto(path)
        at = urlsplit(look.page.url).path
        assert at == path.partition("?")[0], f"{path} leads to {at}: no picture of it"
        look.fits()
        called = re.sub(r"[^\w-]+", "-", path.strip("/")) or "home"
        # the menu at the foot of a phone would lie over the middle of a long page
        unfixed = ".menu { position: static !important; }"
        look.page.screenshot(path=self._folder / f"{when}-{called}-{kind}.png", full_page=True, style=unfixed)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="run.py screenshots", description=__doc__)
    parser.add_argument("folder", type=Path, help="where they are written")
    main(parser.parse_args().folder)
