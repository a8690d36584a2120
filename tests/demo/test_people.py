"""The invented membership: exact counts, plausible people, the same file for the same seed."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import phonenumbers
import pytest
from phonenumbers import carrier

from broadcaster.demo.people import AS_OF, COLUMNS, PREFIXES, Facts, write_csv
from broadcaster.demo.tree import CITIES, grow, organisation_kinds
from subscribers import msisdn
from subscribers.errors import Invalid
from subscribers.models import NumberKind

Row = dict[str, str]


def made(folder: Path, **wanted: int) -> tuple[Facts, list[Row]]:
    facts = write_csv(folder / "members.csv", **wanted)
    with (folder / "members.csv").open(encoding="utf-8", newline="") as file:
        return facts, list(csv.DictReader(file))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Facts, list[Row]]:
    return made(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="module")
def rows(whole: tuple[Facts, list[Row]]) -> list[Row]:
    return whole[1]


def reachable(row: Row) -> bool:
    return bool(row["msisdn"]) and msisdn.parse(row["msisdn"]).kind is NumberKind.MOBILE


def reading(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["subscribed"] == "yes" and reachable(row)]


def nodes(rows: list[Row]) -> Iterator[str]:
    for row in rows:
        names = row["organisation"].split("/")
        for depth in range(1, len(names) + 1):
            yield "/".join(names[:depth])


def years(row: Row, until: date = AS_OF) -> float:
    return (until - date.fromisoformat(row["birthday"])).days / 365.25


def test_the_membership_that_was_asked_for(whole: tuple[Facts, list[Row]]) -> None:
    facts, rows = whole
    assert facts == Facts(145, 3143, 1869, 1274, 160, 1800, 5)
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 3143
    assert sum(row["status"].startswith("in_service") for row in rows) == 1869
    assert sum("mobile" in row["status"] for row in rows) == 160
    assert len(reading(rows)) == 1800
    assert len(set(nodes(rows))) == 145


def test_standings(rows: list[Row]) -> None:
    standings = Counter(row["status"] for row in rows)
    assert standings == {
        "in_service": 1757,
        "in_service mobile": 112,
        "retired": 1152,
        "retired mobile": 48,
        "probationary": 40,
        "applicant": 34,
    }


def test_the_tree() -> None:
    kinds = organisation_kinds()
    assert Counter(kinds.values()) == {"committee": 3, "general branch": 19, "branch": 123}
    assert all(path.count("/") == 0 for path, kind in kinds.items() if kind == "committee")
    assert {path.count("/") for path, kind in kinds.items() if kind == "branch"} == {1, 2}
    assert all(any(city in path for path in kinds) for city in CITIES)
    assert {path.rpartition("/")[0] for path in kinds} - {""} <= set(kinds)


def test_nodes_of_the_file_are_those_of_the_tree(rows: list[Row]) -> None:
    assert set(nodes(rows)) == set(organisation_kinds())


@pytest.mark.parametrize("members", [*range(1, 60), 100, 150, 299, 300, 301, 20_000])
def test_the_tree_shrinks_with_the_membership(members: int) -> None:
    branches = grow(members)
    paths = [branch.path for branch in branches]
    assert len(paths) == len(set(paths))
    assert 1 <= len(branches) <= members
    assert len(branches) == 123 if members >= 300 else len(branches) <= round(members * 123 / 300) + 1
    assert sum(branch.nature == "ordinary" for branch in branches) >= len(branches) / 2


@pytest.mark.parametrize(
    ("members", "readers"), [(1, 1), (2, 1), (7, 3), (50, 20), (100, 100), (299, 150), (400, 250), (12_000, 6_000)]
)
def test_other_sizes(tmp_path: Path, members: int, readers: int) -> None:
    facts, rows = made(tmp_path, members=members, readers=readers)
    assert len(rows) == facts.members == facts.in_service + facts.not_in_service == members
    assert len(reading(rows)) == facts.readers == readers
    assert len(set(nodes(rows))) == facts.organisations
    assert len({row["msisdn"] for row in reading(rows)}) == readers
    assert abs(facts.in_service - members * 1869 / 3143) <= 1
    if readers >= 20:
        kinds = {(row["status"].split()[0] == "retired", "mobile" in row["status"]) for row in reading(rows)}
        assert {(True, False), (False, True), (False, False)} <= kinds


@pytest.mark.parametrize(("members", "readers"), [(10, 11), (0, 0), (10, 0), (-1, -1)])
def test_impossible_sizes(tmp_path: Path, members: int, readers: int) -> None:
    with pytest.raises(Invalid, match="members cannot have"):
        write_csv(tmp_path / "members.csv", members=members, readers=readers)
    assert not (tmp_path / "members.csv").exists()


def test_the_seed_decides(tmp_path: Path) -> None:
    first, second, other = (tmp_path / name for name in ("first.csv", "second.csv", "other.csv"))
    for file, seed in ((first, 7), (second, 7), (other, 8)):
        write_csv(file, members=300, readers=200, seed=seed)
    assert first.read_bytes() == second.read_bytes() != other.read_bytes()


def test_mobile_numbers(rows: list[Row]) -> None:
    mobiles = [msisdn.parse(row["msisdn"]).msisdn for row in rows if reachable(row)]
    assert Counter(Counter(mobiles).values())[2] == 6
    for number in mobiles:
        assert phonenumbers.is_valid_number(phonenumbers.parse(number))
        assert re.fullmatch(r"\+86(\d{3})0000\d{4}", number)
        assert number[3:6] in PREFIXES
    assert {carrier.name_for_number(phonenumbers.parse(n), "zh") for n in mobiles[:500]} == {
        "中国移动",
        "中国联通",
        "中国电信",
        "中国广电",
    }


def test_who_cannot_be_reached(rows: list[Row]) -> None:
    assert sum(not row["msisdn"] for row in rows) == 30
    landlines = [row for row in rows if row["msisdn"] and not reachable(row)]
    assert [row["subscribed"] for row in landlines] == ["yes"] * 9
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(row["msisdn"], "CN")) for row in landlines)


def test_a_shared_handset_has_one_reader(rows: list[Row]) -> None:
    wishes: dict[str, list[str]] = {}
    for row in filter(reachable, rows):
        wishes.setdefault(msisdn.parse(row["msisdn"]).msisdn, []).append(row["subscribed"])
    assert [sorted(said) for said in wishes.values() if len(said) > 1] == [["", "yes"]] * 6


def test_wishes(rows: list[Row]) -> None:
    assert Counter(row["subscribed"] for row in rows) == {"yes": 1809, "no": 40, "": 1294}


def test_numbers_are_written_as_people_write_them(rows: list[Row]) -> None:
    ways = Counter(re.sub(r"\d", "9", row["msisdn"]) if row["msisdn"].isascii() else "wide" for row in rows)
    assert set(ways) == {"", "999-9999-9999", "99999999999", "+99 999 9999 9999", "999999999999999", "wide"}
    assert ways["99999999999"] > len(rows) * 0.9


def test_names(rows: list[Row]) -> None:
    names = [row["name"] for row in rows]
    assert {len(name) for name in names} == {2, 3, 4}
    assert any(name.startswith("欧阳") for name in names)
    readers = "".join(row["name"] for row in reading(rows))
    assert all(rare in readers for rare in "𠮷㛃喆")
    assert len(set(names)) > len(names) / 2


def test_ages(rows: list[Row]) -> None:
    for row in rows:
        standing = row["status"].split()[0]
        low, high = {"in_service": (23, 60), "retired": (58, 94)}.get(standing, (20, 46))
        assert low <= years(row) <= high
        assert years(row, date.fromisoformat(row["joined_on"])) >= 18
        assert row["joined_on"] <= AS_OF.isoformat()
        if standing in {"probationary", "applicant"}:
            assert (AS_OF - date.fromisoformat(row["joined_on"])).days < 366


def test_retired_and_away_are_mostly_together(rows: list[Row]) -> None:
    own = [row["organisation"].endswith("离退休分会") for row in rows if row["status"] == "retired"]
    away = [row["organisation"].endswith("流动会员分会") for row in rows if "mobile" in row["status"]]
    assert sum(own) > len(own) / 2
    assert sum(away) > len(away) / 2


def test_external_ids_are_unique(rows: list[Row]) -> None:
    assert len({row["external_id"] for row in rows}) == len(rows)
