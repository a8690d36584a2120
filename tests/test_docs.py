"""The documentation names what there is: every setting, gateway, command, decision and link."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel

from broadcaster import VERSION
from broadcaster.commands.front import NOUNS
from broadcaster.gateways import registry
from broadcaster.gateways.contract import GatewayConfig
from broadcaster.settings import _SPECIAL, Settings

ROOT = Path(__file__).parents[1]
CONFIGURATION = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def keys_of(model: type[BaseModel]) -> set[str]:
    return set(model.model_fields)


def sections() -> dict[str, type[BaseModel]]:
    return {
        name: field.annotation
        for name, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    }


@pytest.mark.parametrize(("section", "model"), sections().items(), ids=list(sections()))
def test_every_setting_is_in_the_configuration_page(section: str, model: type[BaseModel]) -> None:
    for key in keys_of(model):
        assert re.search(rf"`({section}\.)?{key}`|`{key} =", CONFIGURATION), f"{section}.{key}"


def test_every_key_of_every_gateway_is_in_the_configuration_page() -> None:
    for kind in registry.installed():
        assert kind.gateway is not None, kind.reason
        assert f'`kind = "{kind.kind}"`' in CONFIGURATION
        for key in keys_of(kind.gateway.Config) | keys_of(GatewayConfig):
            assert f"`{key}`" in CONFIGURATION, f"{kind.kind}: {key}"


def test_every_variable_of_the_environment_is_in_the_configuration_page() -> None:
    for name in _SPECIAL - {"BROADSHEET_PROGRAM"}:
        assert f"`{name}`" in CONFIGURATION or f"`${name}`" in CONFIGURATION, name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if "://" not in link:
            assert (page.parent / link).exists(), link


def test_every_room_is_on_the_map() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    helpers = {
        "language",
        "locale",
        "words.py",
        "deeds.py",
        "mistakes.py",
        "logs.py",
        "settings.py",
        "program.py",
        "migrations",
        "__pycache__",
        "__init__.py",
    }
    for room in {path.name for path in (ROOT / "broadcaster").iterdir()} - helpers:
        assert room in readme, room


def test_the_version_is_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == VERSION
    assert f"## {VERSION}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs/decisions").glob("*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_of_a_page_can_be_typed(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    nouns = set(re.findall(r"(?:`|^)broadsheet ([a-z]+)", text, re.MULTILINE))
    assert not nouns or "python3 run.py" in text, "a checkout has no `broadsheet`: how it is typed there is said"
    assert nouns <= set(NOUNS), page.name
