"""Those who look at pages: each with a connection and a sign-in of their own, and what they read between two pages."""

from __future__ import annotations

import contextlib
import http.client
import random
import re
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from urllib.parse import quote, urlencode, urlsplit

from benchmarks._newsroom import Step

#: seconds for one answer
PATIENCE = 60.0
_TOKEN = re.compile(rb'name="form_token" value="([0-9a-f]{64})"')


class User:
    """One of them: a connection that stays open, a cookie, and what each answer took."""

    def __init__(self, address: str, token: str, number: int) -> None:
        self._line = http.client.HTTPConnection(urlsplit(address).netloc, timeout=PATIENCE)
        self._cookie = {"Cookie": f"broadsheet={token}", "Accept": "text/html", "Accept-Language": "zh"}
        self._chance = random.Random(number)
        self._number = number * 1_000_000
        self._form_token = ""
        #: name of the step -> milliseconds
        self.took: defaultdict[str, list[float]] = defaultdict(list)
        self.failed: list[str] = []

    def work(self, all_steps: Sequence[Step], rest: float, over: threading.Event) -> None:
        """Until it is over; what goes wrong is kept."""
        self.come_in()
        over.wait(self._chance.random() * rest)
        while True:
            for step in self._chance.sample(all_steps, len(all_steps)):
                if over.wait(rest * 2 * self._chance.random()):
                    return
                self.look(step)

    def come_in(self) -> None:
        """Find out what a form of this browser must carry."""
        found = _TOKEN.search(self._ask("GET", "/members", None)[1])
        assert found, "not signed in"
        self._form_token = found[1].decode()

    def look(self, step: Step) -> None:
        """One step, with its time."""
        self._number += 1
        fields = step.fresh(self._number) if step.fresh else step.fields
        body = None if fields is None else urlencode({"form_token": self._form_token, **fields}, doseq=True)
        began = time.monotonic()
        try:
            status, _ = self._ask("GET" if body is None else "POST", quote(step.path, safe="/?&="), body)
        except OSError as error:
            self.failed.append(f"{step.name}: {error}")
            self._line.close()
            return
        self.took[step.name].append((time.monotonic() - began) * 1000)
        if status not in (200, 303):
            self.failed.append(f"{step.name}: {status}")

    def _ask(self, method: str, path: str, body: str | None) -> tuple[int, bytes]:
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if body is not None else {}
        self._line.request(method, path, body, self._cookie | kind)
        answer = self._line.getresponse()
        return answer.status, answer.read()


@contextlib.contextmanager
def at_work(address: str, tokens: Sequence[str], all_steps: Sequence[Step], rest: float) -> Iterator[list[User]]:
    """So many of them for the length of the block, who rest so many seconds between two pages, on average."""
    users = [User(address, token, n) for n, token in enumerate(tokens)]
    over = threading.Event()
    threads = [threading.Thread(target=user.work, args=(all_steps, rest, over)) for user in users]
    for thread in threads:
        thread.start()
    try:
        yield users
    finally:
        over.set()
        for thread in threads:
            thread.join()
