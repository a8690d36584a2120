from __future__ import annotations

import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from broadcaster.gateways import registry
from broadcaster.gateways.contract import GatewayContext
from broadcaster.gateways.errors import Misconfigured
from broadcaster.gateways.registry import KindStatus, gateway_class, installed, make
from broadcaster.gateways.simulator import SimulatorGateway

KINDS = ", ".join(kind.kind for kind in installed())


@pytest.fixture
def context(tmp_path: Path) -> GatewayContext:
    return GatewayContext(tmp_path, ZoneInfo("Asia/Shanghai"))


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Install a package with one module and one entry point, as pip would leave it."""
    site = tmp_path / "site"
    monkeypatch.syspath_prepend(str(site))

    def install(kind: str, source: str, *, module: str = "", attribute: str = "MyGateway") -> None:
        monkeypatch.delitem(sys.modules, f"a_{kind}", raising=False)
        info = site / f"a_{kind}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: a-{kind}\nVersion: 1.0\n")
        points = f"[broadsheet.gateways]\n{kind} = {module or f'a_{kind}'}:{attribute}\n"
        (info / "entry_points.txt").write_text(points)
        (site / f"a_{kind}.py").write_text(source)

    return install


def status(kind: str) -> tuple[KindStatus, str]:
    (found,) = (each for each in installed() if each.kind == kind)
    return found.status, found.reason


def test_the_simulator_is_there() -> None:
    assert status("simulator") == (KindStatus.LOADED, "")
    assert gateway_class("simulator") is SimulatorGateway


def test_a_clone_that_was_never_installed_has_the_same_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "entry_points", lambda **_: ())
    assert status("simulator") == (KindStatus.LOADED, "")


def test_an_installation_without_the_source_tree(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, install, context: GatewayContext
) -> None:
    monkeypatch.setattr(registry, "_CHECKOUT", tmp_path / "none.toml")
    install("copy", "from broadcaster.gateways.simulator import SimulatorGateway as MyGateway\n")
    assert isinstance(make("x", {"kind": "copy"}, context), SimulatorGateway)


@pytest.mark.parametrize(
    ("source", "wanted", "words"),
    [
        ("import a_package_nobody_has\n", KindStatus.MISSING_EXTRA, "a_package_nobody_has is not installed"),
        ("import a_package_nobody_has\n", KindStatus.MISSING_EXTRA, "pip install 'a-odd[odd]'"),
        ("1 / 0\n", KindStatus.LOAD_ERROR, "ZeroDivisionError: division by zero"),
        ("Other = 1\n", KindStatus.LOAD_ERROR, "MyGateway"),
        ("MyGateway = 1\n", KindStatus.LOAD_ERROR, "a_odd:MyGateway is not a gateway"),
        ("class MyGateway: ...\n", KindStatus.LOAD_ERROR, "a_odd:MyGateway is not a gateway"),
    ],
)
def test_a_kind_that_does_not_load_disturbs_no_other(
    install, context: GatewayContext, source: str, wanted: KindStatus, words: str
) -> None:
    install("odd", source)
    found, reason = status("odd")
    assert found is wanted
    assert words in reason
    assert status("simulator") == (KindStatus.LOADED, "")
    with pytest.raises(Misconfigured, match="Gateway kind odd cannot be used"):
        make("x", {"kind": "odd"}, context)


def test_a_kind_whose_own_module_is_missing(install) -> None:
    install("lost", "", module="a_module_that_is_not_there")
    assert status("lost") == (KindStatus.LOAD_ERROR, "No module named 'a_module_that_is_not_there'.")


def test_made_as_its_table_says(context: GatewayContext) -> None:
    gateway = make("carrier", {"kind": "simulator", "seed": "7", "sender": "10690000"}, context)
    assert (gateway.name, gateway.kind, gateway.config.sender) == ("carrier", "simulator", "10690000")
    assert gateway.capabilities.inbound


@pytest.mark.parametrize(
    ("settings", "lines"),
    [
        ({}, [f"[gateways.carrier] does not say its kind. There are: {KINDS}."]),
        ({"kind": 3}, [f"[gateways.carrier] does not say its kind. There are: {KINDS}."]),
        (
            {"kind": "simulater"},
            [f"There is no kind of gateway named simulater. Did you mean simulator? There are: {KINDS}."],
        ),
        ({"kind": "xyz"}, [f"There is no kind of gateway named xyz. There are: {KINDS}."]),
        (
            {"kind": "simulator", "sneder": "1", "window": "many", "zzz": 1},
            [
                "[gateways.carrier] cannot be used:",
                "  window: must be a whole number.",
                "  sneder: unknown key. Did you mean sender?",
                "  zzz: unknown key.",
            ],
        ),
        (
            {"kind": "simulator", "failed": 0.9, "late": 0.9},
            [
                "[gateways.carrier] cannot be used:",
                "  refused, blacklisted, failed, never and late together are more than 1",
            ],
        ),
    ],
)
def test_a_wrong_table_is_a_line_for_each_key(
    context: GatewayContext, settings: dict[str, object], lines: list[str]
) -> None:
    with pytest.raises(Misconfigured) as raised:
        make("carrier", settings, context)
    assert str(raised.value).splitlines() == lines
    assert raised.value.hint
    assert raised.value.exit_code == 2


def test_a_wrong_key_never_shows_its_value(context: GatewayContext) -> None:
    with pytest.raises(Misconfigured) as raised:
        make("carrier", {"kind": "simulator", "passwrod": "hunter2", "port": "hunter2"}, context)
    assert "hunter2" not in f"{raised.value} {raised.value.fields}"


@pytest.mark.parametrize("name", ["", "../elsewhere", "a/b", "网关", "a b", "x" * 41])
def test_a_name_that_cannot_stand_in_a_path_is_refused(context: GatewayContext, name: str) -> None:
    with pytest.raises(Misconfigured, match="cannot be called"):
        make(name, {"kind": "simulator"}, context)


@pytest.mark.parametrize(
    ("key", "value"),
    [("window", 10**11), ("window", 0), ("receipt_timeout", 1e300), ("price", "1e400"), ("price", "-1"), ("binds", 0)],
)
def test_figures_that_nobody_means_are_refused(context: GatewayContext, key: str, value: object) -> None:
    with pytest.raises(Misconfigured, match=key):
        make("carrier", {"kind": "simulator", key: value}, context)
