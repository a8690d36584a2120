"""The whole way by clicks: an empty installation, a list, an edition with three variants, a proof, a send."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser

from broadcaster.app import make_web
from broadcaster.binds import holding
from broadcaster.newsroom.first_run import first_link
from broadcaster.runtime import Runtime
from tests.browsers import DESKTOP, PHONE, looking
from tests.commands.conftest import bare
from tests.databases import Clock
from tests.newsroom.journeys import CHINESE, ENGLISH, Way
from tests.newsroom.test_proof_in_a_browser import arrived
from tests.rules import ROOT
from tests.websites import hosted

#: the whole way, beside whatever else the machine has to do
pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_from_an_empty_installation_to_a_proof(
    house: Runtime, chrome: Browser, clock: Clock, tmp_path: Path, size: tuple[int, int]
) -> None:
    web = make_web(house)
    with hosted(web) as address, holding(house), looking(chrome, address, "zh-CN", size) as look:
        page, way = look.page, Way(look, CHINESE)
        way.begin(first_link(web, address), lambda phone: phone.at(clock()))
        way.take_in(tmp_path)
        way.write_all()
        way.begin_edition()
        way.press("Begin with these")
        way.put_in()
        way.choose_variants()
        way.check()
        arrived(house, page)
        look.fits()
        # a send is made of it, and made anew after a word was changed
        way.press("Make a send of it")
        page.get_by_role("status").get_by_text("发送任务 1 建好了").wait_for()
        page.get_by_role("link", name="‹ 第 1 期").click()
        page.locator(".placed summary", has_text="今天起供暖。").click()
        page.locator(".placed textarea:visible").fill("明天起供暖。")
        page.locator(".placed").get_by_role("button", name="保存").locator("visible=true").click()
        page.get_by_role("button", name="按现在的文字重新生成发送任务 1").click()
        page.get_by_role("status").get_by_text("发送任务 2 建好了").wait_for()
        look.fits()


def test_by_what_up_prints_in_a_folder_of_nothing(chrome: Browser, tmp_path: Path) -> None:
    """In English, with the one command that everybody types, and its own workers and gateway behind it."""
    data = {"BROADSHEET_DATA": str(tmp_path / "data"), "BROADSHEET_LANG": "en", "XDG_CONFIG_HOME": str(tmp_path)}
    command = [sys.executable, str(ROOT / "run.py"), "up", "--port", "0"]
    with subprocess.Popen(command, cwd=tmp_path, env={**bare(), **data}, stdout=subprocess.PIPE, text=True) as up:
        try:
            assert up.stdout is not None
            told = ""
            # a narrow terminal has the address in a line of its own
            while (link := re.search(r"Nobody works here yet\. To begin, open\s+(http://\S+)\n", told)) is None:
                line = up.stdout.readline()
                assert line, told
                told += line
            address = re.match(r"Broadsheet is running at (http://127\.0\.0\.1:\d+/)\. Ctrl-C ends it\.\n", told)
            assert address, told
            with looking(chrome, address[1], "en", DESKTOP) as look:
                page, way = look.page, Way(look, ENGLISH)
                way.begin(link[1], pyotp.TOTP.now)
                way.take_in(tmp_path)
                # organisations: those of the list, and one more
                way.follow("Members")
                way.follow("Organisations")
                page.get_by_role("row", name="East").get_by_text("2").wait_for()
                page.get_by_text(way.say("One more at the top")).click()
                way.type("Name of the organisation", "North")
                way.press("Add the organisation")
                way.is_told("Added: {name}.", name="North")
                # columns: those that are offered, one of them called otherwise
                way.follow("Items")
                way.follow("Columns")
                way.press("Begin with these")
                page.get_by_role("row", name="Care").locator("summary").click()
                page.get_by_role("row", name="Care").get_by_label(way.say("Name of the column")).fill("Health")
                page.get_by_role("row", name="Care").get_by_role("button", name=way.say("Change")).click()
                way.is_told("Changed: {name}.", name="Health")
                way.write_all()
                way.begin_edition()
                page.locator("h2 > span", has_text="Health").wait_for()
                way.put_in()
                way.choose_variants()
                way.check()
                page.locator("#proofs").get_by_text("delivered").first.wait_for(timeout=60_000)
                look.fits()
        finally:
            up.send_signal(signal.SIGINT)
            up.communicate(timeout=60)
    assert up.returncode in (0, 130)
