"""A program of its own: a picture on its standard input, what is kept of it on its standard output.

Files that were made to do harm are made for decoders. This one has nothing of the house, so much memory and time, and
one picture to read; nothing but what can be seen gets through it. `broadcaster.newspaper.shrinking` starts it.
"""

from __future__ import annotations

import contextlib
import json
import resource
import sys
from collections.abc import Sequence
from io import BytesIO
from typing import IO

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

#: what is read: no drawings that are programs (SVG), no documents, and nothing that hardly anybody has
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
#: millions of points; of a JPEG only as many are made as are needed, of the others all
MOST_POINTS = {"JPEG": 120, "MPO": 120}
MOST_POINTS_OF_OTHERS = 50
#: points of a side below which nothing can be seen
LEAST = 16
#: for the page, and for who wants to see more: points of the longer side, bytes
SMALL, LARGE = (640, 20_000), (1280, 150_000)
QUALITIES = (78, 70, 62, 54, 46)
#: bytes of memory and seconds of the processor
MEMORY, SECONDS = 1024**3, 20

Image.MAX_IMAGE_PIXELS = None
# its own limit: a file of megabytes may hold gigabytes of words
Image.MAX_TEXT_MEMORY = 8 * 1024**2  # type: ignore[attr-defined]


class Refused(Exception):
    """It cannot be used; the message is the word for it that `shrinking` knows."""


def main() -> None:
    """One line of JSON, and behind it the two pictures if there are any."""
    for what, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, SECONDS), (resource.RLIMIT_CORE, 0)):
        # not every system knows each of them
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(what, (most, most))
    told: dict[str, object] = {}
    pictures: list[bytes] = []
    try:
        pictures = _shrink(sys.stdin.buffer, told)
    except Refused as refused:
        told["refused"] = str(refused)
    except MemoryError:
        told["refused"] = "heavy"
    except Exception:
        # whatever a decoder says of it
        told["refused"] = "broken"
    sys.stdout.buffer.write(json.dumps(told).encode() + b"\n" + b"".join(pictures))


def _shrink(file: IO[bytes], told: dict[str, object]) -> list[bytes]:
    file.seek(0)
    head = file.read(32)
    file.seek(0)
    if not head:
        raise Refused("empty")
    if head[4:8] == b"ftyp" and head[8:11] in (b"hei", b"hev", b"mif", b"msf"):
        raise Refused("heic")
    try:
        picture: Image.Image = Image.open(file, formats=FORMATS)
    except UnidentifiedImageError:
        raise Refused("kind") from None
    width, height = picture.size
    told |= {"width": width, "height": height, "most": MOST_POINTS.get(picture.format or "", MOST_POINTS_OF_OTHERS)}
    if width * height > 1_000_000 * MOST_POINTS.get(picture.format or "", MOST_POINTS_OF_OTHERS):
        raise Refused("points")
    if min(width, height) * min(1, LARGE[0] / max(width, height)) < LEAST:
        raise Refused("thin")
    # a camera keeps a second picture in its file, which is no film
    told["moves"] = picture.format not in MOST_POINTS and bool(getattr(picture, "is_animated", False))
    plain = _plain(picture)
    made = [_fitting(plain, *SMALL), _fitting(plain, *LARGE)]
    told["pictures"] = [(*each.size, len(content)) for each, content in made]
    return [content for _, content in made]


def _plain(picture: Image.Image) -> Image.Image:
    """What can be seen: the right way up, in the colours of every screen, on white, and nothing besides."""
    longest = 2 * LARGE[0]
    picture.draft(None, (longest, longest))
    picture.load()
    profile = picture.info.get("icc_profile")
    if picture.mode.startswith("I;16"):
        picture = picture.point(lambda value: value / 256).convert("L")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
    elif picture.mode not in ("L", "RGB", "CMYK"):
        picture = picture.convert("RGB")
    picture.thumbnail((LARGE[0], LARGE[0]), Image.Resampling.LANCZOS, reducing_gap=2.0)
    picture = ImageOps.exif_transpose(picture)
    if picture.mode == "RGBA":
        ground = Image.new("RGB", picture.size, "white")
        ground.paste(picture, mask=picture.getchannel("A"))
        picture = ground
    return _in_srgb(picture, profile)


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        # of another kind of picture, or broken: then its colours are taken as they are
        with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError):
            told = ImageCms.ImageCmsProfile(BytesIO(profile))
            made = ImageCms.profileToProfile(picture, told, ImageCms.createProfile("sRGB"), outputMode="RGB")
            if made is not None:
                return made
    return picture.convert("RGB")


def _fitting(picture: Image.Image, longest: int, most: int) -> tuple[Image.Image, bytes]:
    """As large and as good as so many bytes can be."""
    longest = min(longest, max(picture.size))
    while True:
        piece = picture.copy()
        # words and places of the camera would be written along
        piece.info = {}
        piece.thumbnail((longest, longest), Image.Resampling.LANCZOS)
        if content := _jpeg(piece, most, QUALITIES):
            return piece, content
        longest = longest * 4 // 5


def _jpeg(picture: Image.Image, most: int, qualities: Sequence[int]) -> bytes | None:
    for quality in qualities:
        file = BytesIO()
        picture.save(file, "JPEG", quality=quality, optimize=True, progressive=True)
        if file.tell() <= most:
            return file.getvalue()
    return None


if __name__ == "__main__":
    main()
