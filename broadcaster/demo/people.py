"""A membership that never existed, written as the CSV that any user would import.

Everybody is drawn by a seeded generator: names from the tables of `names`, organisations from `tree`. Mobile numbers
are +86, one of `PREFIXES`, 0000 and four digits: valid, on every operator, and told from living ones at a glance;
landlines are 010 0000 0xxx. Beyond 10,000 members the four digits become more and the zeros fewer.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from broadcaster.demo.names import RARE, full_name
from broadcaster.demo.tree import CITIES, Branch, grow, organisation_kinds
from subscribers.errors import Invalid

#: the day on which everybody has the age that goes with their standing
AS_OF = date(2026, 9, 1)
COLUMNS = ("name", "msisdn", "organisation", "status", "joined_on", "birthday", "subscribed", "tags", "external_id")
#: of every operator, and how many members of a thousand have it
PREFIXES = {"195": 180, "197": 180, "198": 200, "166": 90, "196": 120, "193": 90, "199": 110, "192": 30}

#: the membership whose proportions are kept at every size, and how many of it are out of the ordinary
_MEMBERS, _IN_SERVICE, _PROBATIONARY, _APPLICANTS = 3143, 1869, 40, 34
_AWAY_IN_SERVICE, _AWAY_RETIRED = 112, 48
_WITHOUT_NUMBER, _LANDLINES, _SHARED, _REFUSED = 30, 9, 6, 40
_WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
_TAGS = ("志愿者", "通讯员", "读书会", "合唱队")


@dataclass(frozen=True, slots=True)
class Facts:
    """What the file holds."""

    organisations: int
    members: int
    in_service: int
    not_in_service: int
    #: living away, of either standing
    mobile: int
    #: agreed to receive the paper, on a handset of their own that can
    readers: int
    cities: int


@dataclass(slots=True)
class _Person:
    status: str
    away: bool = False
    branch: int = 0
    birthday: date = AS_OF
    joined_on: date = AS_OF
    name: str = ""
    number: str = ""
    subscribed: str = ""
    tags: str = ""


def write_csv(path: Path, *, members: int = 3143, readers: int = 1800, seed: int = 1) -> Facts:
    """Write the members to `path` in UTF-8, the same file for the same seed, and tell what it holds.

    Some have no number, a landline, or the handset of somebody else in the family (import it with `shared`); some said
    no. Raises `Invalid` if there are more readers than members.
    """
    if not 1 <= readers <= members:
        raise Invalid(
            "{members} members cannot have {readers} readers.",
            hint="Give at least one reader, and no more readers than members.",
            members=members,
            readers=readers,
        )
    rng = random.Random(seed)  # noqa: S311 - reproducible on purpose
    branches = grow(members)
    people = _standings(rng, members)
    _place(rng, people, branches)
    for person in people:
        _live(rng, person)
    _subscribe(rng, people, readers)
    people.sort(key=lambda person: person.branch)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(_row(i, person, branches) for i, person in enumerate(people, start=1))
    in_service = sum(person.status == "in_service" for person in people)
    return Facts(
        organisations=len(organisation_kinds(members)),
        members=members,
        in_service=in_service,
        not_in_service=members - in_service,
        mobile=sum(person.away for person in people),
        readers=readers,
        cities=len({branch.city for branch in branches} & set(CITIES)),
    )


def _share(of: int, members: int) -> int:
    return round(members * of / _MEMBERS)


def _standings(rng: random.Random, members: int) -> list[_Person]:
    statuses = ["in_service"] * _share(_IN_SERVICE, members)
    statuses += ["probationary"] * _share(_PROBATIONARY, members) + ["applicant"] * _share(_APPLICANTS, members)
    statuses = (statuses + ["retired"] * members)[:members]
    rng.shuffle(statuses)
    people = [_Person(status) for status in statuses]
    for status, away in (("in_service", _AWAY_IN_SERVICE), ("retired", _AWAY_RETIRED)):
        of_it = [person for person in people if person.status == status]
        for person in rng.sample(of_it, min(len(of_it), _share(away, members))):
            person.away = True
    return people


def _place(rng: random.Random, people: Sequence[_Person], branches: Sequence[Branch]) -> None:
    """Everybody into a branch, mostly one of their own kind; no branch stays empty."""
    of_nature = {
        nature: [i for i, branch in enumerate(branches) if branch.nature == nature]
        for nature in ("ordinary", "retired", "away")
    }
    for i, person in enumerate(people):
        own = of_nature["away"] if person.away else of_nature["retired"] if person.status == "retired" else []
        if i < len(branches):
            person.branch = i
        elif own and rng.random() < 0.6:
            person.branch = rng.choice(own)
        else:
            person.branch = rng.choice(of_nature["ordinary"])


def _live(rng: random.Random, person: _Person) -> None:
    """A birthday, a day of joining and a name that go together."""
    youngest, oldest, usual = {
        "in_service": (23, 59, 41),
        "retired": (58, 93, 67),
        "probationary": (22, 45, 29),
        "applicant": (20, 40, 27),
    }[person.status]
    age = rng.triangular(youngest, oldest, usual)
    person.birthday = AS_OF - timedelta(days=int(age * 365.25) + 1)
    if person.status in {"in_service", "retired"}:
        latest = min(45, age - 1)
        joined_at = rng.triangular(20, latest, min(26, latest))
        person.joined_on = AS_OF - timedelta(days=int((age - joined_at) * 365.25))
    else:
        person.joined_on = AS_OF - timedelta(days=rng.randrange(1, 360))
    person.name = full_name(rng, int(age))
    if rng.random() < 0.08:
        person.tags = rng.choice(_TAGS)


def _subscribe(rng: random.Random, people: list[_Person], readers: int) -> None:
    """Numbers and wishes: exactly so many readers, of every kind; what is out of the ordinary lies among the others."""
    order = rng.sample(people, len(people))
    first = [
        next((p for p in order if p.status == "retired"), order[0]),
        next((p for p in order if p.away and p.status != "retired"), order[0]),
        next((p for p in order if p.status == "in_service" and not p.away), order[0]),
    ]
    order.sort(key=lambda person: all(person is not one for one in first))
    reading, others = order[:readers], order[readers:]

    for person, number in zip(order, _numbers(rng, len(order)), strict=True):
        person.number = number
    for person in reading:
        person.subscribed = "yes"
    for i, person in enumerate(rng.sample(reading, min(readers, max(len(RARE), readers // 200)))):
        person.name = person.name[:-1] + RARE[i % len(RARE)]

    left = iter(others)
    few = len(others) // 10
    without, landlines, shared, refused = (
        [next(left) for _ in range(min(few, max(1, _share(of, len(people)))))]
        for of in (_WITHOUT_NUMBER, _LANDLINES, _SHARED, _REFUSED)
    )
    for person in without:
        person.number = ""
    for i, person in enumerate(landlines):
        # they agreed, and cannot receive
        person.number, person.subscribed = f"010-0000-{i:04d}", "yes"
    for person, relative in zip(shared, reading, strict=False):
        person.number = relative.number
    for person in refused:
        person.subscribed = "no"


def _numbers(rng: random.Random, count: int) -> list[str]:
    """So many different mobile numbers, as lists have them: mostly plain, some with a prefix, spaces or wide digits."""
    prefixes = rng.choices(list(PREFIXES), list(PREFIXES.values()), k=count)
    endings = rng.sample(range(max(10_000, count)), count)
    return [_written(rng, f"{prefix}{ending:08d}") for prefix, ending in zip(prefixes, endings, strict=True)]


def _written(rng: random.Random, number: str) -> str:
    way = rng.random()
    if way < 0.02:
        return f"+86 {number[:3]} {number[3:7]} {number[7:]}"
    if way < 0.03:
        return f"0086{number}"
    if way < 0.04:
        return number.translate(_WIDE)
    return number


def _row(i: int, person: _Person, branches: Sequence[Branch]) -> tuple[str, ...]:
    return (
        person.name,
        person.number,
        branches[person.branch].path,
        f"{person.status} mobile" if person.away else person.status,
        person.joined_on.isoformat(),
        person.birthday.isoformat(),
        person.subscribed,
        person.tags,
        f"M{i:06d}",
    )
