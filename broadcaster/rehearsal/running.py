"""A carrier in a thread of its own: for the command, for tests, for anything that wants to look at it while it runs."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import dataclasses
import json
import os
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from broadcaster import logs
from broadcaster.rehearsal.behaviour import Behaviour
from broadcaster.rehearsal.carrier import Carrier
from broadcaster.rehearsal.counts import Counts
from broadcaster.rehearsal.journal import Journal
from broadcaster.rehearsal.letters import Join
from broadcaster.rehearsal.link import Link
from subscribers.clock import monotonic
from subscribers.errors import Unavailable

HOST = "127.0.0.1"
log = logs.get(__name__)
#: a start that finds no port, and an end that finds a hanging client, take no longer
START_WITHIN, END_WITHIN = 30.0, 10.0
#: seconds for clients to say goodbye, too
_GOODBYE = 1.0
_MO_EVERY = 0.05
_LOOK_AROUND = 0.1


class Rehearsal:
    """A carrier that runs. Its methods may be called from any thread."""

    def __init__(self, log_file: Path, behaviour: Behaviour, tls: ssl.SSLContext | None, *, fsync: bool) -> None:
        self.log = log_file
        #: set when it ended by itself: `stop` raises why
        self.ended = threading.Event()
        self._behaviour = behaviour
        self._tls = tls
        self._journal = Journal(log_file, fsync=fsync)
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._carrier: Carrier
        self._address: concurrent.futures.Future[tuple[str, int]] = concurrent.futures.Future()
        self._trouble: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="carrier", daemon=True)

    @property
    def host(self) -> str:
        """The address that it listens on."""
        return self._address.result(START_WITHIN)[0]

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._address.result(START_WITHIN)[1]

    def start(self, host: str, port: int) -> None:
        """Listen; port 0: any free one. Raises `Unavailable`."""
        self._wanted = (host, port)
        self._thread.start()
        try:
            self._address.result(START_WITHIN)
        except OSError as error:
            self._journal.close()
            raise Unavailable(
                "Nothing can listen on {host}:{port}: {detail}.",
                hint="Another program may be there already: choose another port, or 0 for any free one.",
                host=host,
                port=port,
                # asyncio writes a sentence of its own into strerror
                detail=os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error),
            ) from error

    def stop(self) -> Counts:
        """Say goodbye to the clients and end: the figures. Twice is once. Raises OSError if the log failed."""
        self._call(self._stopping.set)
        self._thread.join(END_WITHIN)
        self._journal.close()
        if self._trouble is not None:
            raise self._trouble
        return self.counts()

    def counts(self) -> Counts:
        """The figures of this moment."""
        found: list[Counts] = []
        if not self.ended.is_set():
            self._ask(lambda: found.append(dataclasses.replace(self._carrier.snapshot())))
        return found[0] if found else self._carrier.snapshot()

    def accepted(self) -> list[dict[str, Any]]:
        """The log so far, a document for each part; a line that is being written is left out."""
        lines = self.log.read_bytes().split(b"\n")[:-1]
        return [json.loads(line) for line in lines]

    def behave(self, **changes: Any) -> None:
        """Change how it behaves, from now on; `drip` counts for new connections only."""
        self._behaviour = dataclasses.replace(self._behaviour, **changes)
        self._ask(lambda: self._carrier.behave(self._behaviour))

    def say(self, source: str, text: str, *, destination: str = "", system_id: str, join: Join = "udh8") -> None:
        """A member writes; to the last sender of this system id unless a destination is given."""
        self._ask(lambda: self._carrier.say(source, text, destination, system_id, join))

    def cut(self) -> None:
        """Cut every connection; new ones are welcome."""
        self._ask(lambda: self._carrier.cut())

    def _ask(self, work: Callable[[], object]) -> None:
        """Do it in the carrier's own thread, and wait until it is done; once that has ended nothing is done."""
        done: concurrent.futures.Future[None] = concurrent.futures.Future()

        def do() -> None:
            try:
                work()
            except Exception as error:
                done.set_exception(error)
            else:
                done.set_result(None)

        self._call(do)
        while not self.ended.is_set():
            if concurrent.futures.wait([done], timeout=_LOOK_AROUND).done:
                done.result()
                return

    def _call(self, work: Callable[[], object]) -> None:
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(work)

    def _run(self) -> None:
        self._loop.set_exception_handler(self._wonder)
        try:
            self._loop.run_until_complete(self._serve())
        except OSError as error:
            self._trouble = error
        finally:
            self._loop.close()
            self.ended.set()

    def _wonder(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Something in here failed that no client should be able to bring about: that connection has been ended."""
        self._carrier.counts.internal_errors += 1
        log.error("the carrier failed", what=context["message"], exc_info=context.get("exception"))

    async def _serve(self) -> None:
        try:
            carrier = self._carrier = Carrier(self._behaviour, self._journal, self._loop)
            server = await self._loop.create_server(lambda: Link(carrier), *self._wanted, ssl=self._tls, backlog=1024)
        except (OSError, OverflowError) as error:
            self._address.set_exception(error)
            return
        self._address.set_result(server.sockets[0].getsockname()[:2])
        talking = self._loop.create_task(self._chatter(carrier))
        stopping = self._loop.create_task(self._stopping.wait())
        ends: tuple[asyncio.Future[Any], ...] = (carrier.failed, stopping, talking)
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            server.close()
            await self._say_goodbye(carrier)
            for task in (talking, stopping):
                task.cancel()
            await asyncio.wait((talking, stopping))
        if not talking.cancelled():
            talking.result()
        if carrier.failed.done():
            await carrier.failed
        carrier.failed.cancel()

    async def _chatter(self, carrier: Carrier) -> None:
        """Invented members write, so many a second, as long as somebody listens."""
        owed, since = 0.0, monotonic()
        while True:
            await asyncio.sleep(_MO_EVERY)
            now = monotonic()
            owed, since = owed + (now - since) * carrier.behaviour.mo_rate, now
            while owed >= 1:
                owed = owed - 1 if carrier.chatter() else 0.0

    async def _say_goodbye(self, carrier: Carrier) -> None:
        for link in list(carrier.links):
            link.say_goodbye()
        until = monotonic() + _GOODBYE
        while carrier.links and monotonic() < until:
            await asyncio.sleep(0.01)
        carrier.cut()
        while carrier.links and monotonic() < until + _GOODBYE:
            await asyncio.sleep(0.01)


@contextlib.contextmanager
def rehearsing(
    log_file: Path,
    behaviour: Behaviour | None = None,
    *,
    host: str = HOST,
    port: int = 0,
    tls: ssl.SSLContext | None = None,
    fsync: bool = False,
) -> Iterator[Rehearsal]:
    """A carrier for the length of the block. Raises `Unavailable` for a port in use, OSError for the log."""
    carrier = Rehearsal(log_file, behaviour or Behaviour(), tls, fsync=fsync)
    carrier.start(host, port)
    try:
        yield carrier
    finally:
        carrier.stop()
