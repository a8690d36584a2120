from __future__ import annotations

from pathlib import Path

from broadcaster.gateways import registry
from tests.gateways.page import EXAMPLES, PAGE, write_page


def test_the_page_is_current(tmp_path: Path) -> None:
    write_page(tmp_path / "gateways.md")
    told = (tmp_path / "gateways.md").read_text(encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == told, "python -m tests.gateways.page"


def test_every_kind_is_on_it() -> None:
    assert {each.kind for each in registry.installed()} == EXAMPLES.keys()
