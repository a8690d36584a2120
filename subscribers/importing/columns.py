"""Which column is what: the row of headings is found, and its words are understood."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from subscribers.cells import unprotect
from subscribers.errors import Invalid
from subscribers.sheets import Row
from subscribers.sheets.headings import plain_heading

#: field -> headings, the more telling one first: of two columns for one field it is the one that counts
HEADINGS = {
    "name": "name fullname 姓名 名字 成员姓名 会员姓名",
    "msisdn": "msisdn mobile mobilephone mobilenumber cellphone phone phonenumber telephone tel "
    "手机 手机号 手机号码 移动电话 联系手机 电话 电话号码 联系电话 联系方式",
    "other_numbers": "othernumbers othernumber secondnumber msisdn2 phone2 mobile2 "
    "其他号码 其他电话 其它号码 其它电话 备用号码 备用电话 第二号码 手机2 电话2",
    "organisation": "organisation organization branch unit 组织 支部 所属组织 所属支部 所在组织 所在支部 单位 部门 "
    "所在单位 department 行政村 所在村 村 村名 村庄 village 社区 所在社区 community 自然村 村民小组 小组 街道 所在街道",
    "status": "status category 状态 人员状态 会员状态 类别 人员类别 身份",
    "away_place": "awayplace livesin residence 流入地 流动去向 现居住地 外出地点 外出地",
    "host_branch": "hostbranch 流入支部 流入党组织 流入地支部 接收支部 接收组织",
    "joined_on": "joinedon joined joindate 入会日期 加入日期 入会时间 加入时间 入党日期 入党时间",
    "birthday": "birthday birthdate dateofbirth 生日 出生日期 出生年月日 出生年月",
    "subscribed": "subscribed subscribe consent agreed optin 订阅 是否订阅 愿意接收 是否愿意接收 同意接收 是否同意接收 "
    "接收短信 是否接收短信 愿意接收短信 是否愿意接收短信 同意接收短信 是否同意接收短信 是否接收 愿意 是否愿意 "
    "同意 是否同意",
    "tags": "tags tag 标签",
    "external_id": "externalid memberid id 编号 会员编号 工号",
}
FIELDS = tuple(HEADINGS)
#: headings over statuses that stand over other things as well
OF_MANY_THINGS = frozenset({"身份", "类别", "category"})
#: columns that a file of refused rows has beside its own
REFUSED_ROW, REFUSED_REASON = "refused_row", "refused_reason"

_RANKS = {
    heading: (field, rank) for field, headings in HEADINGS.items() for rank, heading in enumerate(headings.split())
}
#: those, as the command line and the newsroom call them in either language: the file may come back corrected
_IGNORED = ("refusedrow", "refusedreason", "未通过的行", "未通过的原因")
#: what a heading has in it over a column of organisations that are called something else
_LIKE_PLACES = re.compile(
    "^所[在属]|[村社区镇乡街屯寨组队厂校班科院部局站](名称?)?$|branch|unit|group|team|village|town|district|office"
)


def is_of_refusal(heading: str) -> bool:
    """Whether a column is one that a file of refused rows has beside its own."""
    return plain_heading(heading) in _IGNORED


@dataclass(frozen=True, slots=True)
class Columns:
    """The row of headings: its number, its cells, where each field stands, and the others by their headings."""

    row: int
    headings: tuple[str, ...]
    fields: Mapping[str, int]
    others: Mapping[str, int]


def find_columns(rows: Sequence[Row], mapping: Mapping[str, str]) -> Columns | None:
    """The first row that has a heading for names and one for numbers or external ids; None if there is none.

    `mapping`: headings of this file -> field, where the usual words do not do; "" for a column that is none of them.
    Raises `Invalid` for a heading twice.
    """
    mapped = {plain_heading(heading): field for heading, field in mapping.items()}
    for number, cells in rows:
        fields = _fields(cells, mapped)
        if "name" in fields and ("msisdn" in fields or "external_id" in fields):
            return _columns(number, cells, fields)
    return None


def check_mapping(columns: Columns, mapping: Mapping[str, str]) -> None:
    """Raises `Invalid` if the mapping names a heading that is not there."""
    plain = {plain_heading(heading) for heading in columns.headings}
    for heading in mapping:
        if plain_heading(heading) not in plain:
            raise Invalid(
                "There is no column {heading}.",
                hint="There are: {headings}.",
                heading=heading,
                headings=[*filter(None, columns.headings)],
            )


def check_fields(mapping: Mapping[str, str]) -> None:
    """Raises `Invalid` if the mapping names a field that members do not have, or one for two headings."""
    read: dict[str, str] = {}
    for heading, field in mapping.items():
        if field and (other := read.setdefault(field, heading)) != heading:
            raise Invalid(
                "The columns {heading} and {other} cannot both be read as the same thing.",
                hint="Choose one of them; the other is kept under its own heading.",
                heading=other,
                other=heading,
            )
        if field and field not in FIELDS:
            raise Invalid(
                "{heading} cannot be read as {field}.",
                hint="Fields are: {fields}. Any other column is kept under its heading by itself.",
                heading=heading,
                field=field,
                fields=list(FIELDS),
            )


def like_organisations(headings: Iterable[str]) -> str:
    """The first heading over what may be organisations, by its words; "" if none sounds like it.

    >>> like_organisations(["家庭人口", "所属大队"]), like_organisations(["爱好"])
    ('所属大队', '')
    """
    return next((heading for heading in headings if _LIKE_PLACES.search(plain_heading(heading))), "")


def _fields(cells: Sequence[str], mapped: Mapping[str, str]) -> dict[str, int]:
    found: dict[str, tuple[int, int]] = {}
    for index, cell in enumerate(cells):
        plain = plain_heading(cell)
        if plain in mapped:
            field, rank = mapped[plain], -1
            if not field:
                continue
        elif plain in _RANKS and _RANKS[plain][0] not in mapped.values():
            field, rank = _RANKS[plain]
        else:
            continue
        if field not in found or rank < found[field][0]:
            found[field] = (rank, index)
    return {field: index for field, (_, index) in found.items()}


def _columns(number: int, cells: Sequence[str], fields: Mapping[str, int]) -> Columns:
    headings = tuple(unprotect(cell.strip()) for cell in cells)
    taken = set(fields.values())
    others: dict[str, int] = {}
    seen: set[str] = set()
    for index, heading in enumerate(headings):
        plain = plain_heading(heading)
        if plain and plain in seen:
            raise Invalid(
                "The heading {heading} stands over two columns.",
                hint="Give each column a heading of its own.",
                heading=heading,
            )
        seen.add(plain)
        if index not in taken and not is_of_refusal(plain):
            others[heading or f"column {index + 1}"] = index
    return Columns(number, headings, fields, others)
