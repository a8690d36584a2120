"""A reader's browser at a house's site."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from broadcaster.runtime import Runtime
from tests.websites import opened


@pytest.fixture
def site(house: Runtime) -> Iterator[httpx2.Client]:
    with opened(house) as client:
        client.headers.update({"accept": "text/html", "accept-language": "en"})
        yield client
