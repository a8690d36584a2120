"""`python -m tests.screenshots FOLDER`: every page of the newsroom, in both languages, on a desk and on a phone."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from playwright.sync_api import Browser as Chromium

from broadcaster import migrations
from broadcaster.app import make_web, serve
from broadcaster.runtime import make_runtime
from broadcaster.settings import Paper, Settings
from tests.browsers import DESKTOP, PHONE, chromium, looking
from tests.every_page import NOTHING_YET, Shown, before, come_first, open_page, passes, settle

_LANGUAGES = {"zh": "zh-CN", "en": "en"}
_SIZES = {"desktop": DESKTOP, "phone": PHONE}
# the menu at the foot of a phone would lie over the middle of a long page
_UNFIXED = "document.querySelectorAll('.menu').forEach(menu => menu.style.position = 'static')"


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
                walk.go("before", before(web, address), {})
                come_first(house)
                walk.go("empty", NOTHING_YET, passes(house))
                pages = settle(house, address)
                walk.go("full", pages, passes(house))
        finally:
            house.close()
    sys.stdout.write(f"{len(list(folder.glob('*.png')))} pictures in {folder}\n")


class Walk:
    """From page to page, in each language and size."""

    def __init__(self, browser: Chromium, address: str, folder: Path) -> None:
        self._browser, self._address, self._folder = browser, address, folder

    def go(self, when: str, pages: Sequence[Shown], cookies: Mapping[str, str]) -> None:
        """Take pictures of these pages; `cookies`: by who looks."""
        for language, locale in _LANGUAGES.items():
            for kind, size in _SIZES.items():
                with looking(self._browser, self._address, locale, size) as look:
                    for shown in pages:
                        open_page(look, shown, cookies.get(shown.who, ""))
                        look.fits()
                        picture = self._folder / f"{when}-{shown.name}-{language}-{kind}.png"
                        look.page.evaluate(_UNFIXED)
                        look.page.screenshot(path=picture, full_page=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="run.py screenshots", description=__doc__)
    parser.add_argument("folder", type=Path, help="where they are written")
    main(parser.parse_args().folder)
