"""Files made to do harm: refused before anything opens them, quickly and with flat memory."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from subscribers.errors import Invalid
from subscribers.sheets import Limits, open_sheet

MIB = 1 << 20
PLAIN = {"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"}


def archive(path: Path, entries: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as new:
        for name, content in entries.items():
            new.writestr(name, content)
    return path


def refusal(path: Path, limits: Limits | None = None) -> str:
    with pytest.raises(Invalid) as refused:
        open_sheet(path, limits or Limits())
    assert refused.value.hint
    return str(refused.value)


def bomb(path: Path, size: int) -> Path:
    """One entry that unpacks to so many bytes, written without ever holding them."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new:
        new.writestr("xl/workbook.xml", b"<workbook/>")
        with new.open("xl/worksheets/sheet1.xml", "w") as entry:
            for _ in range(size // MIB):
                entry.write(b"<c/> " * (MIB // 5))
    return path


def with_lie(path: Path, real: int, told: int) -> Path:
    """The declared size of the entry is another, in the directory and beside the entry."""
    content = path.read_bytes().replace(struct.pack("<I", real), struct.pack("<I", told))
    path.write_bytes(content)
    return path


MEASURED = """
import resource, sys, time
from pathlib import Path
from subscribers.sheets import Limits, open_sheet
before, started = resource.getrusage(resource.RUSAGE_SELF), time.process_time()
try:
    open_sheet(Path(sys.argv[1]), Limits())
except Exception as error:
    after = resource.getrusage(resource.RUSAGE_SELF)
    print(type(error).__name__, (after.ru_maxrss - before.ru_maxrss) // 1024, time.process_time() - started, error)
"""


@pytest.mark.parametrize("lying", [False, True])
def test_half_a_megabyte_that_unpacks_to_five_hundred_is_refused_with_flat_memory(tmp_path: Path, lying: bool) -> None:
    path = bomb(tmp_path / "list.xlsx", 520 * MIB)
    assert path.stat().st_size < 2 * MIB
    if lying:
        with zipfile.ZipFile(path) as made:
            size = made.getinfo("xl/worksheets/sheet1.xml").file_size
        with_lie(path, size, 1000)
    told = subprocess.run(
        [sys.executable, "-c", MEASURED, str(path)], capture_output=True, text=True, check=True
    ).stdout.split(maxsplit=3)
    assert told[0] == "Invalid"
    assert int(told[1]) <= 64
    # work done, not time passed: a busy machine changes nothing about it
    assert float(told[2]) < 1
    assert "unpacks to more" in told[3]


def test_many_small_entries_are_counted_together(tmp_path: Path) -> None:
    noise = zlib.compress(bytes(range(256)) * 400, 0)[:100_000]
    entries = PLAIN | {f"xl/media/{n}.bin": noise for n in range(30)}
    path = archive(tmp_path / "list.xlsx", entries)
    assert open_sheet(path, Limits()).file == "list.xlsx"
    assert "unpacks to more" in refusal(path, Limits(unpacked=2 * MIB))


def test_entries_that_lie_over_each_other_are_counted_each_time(tmp_path: Path) -> None:
    """A bomb without a great ratio: many names for the same bytes."""
    path = archive(tmp_path / "list.xlsx", PLAIN | {"xl/a.bin": b"x" * MIB})
    content = path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as made:
        start, count = made.start_dir, len(made.infolist())
    end = content.rindex(b"PK\5\6")
    directory = content[start:end]
    at = directory.rindex(b"PK\1\2")
    again = [directory[at:].replace(b"xl/a.bin", b"xl/%c.bin" % letter) for letter in b"bcdefgh"]
    longer = directory + b"".join(again)
    counts = struct.pack("<HHII", count + 7, count + 7, len(longer), start)
    path.write_bytes(content[:start] + longer + content[end : end + 8] + counts + content[end + 20 :])
    assert "unpacks to more" in refusal(path, Limits(unpacked=5 * MIB))


def test_more_entries_than_a_workbook_has_are_refused(tmp_path: Path) -> None:
    entries = PLAIN | {f"xl/{n}.xml": b"" for n in range(199)}
    assert "201 files" in refusal(archive(tmp_path / "list.xlsx", entries))
    assert "damaged" in refusal(archive(tmp_path / "more.xlsx", PLAIN | {f"{n}" * 9: b"" for n in range(22_000)}))


@pytest.mark.parametrize(
    "xml",
    [
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><sst>&b;</sst>',
        b"<sst>" + b" " * 65_530 + b'<!DOCTYPE x SYSTEM "file:///nowhere">',
        "<!DOCTYPE x>".encode("utf-16"),
        "<!DOCTYPE x>".encode("utf-16-le"),
    ],
)
def test_definitions_in_the_xml_are_refused(tmp_path: Path, xml: bytes) -> None:
    path = archive(tmp_path / "list.xlsx", PLAIN | {"xl/sharedStrings.xml": xml})
    assert "definitions" in refusal(path) or "damaged" in refusal(path)


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ({"content.xml": b"<x/>", "mimetype": b"x"}, ".ods"),
        ({"xl/workbook.bin": b"x"}, ".xlsb"),
        ({"word/document.xml": b"<x/>"}, ".docx"),
        ({"Index/Document.iwa": b"x"}, ".numbers"),
        ({"list.csv": b"a,b"}, "zip archive, not a workbook"),
        ({"list.xlsx": b"PK"}, "zip archive, not a workbook"),
    ],
)
def test_other_kinds_of_file_are_told_what_to_do(tmp_path: Path, entries: Mapping[str, bytes], told: str) -> None:
    assert told in refusal(archive(tmp_path / "list.xlsx", entries))


def test_damage_is_told_as_damage(tmp_path: Path) -> None:
    whole = archive(tmp_path / "list.xlsx", PLAIN | {"xl/a.xml": b"<a>" + bytes(range(32, 127)) * 99 + b"</a>"})
    content = whole.read_bytes()
    with zipfile.ZipFile(whole) as made:
        local = made.getinfo("xl/a.xml").header_offset
    flag = content.index(b"PK\1\2") + 8
    broken = {
        "half": content[: len(content) // 2],
        "no end": content[:-30],
        "inside": content[: local + 60] + b"\xff" * 20 + content[local + 80 :],
        "header": content[:local] + b"XXXX" + content[local + 4 :],
        "encrypted": content[:flag] + b"\1" + content[flag + 1 :],
        "method": content[: flag + 2] + b"\x0c" + content[flag + 3 :],
        "huge directory": content[:-10] + struct.pack("<II", 1 << 31, 0) + content[-2:],
    }
    for what, damaged in broken.items():
        path = tmp_path / f"{what}.xlsx"
        path.write_bytes(damaged)
        assert "damaged" in refusal(path), what


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_entries_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    with zipfile.ZipFile(path, "w") as new:
        for content in (b"<workbook/>", b"<other/>"):
            new.writestr("xl/workbook.xml", content)
    assert "damaged" in refusal(path)


def test_any_cut_of_a_workbook_is_refused_or_read(tmp_path: Path) -> None:
    path = archive(tmp_path / "list.xlsx", PLAIN | {"xl/a.xml": b"<a>" + bytes(range(32, 127)) + b"</a>"})
    content = path.read_bytes()
    for at in range(4, len(content) - 22, 7):
        path.write_bytes(content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :])
        try:
            open_sheet(path, Limits())
        except Invalid as error:
            assert error.hint
