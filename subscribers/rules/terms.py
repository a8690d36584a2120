"""What a rule is made of, once it is understood: conditions, and how they are put together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Field(StrEnum):
    """What can be asked of a member, by its English word."""

    STATUS = "status"
    #: whole years; somebody whose birthday nobody knows is of no age
    AGE = "age"
    BIRTHDAY = "birthday"
    BIRTH_MONTH = "birth_month"
    BIRTH_DAY = "birth_day"
    #: the first day of the first membership on record
    JOINED = "joined"
    #: whole years since then
    YEARS = "years"
    TAG = "tag"
    NAME = "name"
    EXTERNAL_ID = "external_id"
    ID = "id"
    #: of the number that is used for them
    OPERATOR = "operator"
    #: of the organisation in which they are
    KIND = "kind"
    LEVEL = "level"
    #: a column of the user's own spreadsheet, by its heading
    OWN = "field"


Value = str | int | date


@dataclass(frozen=True, slots=True)
class Everyone:
    """No condition."""


@dataclass(frozen=True, slots=True)
class Away:
    """Living away on the day."""


@dataclass(frozen=True, slots=True)
class Reachable:
    """Has a number that can receive, is in use, and whose holder wants the paper: now, whatever the day."""


@dataclass(frozen=True, slots=True)
class Is:
    """The field is one of these values. `heading`: of the user's own column."""

    field: Field
    values: tuple[Value, ...]
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Starts:
    """The field begins with this."""

    field: Field
    text: str
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """The field is known, and `<`, `<=`, `>` or `>=` this. `heading`: of the user's own column, of whole numbers."""

    field: Field
    sign: str
    value: int | date
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """In this organisation, or with `whole` in it or under it. `names`: a path of names, the end of one, or `#id`.

    Of this and the next two: `at` and `end` are where the rule names it.
    """

    names: str
    whole: bool
    at: int = field(compare=False)
    end: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class OnList:
    """On the list of people of this name, or `#id`."""

    name: str
    at: int = field(compare=False)
    end: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Saved:
    """Whoever is in the saved segment of this name."""

    name: str
    at: int = field(compare=False)
    end: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class InSubtree:
    """A `Place` that was looked up: the path of ids of the organisation."""

    path: str


@dataclass(frozen=True, slots=True)
class InOrganisation:
    """A `Place` without what is under it, looked up."""

    organisation_id: int


@dataclass(frozen=True, slots=True)
class InList:
    """A list of people that was looked up."""

    list_id: int


@dataclass(frozen=True, slots=True)
class Not:
    """Everybody else."""

    term: Rule


@dataclass(frozen=True, slots=True)
class All:
    """Those in every one."""

    terms: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Those in at least one."""

    terms: tuple[Rule, ...]


Named = Place | OnList | Saved
Found = InSubtree | InOrganisation | InList
Leaf = Everyone | Away | Reachable | Is | Starts | Compared | Named | Found
Rule = Leaf | Not | All | AnyOf


def walk(rule: Rule) -> Iterator[Rule]:
    """The rule, and every condition in it, from left to right."""
    left = [rule]
    while left:
        term = left.pop()
        yield term
        match term:
            case Not(inner):
                left.append(inner)
            case All(terms) | AnyOf(terms):
                left += reversed(terms)


def changed(rule: Rule, change: Callable[[Leaf], Rule]) -> Rule:
    """The same rule with other conditions in the places of its own."""
    match rule:
        case Not(term):
            return Not(changed(term, change))
        case All(terms):
            return All(tuple(changed(term, change) for term in terms))
        case AnyOf(terms):
            return AnyOf(tuple(changed(term, change) for term in terms))
    return change(rule)
