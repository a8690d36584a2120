"""Pictures as people hand them in, good ones and others, made where they are needed."""

from __future__ import annotations

import struct
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import IO, Any

from PIL import Image

from broadcaster.newspaper.shrinking import Rendition, Shrunk


def drawn(width: int = 800, height: int = 600, *, mode: str = "RGB", blue: int = 128) -> Image.Image:
    """Darker to the left, greener to the foot: one sees which way up it is."""
    across = Image.linear_gradient("L").rotate(90).resize((width, height))
    down = Image.linear_gradient("L").resize((width, height))
    return Image.merge("RGB", (across, down, Image.new("L", (width, height), blue))).convert(mode)


def noisy(width: int, height: int) -> Image.Image:
    """What no encoder can make small."""
    return Image.effect_noise((width, height), 90).convert("RGB")


def encoded(picture: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    """As a file."""
    file = BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


@contextmanager
def handed_in(content: bytes) -> Iterator[IO[bytes]]:
    """As a form hands it over."""
    with tempfile.SpooledTemporaryFile(max_size=1024 * 1024) as file:
        file.write(content)
        yield file


def claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is so large, and would be: all its points are alike."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def shrunk(width: int = 640, height: int = 480, *, blue: int = 128, size: int = 0) -> Shrunk:
    """What is kept of one; `size`: bytes of the small one, filled up behind its end."""
    large, small = drawn(2 * width, 2 * height, blue=blue), drawn(width, height, blue=blue)
    content = encoded(small)
    return Shrunk(
        Rendition(content + bytes(max(0, size - len(content))), width, height),
        Rendition(encoded(large), 2 * width, 2 * height),
    )
