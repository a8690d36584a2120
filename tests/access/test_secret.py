"""The installation's own secret: made once, read by its owner only, never silently another one."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from broadcaster.access.secret import secret_file, secret_key
from broadcaster.settings import load
from subscribers.errors import Invalid, Unavailable


def test_it_is_made_once_and_nobody_else_reads_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    key = secret_key("", data)
    assert len(key) == 32
    assert secret_key("", data) == key
    assert stat.S_IMODE(secret_file(data).stat().st_mode) == 0o600
    assert [file.name for file in data.iterdir()] == ["secret.key"]


def test_of_many_who_begin_at_once_all_have_the_same(tmp_path: Path) -> None:
    keys: list[bytes] = []
    together = threading.Barrier(8)

    def ask() -> None:
        together.wait()
        keys.append(secret_key("", tmp_path))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1


@pytest.mark.parametrize("content", [b"", b"zz", b"\xff\xfe", b"ab" * 8])
def test_a_broken_file_is_told_and_not_replaced(tmp_path: Path, content: bytes) -> None:
    secret_file(tmp_path).write_bytes(content)
    with pytest.raises(Unavailable, match="cannot be used"):
        secret_key("", tmp_path)
    assert secret_file(tmp_path).read_bytes() == content


def test_a_configured_one_is_used(tmp_path: Path) -> None:
    assert secret_key("0123456789abcdef", tmp_path) == b"0123456789abcdef"
    assert not secret_file(tmp_path).exists()
    with pytest.raises(Invalid, match="too short"):
        secret_key("short", tmp_path)


def test_it_may_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("0123456789abcdef\n")
    file = tmp_path / "broadsheet.toml"
    file.write_text(f'[access]\nsecret_file = "{tmp_path / "s"}"\n')
    settings = load(file)
    assert settings.access.secret == "0123456789abcdef"
    assert "0123456789abcdef" not in repr(settings)
    file.write_text('[access]\nsecret_file = "nowhere"\n')
    with pytest.raises(Invalid, match="cannot be read"):
        load(file)
