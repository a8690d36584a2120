"""Pictures as people hand them in: made small and right, or refused in words; nothing that cannot be seen is kept."""

from __future__ import annotations

import threading
import tracemalloc
from io import BytesIO

import pytest
from PIL import Image, ImageCms

from broadcaster.language import set_language
from broadcaster.newspaper import shrinking
from broadcaster.newspaper.shrinking import Shrunk, shrink
from broadcaster.web.told import told
from subscribers.errors import BroadsheetError, Invalid, Unavailable
from tests.pictures import claiming, drawn, encoded, handed_in, noisy

PLACE = "39.9042"
#: points of a JPEG that hold what can be seen: its beginning, tables, frame, scans
_VISIBLE = {0xD8, 0xE0, 0xDB, 0xC2, 0xC4, 0xDA}


def shrinked(content: bytes) -> Shrunk:
    with handed_in(content) as file:
        return shrink(file)


def opened(content: bytes) -> Image.Image:
    picture = Image.open(BytesIO(content))
    picture.load()
    return picture


def exif(**more: int) -> bytes:
    told = Image.Exif()
    told[0x010F] = "Camera of somebody"
    told[0x9286] = PLACE
    told.get_ifd(0x8825)[1] = "N"
    for tag, value in more.items():
        told[int(tag[1:], 16)] = value
    return told.tobytes()


def markers(content: bytes) -> set[int]:
    """The kinds of parts that a JPEG has in front of its first scan."""
    found, at = {content[1]}, 2
    while content[at + 1] != 0xDA:
        found.add(content[at + 1])
        at += 2 + int.from_bytes(content[at + 2 : at + 4])
    return found


def many(kind: str) -> bytes:
    frames = [drawn(200, 150, blue=blue) for blue in (0, 128, 255)]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:])


def with_profile() -> bytes:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return encoded(drawn(), icc_profile=profile, comment=b"a remark", exif=exif(), dpi=(300, 300))


MADE_RIGHT = {
    "from a camera": with_profile(),
    "from another camera": encoded(drawn(), comment=b"a remark", exif=exif()),
    "transparent": encoded(Image.new("RGBA", (300, 200), (255, 0, 0, 0)), "PNG"),
    "with a palette": encoded(drawn().quantize(16), "PNG", transparency=3),
    "grey": encoded(drawn(mode="L"), "PNG"),
    "black and white": encoded(drawn(mode="1"), "PNG"),
    "grey and transparent": encoded(drawn(mode="L").convert("LA"), "PNG"),
    "grey, of 16 bits": encoded(
        Image.linear_gradient("L").convert("I").point(lambda v: v * 256).convert("I;16"), "PNG"
    ),
    "for print": encoded(drawn(mode="CMYK")),
    "WebP": encoded(drawn(), "WEBP", exif=exif()),
    "BMP": encoded(drawn(), "BMP"),
    "GIF": encoded(drawn(), "GIF"),
    "a film in GIF": many("GIF"),
    "a film in WebP": many("WEBP"),
    "a film in PNG": many("PNG"),
    "two pictures of one camera": many("MPO"),
    "30,000 wide": encoded(Image.new("RGB", (30_000, 1000))),
    "noise": encoded(noisy(2000, 1500), quality=95),
    "a web page behind it": encoded(drawn()) + b"<html><script>alert(1)</script></html>",
    "an archive behind it": encoded(drawn(), "PNG") + b"PK\x03\x04" + bytes(100),
    "words in it": encoded(drawn(), "PNG", exif=exif(), dpi=(300, 300)),
    "a broken profile": encoded(drawn(), icc_profile=b"no profile at all" * 20),
    "of 16 points": encoded(drawn(16, 16), "PNG"),
}


@pytest.mark.parametrize("name", MADE_RIGHT)
def test_made_right(name: str) -> None:
    made = shrinked(MADE_RIGHT[name])
    before = Image.open(BytesIO(MADE_RIGHT[name]))
    for rendition, longest, most in ((made.small, 640, 20_000), (made.large, 1280, 150_000)):
        picture = opened(rendition.content)
        assert (picture.format, picture.mode) == ("JPEG", "RGB")
        assert picture.size == (rendition.width, rendition.height)
        assert max(picture.size) <= min(longest, max(before.size))
        assert len(rendition.content) <= most
        assert abs(rendition.width / rendition.height / (before.width / before.height) - 1) < 0.05
        assert markers(rendition.content) <= _VISIBLE
        for word in (PLACE, "Camera", "a remark", "script", "sRGB"):
            assert word.encode() not in rendition.content
    assert made.moves is name.startswith("a film")


def test_the_right_way_up() -> None:
    """A phone that was held upright says so beside the picture."""
    lying = drawn(800, 600).transpose(Image.Transpose.ROTATE_90)
    made = shrinked(encoded(lying, exif=exif(x0112=6)))
    assert (made.large.width, made.large.height) == (800, 600)
    picture = opened(made.large.content)
    left, right = (picture.getpixel((x, 300)) for x in (20, 780))
    top, foot = (picture.getpixel((400, y)) for y in (20, 580))
    upright = drawn(800, 600)
    for seen, at in ((left, (20, 300)), (right, (780, 300)), (top, (400, 20)), (foot, (400, 580))):
        wanted = upright.getpixel(at)
        assert isinstance(seen, tuple)
        assert isinstance(wanted, tuple)
        assert all(abs(one - other) < 16 for one, other in zip(seen, wanted, strict=True))


@pytest.mark.parametrize(
    ("content", "colour"),
    [
        (encoded(Image.new("RGBA", (300, 200), (255, 0, 0, 0)), "PNG"), (255, 255, 255)),
        (encoded(Image.new("CMYK", (300, 200), (0, 0, 0, 0))), (255, 255, 255)),
        (encoded(Image.new("CMYK", (300, 200), (0, 0, 0, 255))), (0, 0, 0)),
        (encoded(Image.new("I;16", (300, 200), 65_535), "PNG"), (255, 255, 255)),
        (encoded(Image.new("I;16", (300, 200), 32_768), "PNG"), (128, 128, 128)),
    ],
    ids=["transparent", "paper", "ink", "white of 16 bits", "grey of 16 bits"],
)
def test_colours(content: bytes, colour: tuple[int, int, int]) -> None:
    seen = opened(shrinked(content).small.content).getpixel((150, 100))
    assert isinstance(seen, tuple)
    assert all(abs(one - other) < 12 for one, other in zip(seen, colour, strict=True))


REFUSED = {
    "nothing": (b"", "is empty"),
    "a drawing": (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "no picture"),
    "a drawing that says it is one": (b"\xff\xd8\xff\xe0<svg/>", "(no picture|cannot be read)"),
    "a document": (b"%PDF-1.7\n" + bytes(500), "no picture"),
    "a page": (b"GIF89 is what I am called" + bytes(100), "(no picture|nothing could be seen|cannot be read|points)"),
    "a program": (b"MZ" + bytes(2000), "no picture"),
    "words": ("供暖了。" * 100, "no picture"),
    "a picture of few phones": (b"\x00\x00\x00\x18ftypheic" + bytes(200), "HEIC"),
    "TIFF": (encoded(drawn(), "TIFF"), "no picture"),
    "the first half": (encoded(drawn())[:6000], "cannot be read to its end"),
    "the first half of a PNG": (encoded(noisy(300, 300), "PNG")[:40_000], "cannot be read to its end"),
    "the head alone": (encoded(drawn(), "PNG")[:40], "no picture"),
    "one point": (encoded(drawn(1, 1), "PNG"), "nothing could be seen"),
    "a line": (encoded(drawn(30_000, 20), "PNG"), "nothing could be seen"),
    "a bomb": (claiming(30_000, 30_000), "50 million"),
    "the largest that there can be": (claiming(2**31 - 1, 2**31 - 1), "(50 million|cannot be read)"),
    "one that says more than it has": (claiming(4000, 4000), "cannot be read to its end"),
    "a large one with nothing in it": (encoded(Image.new("1", (9000, 9000)), "PNG"), "50 million"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_words(name: str) -> None:
    content, told = REFUSED[name]
    with pytest.raises(Invalid, match=told) as refused:
        shrinked(content.encode() if isinstance(content, str) else content)
    assert refused.value.hint


#: how the files of phones begin: size of the box, its name, brand, version, brands that it agrees with
PHONES = {
    "an iPhone": b"\0\0\0\x24ftypheic\0\0\0\0mif1MiHEMiPrmiafMiHBheic",
    "an older iPhone": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "a Samsung": b"\0\0\0\x18ftypheic\0\0\0\0heicmif1",
    "a burst of an iPhone": b"\0\0\0\x24ftypmsf1\0\0\0\0mif1heicmsf1hevcmiaf",
    "ten bits a colour": b"\0\0\0\x1cftypheix\0\0\0\0mif1heixmiaf",
}


@pytest.mark.parametrize("phone", PHONES)
@pytest.mark.parametrize(("language", "does"), [("en", "Most Compatible."), ("zh", "兼容性最佳。")])
def test_who_took_it_with_such_a_phone_is_told_what_to_do(phone: str, language: str, does: str) -> None:
    with pytest.raises(Invalid, match="HEIC") as refused:
        shrinked(PHONES[phone] + b"\0\0\x0e\x7emeta\0\0\0\0\0\0\0\x22hdlr\0\0\0\0\0\0\0\0pict" + bytes(4000))
    set_language(language)
    what, then = told(refused.value)
    set_language("en")
    assert "HEIC" in what
    assert then.endswith(does)


def test_cut_and_changed_at_any_place() -> None:
    """It is made small or refused, and never anything else."""
    whole = encoded(drawn(400, 300), exif=exif())
    for at in range(0, len(whole), len(whole) // 12):
        for content in (whole[:at], whole[:at] + b"\xff\x00\x7f" + whole[at + 3 :]):
            try:
                made = shrinked(content)
            except Invalid:
                continue
            assert opened(made.small.content).size == (made.small.width, made.small.height)


def test_the_largest_takes_none_of_our_memory() -> None:
    tracemalloc.start()
    shrinked(encoded(Image.new("RGB", (12_000, 9000))))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 1024**2


def test_what_takes_too_long_or_too_much_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shrinking, "_PATIENCE", 0.01)
    with pytest.raises(Invalid, match="too much time"):
        shrinked(MADE_RIGHT["noise"])


def test_many_at_once_wait_and_more_are_told_so() -> None:
    made: list[Shrunk | BroadsheetError] = []

    def hand_in() -> None:
        try:
            made.append(shrinked(MADE_RIGHT["noise"]))
        except BroadsheetError as error:
            made.append(error)

    threads = [threading.Thread(target=hand_in) for _ in range(12)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sum(isinstance(each, Shrunk) for each in made) >= 4
    assert any(isinstance(each, Unavailable) for each in made)
    assert shrinked(MADE_RIGHT["grey"])
