"""`broadsheet editions`, where it reads more than its file."""

from __future__ import annotations

from tests.commands.conftest import EDITION, Desk
from tests.pictures import drawn, encoded


def test_a_picture_comes_along_from_beside_the_file(staffed: Desk) -> None:
    desk = staffed.folder / "desk"
    desk.mkdir()
    named = EDITION.replace('sms = "周五', 'picture = "room.png"\nalt = "活动室"\nsms = "周五').replace("= 7", "= 8", 1)
    (desk / "8.toml").write_text(named, encoding="utf-8")
    typed = staffed.type("--lang", "zh", "editions", "import", "desk/8.toml")
    assert (typed.code, "room.png" in typed.err) == (2, True)
    (desk / "room.png").write_bytes(b"\0\0\0\x18ftypheic" + b"\0" * 100)
    typed = staffed.type("--lang", "zh", "editions", "import", "desk/8.toml")
    assert (typed.code, "HEIC" in typed.err, "cannot" in typed.err) == (2, True, False)
    (desk / "room.png").write_bytes(encoded(drawn(), "PNG"))
    for _ in range(2):
        assert staffed.type("editions", "import", "desk/8.toml", "--json").document["number"] == 8
