"""Headings: found below titles, understood in two languages, or told by the user."""

from __future__ import annotations

import pytest

from subscribers.errors import Invalid
from subscribers.importing.columns import HEADINGS, check_fields, check_mapping, find_columns, like_organisations


def fields(*headings: str, **mapping: str) -> dict[str, int]:
    columns = find_columns([(1, list(headings))], mapping)
    return dict(columns.fields) if columns else {}


def test_every_heading_is_understood() -> None:
    for field, headings in HEADINGS.items():
        for heading in headings.split():
            rest = [("name", "姓名"), ("msisdn", "手机")]
            row = [heading, *(other for name, other in rest if name != field)]
            assert fields(*row)[field] == 0, heading


@pytest.mark.parametrize(
    "heading",
    [
        "村",
        "村庄",
        "行政村",
        "自然村",
        "社区",
        "小组",
        "村民小组",
        "街道",
        "单位",
        "部门",
        "village",
        "community",
        "unit",
        "department",
    ],
)
def test_a_village_is_an_organisation_like_a_branch(heading: str) -> None:
    assert fields("姓名", "手机", heading)["organisation"] == 2
    assert fields("姓名", "手机", heading, "支部")["organisation"] == (2 if heading == "unit" else 3)


def test_a_column_that_may_be_the_organisation_is_named() -> None:
    assert like_organisations(["年龄段", "家庭人口", "所属大队", "生产队"]) == "所属大队"
    assert like_organisations(["会龄", "备注", "生产队"]) == "生产队"
    assert like_organisations(["备注", "会龄"]) == ""


def test_headings_are_forgiving() -> None:
    assert fields(" Name* ", "手机号（必填）", "joined_on", "Date of birth", "外部") == {
        "name": 0,
        "msisdn": 1,
        "joined_on": 2,
        "birthday": 3,
    }


def test_titles_above_the_headings_are_passed_over() -> None:
    columns = find_columns([(1, ["2026 年成员名册", "", ""]), (2, []), (3, ["编号", "姓名", "车间", ""])], {})
    assert columns is not None
    assert (columns.row, dict(columns.fields), dict(columns.others)) == (
        3,
        {"external_id": 0, "name": 1},
        {"车间": 2, "column 4": 3},
    )


def test_of_two_columns_the_more_telling_one_counts() -> None:
    columns = find_columns([(1, ["姓名", "电话", "手机"])], {})
    assert columns is not None
    assert (columns.fields["msisdn"], dict(columns.others)) == (2, {"电话": 1})


def test_the_user_knows_better() -> None:
    columns = find_columns([(1, ["姓名", "手机", "家属 电话"])], {"家属电话": "msisdn"})
    assert columns is not None
    assert (columns.fields["msisdn"], dict(columns.others)) == (2, {"手机": 1})
    with pytest.raises(Invalid, match="no column 座机"):
        check_mapping(columns, {"座机": "msisdn"})
    with pytest.raises(Invalid):
        check_fields({"座机": "phone"})


def test_a_column_may_be_said_to_be_none_of_them() -> None:
    columns = find_columns([(1, ["姓名", "手机", "状态"])], {"状态": ""})
    assert columns is not None
    assert (sorted(columns.fields), dict(columns.others)) == (["msisdn", "name"], {"状态": 2})
    check_fields({"状态": "", "备注": ""})
    with pytest.raises(Invalid, match="手机 and 家属电话 cannot both"):
        check_fields({"手机": "msisdn", "备注": "", "家属电话": "msisdn"})


def test_without_names_and_numbers_there_are_no_headings() -> None:
    assert find_columns([(1, ["name", "organisation"]), (2, ["手机"])], {}) is None


def test_a_heading_twice_is_refused() -> None:
    with pytest.raises(Invalid, match="two columns"):
        find_columns([(1, ["姓名", "手机", "备注", "备注"])], {})
