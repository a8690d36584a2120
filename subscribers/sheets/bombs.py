"""A workbook is a zip of XML: looked through before anything believes what it says about itself."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from subscribers.errors import Invalid
from subscribers.sheets.faults import too_large
from subscribers.sheets.limits import Limits

_BLOCK = 1 << 16
#: the list of a zip's entries is never that long with as few of them as a workbook has
_DIRECTORY = 1 << 20
#: so much may come out of anything, however small it was packed
_SMALL = 1 << 20
_LOCAL = struct.Struct("<4s22xHH")
_ENCRYPTED = 1
_FORBIDDEN = (b"<!DOCTYPE", b"<!ENTITY")
_ERROR_CELLS = (b' t="e"', b" t='e'")
#: so much of a block is looked at again with the next one
_OVERLAP = 16


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen in a workbook that may be opened."""

    has_error_cells: bool


class _Careful:
    """The file as `zipfile` sees it while it reads the directory: one that claims to be huge is not read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        content = self._file.read(size if 0 <= size <= _DIRECTORY else _DIRECTORY + 1)
        if len(content) > _DIRECTORY:
            raise zipfile.BadZipFile("the directory is too long")
        return content

    def seekable(self) -> bool:
        return True


def look_through(file: BinaryIO, path: Path, limits: Limits) -> Looked:
    """Unpack all of it once, block by block, and keep nothing. Raises `Invalid` if it must not be opened."""
    size = file.seek(0, 2)
    if size > limits.unpacked:
        raise too_large(path, size, limits.unpacked)
    try:
        with zipfile.ZipFile(_Careful(file)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error, OverflowError):
        raise broken(path) from None
    _check_directory(entries, path, limits)
    total, has_error_cells = 0, False
    try:
        for entry in entries:
            found = 0
            before = b""
            is_text = entry.filename.endswith((".xml", ".rels", ".vml"))
            for block in _unpacked(file, entry):
                found += len(block)
                total += len(block)
                if found > max(_SMALL, limits.ratio * entry.compress_size) or total > limits.unpacked:
                    raise _bomb(path, limits)
                if is_text:
                    if not before and (b"\0" in block or block.startswith((b"\xff\xfe", b"\xfe\xff"))):
                        raise broken(path)
                    looked_at = before + block
                    if any(word in looked_at for word in _FORBIDDEN):
                        raise _commanding(path)
                    has_error_cells = has_error_cells or any(mark in looked_at for mark in _ERROR_CELLS)
                    before = looked_at[-_OVERLAP:]
            if found != entry.file_size:
                raise broken(path)
    except (zlib.error, struct.error, EOFError, ValueError):
        raise broken(path) from None
    return Looked(has_error_cells)


def broken(path: Path) -> Invalid:
    """It is no workbook any program wrote."""
    return Invalid(
        "{file} is a damaged workbook.",
        hint='Open it in the spreadsheet program, and save it again as .xlsx or as "CSV UTF-8".',
        file=path.name,
    )


def _check_directory(entries: Sequence[zipfile.ZipInfo], path: Path, limits: Limits) -> None:
    names = [entry.filename for entry in entries]
    if len(names) > limits.entries:
        raise Invalid(
            "{file} has {entries} files in it, at most {most}: no list needs so many.",
            hint='Copy the list into a new workbook, or save it as "CSV UTF-8".',
            file=path.name,
            entries=len(names),
            most=limits.entries,
        )
    _check_kind(set(names), path)
    methods = {entry.compress_type for entry in entries}
    if len(set(names)) != len(names) or not methods <= {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise broken(path)
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise broken(path)
    declared = sum(entry.file_size for entry in entries)
    if declared > limits.unpacked:
        raise _bomb(path, limits)


def _check_kind(names: set[str], path: Path) -> None:
    if "xl/workbook.xml" in names:
        return
    for mark, kind in (
        ("content.xml", ".ods"),
        ("xl/workbook.bin", ".xlsb"),
        ("word/document.xml", ".docx"),
        ("Index/Document.iwa", ".numbers"),
    ):
        if mark in names:
            raise Invalid(
                "{file} is a file of the kind {kind}, which is not read here.",
                hint='Open it in the spreadsheet program, and save it as .xlsx or as "CSV UTF-8".',
                file=path.name,
                kind=kind,
            )
    raise Invalid(
        "{file} is a zip archive, not a workbook.", hint="Unpack it, and give the list in it.", file=path.name
    )


def _unpacked(file: BinaryIO, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """What really comes out, in blocks; the sizes that the file gives for it are not believed."""
    file.seek(entry.header_offset)
    signature, name_length, extra_length = _LOCAL.unpack(file.read(_LOCAL.size))
    if signature != b"PK\x03\x04":
        raise ValueError("no entry begins here")
    file.seek(name_length + extra_length, 1)
    left = entry.compress_size
    inflate = zlib.decompressobj(-zlib.MAX_WBITS) if entry.compress_type == zipfile.ZIP_DEFLATED else None
    while left:
        packed = file.read(min(_BLOCK, left))
        if not packed:
            raise EOFError
        left -= len(packed)
        if inflate is None:
            yield packed
            continue
        while packed and not inflate.eof:
            yield inflate.decompress(packed, _BLOCK)
            packed = inflate.unconsumed_tail
    if inflate is not None and not inflate.eof:
        raise EOFError


def _bomb(path: Path, limits: Limits) -> Invalid:
    return Invalid(
        "{file} unpacks to more than is taken in: {most} MiB at most, and {ratio} times its size.",
        hint='Split the list, or save it as "CSV UTF-8".',
        file=path.name,
        most=limits.unpacked >> 20,
        ratio=limits.ratio,
    )


def _commanding(path: Path) -> Invalid:
    return Invalid(
        "{file} has definitions in it that no spreadsheet program writes, and is not opened.",
        hint="Ask where it comes from.",
        file=path.name,
    )
