"""Style and scripts: what is other people's is as they published it, and nothing else is served."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

import httpx2
import pytest

from broadcaster.web.assets import asset
from tests.rules import ROOT

STATIC = ROOT / "broadcaster" / "web" / "static"
FOLDERS = [STATIC / "vendored", ROOT / "tests" / "vendored"]


@pytest.mark.parametrize("folder", FOLDERS, ids=["pages", "tests"])
def test_what_is_vendored_is_as_it_was_published(folder: Path) -> None:
    listed = tomllib.loads((folder / "VENDORED.toml").read_text("utf-8"))
    for name, told in listed.items():
        content = (folder / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == told["sha256"], name
        assert told["version"].encode() in content, name
        assert len((folder / told["licence_file"]).read_text("utf-8")) > 500, name
        assert {"name", "licence", "source"} < told.keys(), name
    licences = {told["licence_file"] for told in listed.values()}
    assert {file.name for file in folder.iterdir()} == listed.keys() | licences | {"VENDORED.toml"}


def test_our_own_style_is_small_and_asks_for_nothing() -> None:
    style = (STATIC / "house.css").read_text("utf-8")
    assert len(style.encode()) <= 12_000
    assert "url(" not in style
    assert "italic" not in style


def test_our_own_script_is_small() -> None:
    assert sum(len(file.read_text("utf-8").splitlines()) for file in STATIC.glob("*.js")) < 200


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_served(site: httpx2.Client) -> None:
    answer = site.get(asset("vendored/pico.min.css"))
    assert answer.headers["content-type"].startswith("text/css")
    assert "max-age" in answer.headers["cache-control"]
    for other in ("nothing.css", "vendored/VENDORED.toml", "../html/base.html", "%2e%2e/assets.py", "", "vendored"):
        assert site.get(f"/static/{other}").status_code == 404
