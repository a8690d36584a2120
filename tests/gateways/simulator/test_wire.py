from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcaster.gateways.simulator.wire import LONGEST_LINE, Link, Nonsense


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, Link]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        link = Link.connect("127.0.0.1", listener.getsockname()[1], 5)
        raw, _ = listener.accept()
    with raw:
        yield raw, link
    link.close()


@settings(max_examples=30)
@given(st.lists(st.dictionaries(st.text(), st.text() | st.integers()), min_size=1), st.integers(1, 40))
def test_lines_in_pieces(messages: list[dict[str, object]], piece: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sender = Link.connect("127.0.0.1", listener.getsockname()[1], 5)
        raw, _ = listener.accept()
        with socket.create_server(("127.0.0.1", 0)) as other:
            receiver = Link.connect("127.0.0.1", other.getsockname()[1], 5)
            near, _ = other.accept()
    sender.send(messages, 5)
    sender.close()
    with raw, near:
        data = b"".join(iter(lambda: raw.recv(65536), b""))
        heard = []
        for start in range(0, len(data), piece):
            near.sendall(data[start : start + piece])
            while (message := receiver.read(0)) is not None:
                heard.append(message)
        while len(heard) < len(messages) and (message := receiver.read(2)) is not None:
            heard.append(message)
    receiver.close()
    assert heard == messages


def test_half_a_line_waits_for_its_end(ends) -> None:
    raw, link = ends
    raw.sendall(b'{"a":')
    assert link.read(0.02) is None
    assert not link.idle()
    raw.sendall(b'1}\n{"b":2}\n')
    assert [link.read(1), link.read(1), link.read(0.02)] == [{"a": 1}, {"b": 2}, None]


@pytest.mark.parametrize("line", [b"hello\n", b"[1]\n", b"\n", b"\xff\xfe\n", b"3\n"])
def test_no_message(ends, line: bytes) -> None:
    raw, link = ends
    raw.sendall(line)
    with pytest.raises(Nonsense):
        link.read(1)


def test_a_line_without_an_end(ends) -> None:
    raw, link = ends
    raw.setblocking(False)
    with pytest.raises(Nonsense, match="without an end"):
        for _ in range(LONGEST_LINE):
            try:
                raw.send(b"x" * 1_000_000)
            except BlockingIOError:
                link.read(0)


def test_the_end_of_the_other(ends) -> None:
    raw, link = ends
    assert link.idle()
    raw.close()
    with pytest.raises(ConnectionResetError):
        link.read(1)
    assert not link.idle()


def test_a_link_with_something_unread_is_not_idle(ends) -> None:
    raw, link = ends
    raw.sendall(b"{}\n{}\n")
    link.read(1)
    assert not link.idle()
    link.read(1)
    assert link.idle()
