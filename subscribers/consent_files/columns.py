"""Which column of a file of wishes is what; a bare list of numbers has none and needs none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from subscribers import msisdn
from subscribers.cells import unprotect
from subscribers.errors import Invalid
from subscribers.importing.columns import HEADINGS as OF_MEMBERS
from subscribers.sheets import Row, Sample
from subscribers.sheets.headings import plain_heading

#: field -> headings, the more telling one first
HEADINGS = {
    "msisdn": f"{OF_MEMBERS['msisdn']} number 号码 黑名单号码 退订号码",
    "wish": "wish consent subscribed subscribe 意愿 订阅 是否订阅 是否同意 状态",
    "source": "source channel 来源 渠道 途径",
    "wording": "wording words evidence text 原话 内容 依据 凭证 证据 说明 备注",
    "at": "at time date 时间 日期 退订时间 退订日期 登记时间 同意时间",
    "topic": "topic column 栏目 主题",
}
FIELDS = tuple(HEADINGS)

_RANKS = {
    heading: (field, rank) for field, headings in HEADINGS.items() for rank, heading in enumerate(headings.split())
}


@dataclass(frozen=True, slots=True)
class Columns:
    """The row of headings: its number (0: there is none), its cells, and where each field stands."""

    row: int
    headings: tuple[str, ...]
    fields: dict[str, int]


def find_columns(samples: Sequence[Sample], file: str, region: str) -> tuple[Columns, Sample]:
    """The way to read the file by which most is understood. Raises `Invalid` if nothing is."""
    found = [(columns, sample) for sample in samples if (columns := _headed(sample.rows))]
    if found:
        return max(found, key=lambda one: len(one[0].fields))
    for sample in samples:
        if sample.rows and _is_list_of_numbers(sample.rows, region):
            return Columns(0, ("msisdn",), {"msisdn": 0}), sample
    raise Invalid(
        "{file} has no row of headings with a number.",
        hint="Write msisdn,wish,source,wording,at (or 手机,意愿,来源,原话,时间) over the columns; "
        "only msisdn must be there.",
        file=file,
    )


def _headed(rows: Sequence[Row]) -> Columns | None:
    for number, cells in rows:
        fields: dict[str, tuple[int, int]] = {}
        for index, cell in enumerate(cells):
            field, rank = _RANKS.get(plain_heading(cell), ("", 0))
            if field and (field not in fields or rank < fields[field][0]):
                fields[field] = (rank, index)
        if "msisdn" in fields:
            headings = tuple(unprotect(cell.strip()) for cell in cells)
            return Columns(number, headings, {field: index for field, (_, index) in fields.items()})
    return None


def _is_list_of_numbers(rows: Sequence[Row], region: str) -> bool:
    cells = [[cell.strip() for cell in cells if cell.strip()] for _, cells in rows]
    filled = [one for one in cells if one]
    if not filled or any(len(one) > 1 for one in filled):
        return False
    try:
        msisdn.parse(unprotect(filled[0][0]).strip(), region)
    except Invalid:
        return False
    return True
