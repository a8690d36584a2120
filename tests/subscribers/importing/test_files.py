"""Files of unknown origin: read in any usual encoding, or refused whole with a clear line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subscribers.errors import Invalid
from subscribers.importing.files import Limits, find_encoding, read_rows, sample_rows

TEXT = "姓名,手机\r\n读者甲,19900000001\r\n"


def rows(path: Path, delimiter: str = ",", limits: Limits | None = None) -> list[list[str]]:
    limits = limits or Limits()
    return [cells for _, cells in read_rows(path, find_encoding(path, limits), delimiter, limits)]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "gbk", "gb2312"]
)
def test_usual_encodings_are_recognised(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(TEXT.encode(encoding))
    assert rows(path) == [["姓名", "手机"], ["读者甲", "19900000001"]]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_headings_are_found_whatever_ends_a_line(tmp_path: Path, end: str) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(f"a,b{end}1,2{end}".encode())
    assert sample_rows(path, "utf-8", ",") == [(1, ["a", "b"]), (2, ["1", "2"])]


def test_a_huge_cell_is_not_called_a_broken_quote(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("a,b\n" + "x" * 1_000_000 + ",1\n", encoding="utf-8")
    with pytest.raises(Invalid, match=r"line 2 .*too long"):
        list(read_rows(path, "utf-8", ",", Limits()))


def test_rows_are_numbered_as_a_spreadsheet_does(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text('a,b\n"two\nlines",x\n\nlast,\n', encoding="utf-8")
    numbered = list(read_rows(path, "utf-8", ",", Limits()))
    assert numbered == [(1, ["a", "b"]), (2, ["two\nlines", "x"]), (3, []), (4, ["last", ""])]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"name,msisdn\nA\0B,1\n", "no text"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\1", "no text"),
        (bytes(range(256)) * 20, "no text"),
        (b"\x01\x02\x03\x04" * 100, "no text"),
        (b"PK\x03\x04" + b"x" * 50, "workbook"),
        (b"\xd0\xcf\x11\xe0" + b"x" * 50, "workbook"),
        ("姓名".encode() + b"\xff\xff\xff", "no text"),
        (b"name,msisdn\n" + b"x" * 100_000 + b"\0", "no text"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    with pytest.raises(Invalid, match=reason):
        rows(path)


@pytest.mark.parametrize("content", ['a,b\n"never closed,1\nx,2\n', 'a,b\n"x"y,1\n', 'a,b\n1,"' + "x\n" * 100_000])
def test_broken_quotes_are_refused_at_their_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "list.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(Invalid, match="line 2"):
        rows(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(Invalid, match="cannot be read"):
            find_encoding(path, Limits())


def test_limits_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("a," * 300 + "\n", encoding="utf-8")
    with pytest.raises(Invalid, match="301 columns in row 1"):
        rows(path)
    with pytest.raises(Invalid, match="too large"):
        rows(path, limits=Limits(bytes=100))


@given(st.binary(max_size=200))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_rows_or_invalid(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    try:
        read = rows(path)
    except Invalid as error:
        assert error.hint
    else:
        assert "\0" not in "".join("".join(cells) for cells in read)
