"""The organisations of the demo: committees, their general branches by city, and branches under both. All invented."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Nature = Literal["ordinary", "retired", "away"]

#: no city of China is called so
CITIES = ("临澜", "望洲", "青埠", "栖川", "宁岫")
#: each looks after two cities, the last one after the fifth
_COMMITTEES = ("北片委员会", "南片委员会", "直属委员会")
_DISTRICTS = ("城东", "城西", "城南", "城北")
_STREETS = tuple(head + tail for tail in "街门桥苑巷里坊园" for head in "东西南北新柳松梅竹桂河湖")
_DIRECT = ("流动会员分会", "机关分会", "直属分会")

_GENERAL_BRANCHES, _BRANCHES, _DIRECT_BRANCHES = 19, 123, 9
#: fewer members than this do not fill the whole tree
_FULL_FROM = 300


@dataclass(frozen=True, slots=True)
class Branch:
    """A leaf of the tree, where members are, and whom it is mainly for."""

    committee: str
    city: str
    #: "" for a branch directly under its committee
    general_branch: str
    name: str
    nature: Nature

    @property
    def path(self) -> str:
        """As the import takes it: names from the root, with `/`."""
        return "/".join(filter(None, (self.committee, self.general_branch, self.name)))


def grow(members: int) -> list[Branch]:
    """The branches for so many members: 123 of them, fewer below 300 members, never more than members."""
    scale = min(1, members / _FULL_FROM)
    count = max(1, round(_BRANCHES * scale))
    direct = count * _DIRECT_BRANCHES // _BRANCHES
    above = _general_branches(max(1, round(_GENERAL_BRANCHES * scale)))
    branches = []
    streets = iter(_STREETS)
    for i, (committee, city, general_branch) in enumerate(above):
        own = (count - direct + i) // len(above)
        branches += [
            Branch(committee, city, general_branch, f"{next(streets)}分会", "ordinary") for _ in range(max(1, own - 1))
        ]
        if own > 1:
            branches.append(Branch(committee, city, general_branch, "离退休分会", "retired"))
    committees = list(dict.fromkeys(committee for committee, _, _ in above))
    for i in range(direct):
        name = _DIRECT[i // len(committees)]
        nature: Nature = "away" if name == _DIRECT[0] else "ordinary"
        branches.append(Branch(committees[i % len(committees)], "", "", name, nature))
    return branches


def organisation_kinds(members: int = 3143) -> dict[str, str]:
    """What each node of the tree is, by path: `committee`, `general branch` or `branch`."""
    kinds = {}
    for branch in grow(members):
        kinds[branch.committee] = "committee"
        if branch.general_branch:
            kinds[f"{branch.committee}/{branch.general_branch}"] = "general branch"
        kinds[branch.path] = "branch"
    return kinds


def _general_branches(count: int) -> list[tuple[str, str, str]]:
    """Committee, city and name of each, spread evenly over the cities."""
    above: list[tuple[str, str, str]] = []
    for i in range(count):
        city = i * len(CITIES) // count if count >= len(CITIES) else i
        district = _DISTRICTS[[other for _, other, _ in above].count(CITIES[city])]
        above.append((_COMMITTEES[city // 2], CITIES[city], f"{CITIES[city]}{district}联合分会"))
    return above
