"""Text files of unknown origin: read in any usual encoding, bounded in memory, or refused whole with a clear line."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subscribers.errors import Invalid
from subscribers.sheets import Limits, Row, csv_rows, open_sheet

TEXT = "姓名,手机\r\n读者甲,19900000001\r\n"
COMMA = 0


def numbered(path: Path, limits: Limits | None = None) -> list[Row]:
    sheet = open_sheet(path, limits or Limits())
    return list(sheet.rows(sheet.samples()[COMMA]))


def rows(path: Path, limits: Limits | None = None) -> list[list[str]]:
    return [cells for _, cells in numbered(path, limits)]


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "gbk", "gb2312"]
)
def test_usual_encodings_are_recognised(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path / "list.csv", TEXT.encode(encoding))
    assert rows(path) == [["姓名", "手机"], ["读者甲", "19900000001"]]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_end_of_a_line_is_one(tmp_path: Path, end: str) -> None:
    path = written(tmp_path / "list.csv", f'a,b{end}1,"2{end}3"{end}')
    sample = open_sheet(path, Limits()).samples()[COMMA]
    assert sample.rows == numbered(path) == [(1, ["a", "b"]), (2, ["1", f"2{end}3"])]


def test_there_is_a_sample_for_each_delimiter(tmp_path: Path) -> None:
    path = written(tmp_path / "list.csv", "a;b\tc\n" * 30)
    samples = open_sheet(path, Limits()).samples()
    assert [(sample.way, sample.rows[0][1], len(sample.rows)) for sample in samples] == [
        (",", ["a;b\tc"], 20),
        (";", ["a", "b\tc"], 20),
        ("\t", ["a;b", "c"], 20),
    ]


def test_rows_are_numbered_as_a_spreadsheet_does(tmp_path: Path) -> None:
    path = written(tmp_path / "list.csv", 'a,b\n"two\nlines",x\n\nlast,\n')
    assert numbered(path) == [(1, ["a", "b"]), (2, ["two\nlines", "x"]), (3, []), (4, ["last", ""])]


cells = st.text(st.sampled_from('ab中𠮷,"\r\n \u2028\x0b;'), max_size=6)


@given(st.lists(st.lists(cells, min_size=1, max_size=4), max_size=30), st.sampled_from([1, 2, 3, 7, 65_536]))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_are_those_of_the_csv_module_wherever_a_block_ends(
    tmp_path: Path, table: list[list[str]], block: int
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(table)
    path = written(tmp_path / "list.csv", text.getvalue())
    whole = csv_rows._BLOCK
    csv_rows._BLOCK = block
    try:
        read = [cells for _, cells in csv_rows.read_rows(path, "utf-8", ",", Limits())]
    finally:
        csv_rows._BLOCK = whole
    assert read == table


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"name,msisdn\nA\0B,1\n", "no text"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\1", "no text"),
        (bytes(range(256)) * 20, "no text"),
        (b"\x01\x02\x03\x04" * 100, "no text"),
        ("姓名".encode() + b"\xff\xff\xff", "no text"),
        (b"name,msisdn\n" + b"x" * 100_000 + b"\0", "no text"),
        ("姓名,手机\n".encode() * 10 + "姓名,手机\n".encode("gb18030") * 10 + b"\xff", "no text"),
        ("a,b\n".encode("utf-16-le") + b"\0", "no text"),
        ("a,b\n".encode("utf-16") + "\1".encode("utf-16-le"), "no text"),
        (b"\xd0\xcf\x11\xe0" + b"x" * 50, r"\.xls"),
        (b"PK\x03\x04" + b"x" * 50, "damaged workbook"),
        (b"\xef\xbb\xbf\r\n<HTML><table><tr><td>a</td></tr></table>", "web page"),
        (b'<?xml version="1.0"?><Workbook/>', "web page"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(Invalid, match=reason) as refused:
        rows(written(tmp_path / "list.csv", content))
    assert refused.value.hint


@pytest.mark.parametrize(
    "content", ['a,b\n"never closed,1\nx,2\n', 'a,b\n"x"y,1\n', 'a,b\n1,"' + "x\n" * 100_000, 'a,b\n1,"x']
)
def test_broken_quotes_are_refused_at_their_line(tmp_path: Path, content: str) -> None:
    with pytest.raises(Invalid, match="line 2"):
        rows(written(tmp_path / "list.csv", content))


def test_the_line_of_a_broken_quote_is_told_far_behind_too(tmp_path: Path) -> None:
    content = 'a,"b\nc"\n' * 900_000 + '"x"y,1\n'
    assert len(content) > Limits().line
    with pytest.raises(Invalid, match="line 1800001 "):
        rows(written(tmp_path / "list.csv", content))


def test_a_huge_cell_is_not_called_a_broken_quote(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"line 2 .*too long"):
        rows(written(tmp_path / "list.csv", "a,b\n" + "x" * 1_000_000 + ",1\n"))


def test_a_row_is_never_longer_than_allowed(tmp_path: Path) -> None:
    limits = Limits()
    assert limits.line == 4 << 20
    commas = "," * 200_000
    with pytest.raises(Invalid, match="200001 columns in row 2"):
        rows(written(tmp_path / "wide.csv", f"a,b\n{commas}\n"))
    for name, row in {"one line": commas * 25, "a row of many lines": '"\n",' * (2 << 20)}.items():
        with pytest.raises(Invalid, match="row 2 has more than"):
            rows(written(tmp_path / f"{name}.csv", f"a,b\n{row}\n"))


MEASURED = """
import resource, sys
from pathlib import Path
from subscribers.sheets import Limits, open_sheet
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
sheet = open_sheet(Path(sys.argv[1]), Limits())
try:
    for row in sheet.rows(sheet.samples()[0]): pass
except Exception as error:
    print(type(error).__name__, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.parametrize("piece", [b"x" * 65_536, b"," * 65_536, b'"\n",' * 16_384])
def test_a_line_of_two_hundred_megabytes_is_not_read_whole(tmp_path: Path, piece: bytes) -> None:
    path = tmp_path / "list.csv"
    with path.open("wb") as file:
        file.write(b"a,b\n")
        for _ in range(3200):
            file.write(piece)
    told = subprocess.run([sys.executable, "-c", MEASURED, str(path)], capture_output=True, text=True, check=True)
    kind, grown = told.stdout.split()
    # far less than the file, whatever the csv module keeps for the cells of one row
    assert (kind, int(grown) <= 160) == ("Invalid", True)


def test_only_headings_are_rows_too(tmp_path: Path) -> None:
    assert rows(written(tmp_path / "list.csv", "姓名,手机")) == [["姓名", "手机"]]


def test_limits_are_kept(tmp_path: Path) -> None:
    path = written(tmp_path / "list.csv", "a," * 300 + "\n")
    with pytest.raises(Invalid, match="301 columns in row 1"):
        rows(path)
    with pytest.raises(Invalid, match="too large"):
        rows(path, limits=Limits(bytes=100))


def test_a_file_that_goes_or_changes_while_it_is_read_is_told(tmp_path: Path) -> None:
    path = written(tmp_path / "list.csv", TEXT)
    sheet = open_sheet(path, Limits())
    sample = sheet.samples()[COMMA]
    written(path, TEXT.encode("gb18030"))
    with pytest.raises(Invalid, match="changed while it was read"):
        list(sheet.rows(sample))
    with pytest.raises(Invalid, match="changed while it was read"):
        sheet.samples()
    path.unlink()
    for reading in (lambda: list(sheet.rows(sample)), sheet.samples):
        with pytest.raises(Invalid, match="cannot be read"):
            reading()


def test_a_file_that_grows_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = written(tmp_path / "list.csv", "a,b\n" * 40_000)
    sheet = open_sheet(path, Limits())
    reading = sheet.rows(sheet.samples()[COMMA])
    next(reading)
    with path.open("a") as file:
        file.write("c,d\n")
    assert list(reading)[-1] == (40_001, ["c", "d"])


@given(st.binary(max_size=200))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_rows_or_invalid(tmp_path: Path, content: bytes) -> None:
    try:
        read = rows(written(tmp_path / "list.csv", content))
    except Invalid as error:
        assert error.hint
    else:
        assert "\0" not in "".join("".join(cells) for cells in read)
