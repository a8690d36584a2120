"""`python -m tests.screenshots FOLDER`: every page of the newsroom, in both languages, on a desk and on a phone."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser as Chromium

from broadcaster import migrations
from broadcaster.app import make_web, serve
from broadcaster.newsroom.first_run import first_link
from broadcaster.runtime import Runtime, make_runtime
from broadcaster.settings import Paper, Settings
from broadcaster.tasks.lists import work_on_lists
from broadcaster.web.doors import DECLARED
from tests.browsers import DESKTOP, PHONE, Look, chromium, looking
from tests.newsrooms import Browser, Signed, add_user, furnish

#: what stands for `{...}` in an address
_PATHS = {"{id}": "1", "{name}": "0", "{number}": "1"}
_LANGUAGES = {"zh": "zh-CN", "en": "en"}


def main(folder: Path) -> None:
    """Take them all."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, chromium() as browser:
        house = make_runtime(Settings(data=Path(data), paper=Paper(name="晨晖手机报", signature="【晨晖】")))
        migrations.upgrade(house.engine)
        try:
            web = make_web(house)
            with serve(web, "127.0.0.1", 0) as address:
                _walk(browser, address, folder, "before", ["/", first_link(web, address).removeprefix(address[:-1])])
                add_user(house, "wang", "admin")
                add_user(house, "li", "editor")
                _walk(browser, address, folder, "outside", ["/login"])
                furnish(house)
                _walk(browser, address, folder, "reading", ["/p", "/p/1", "/p/1?z=3"])
                cookie = Signed(house, "wang").token
                _hand_in(house, address, cookie, taken=True)
                _PATHS["{token}"] = _hand_in(house, address, cookie)
                shown = [path for (method, path) in sorted(DECLARED) if method == "GET"]
                # a file and no page
                shown.remove("/members/imports/{id}/refused")
                shown.remove("/items/pictures/{id}")
                pages = [path for path in shown if not path.startswith(("/login", "/first"))]
                _walk(browser, address, folder, "inside", pages, cookie)
        finally:
            house.close()
    sys.stdout.write(f"{len(list(folder.glob('*.png')))} pictures in {folder}\n")


def _hand_in(house: Runtime, address: str, cookie: str, *, taken: bool = False) -> str:
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


def _walk(browser: Chromium, address: str, folder: Path, when: str, paths: list[str], cookie: str = "") -> None:
    for language, locale in _LANGUAGES.items():
        for name, size in (("desktop", DESKTOP), ("phone", PHONE)):
            with looking(browser, address, locale, size) as look:
                if cookie:
                    look.context.add_cookies([{"name": "broadsheet", "value": cookie, "url": address}])
                for path in paths:
                    _take(look, folder, when, path, f"{language}-{name}")


def _take(look: Look, folder: Path, when: str, path: str, kind: str) -> None:
    for field, value in _PATHS.items():
        path = path.replace(field, value)
    look.page.goto(path)
    look.fits()
    called = path.partition("?")[0].strip("/").replace("/", "-") or "home"
    look.page.screenshot(path=folder / f"{when}-{called}-{kind}.png", full_page=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
