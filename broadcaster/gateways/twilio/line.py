"""What is held while the gateway is open: the official client, its connections, threads to use them side by side."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

from twilio.rest import Client

from broadcaster.gateways.twilio.config import TwilioConfig
from broadcaster.gateways.twilio.transport import Transport

Thing = TypeVar("Thing")
Told = TypeVar("Told")


class Line:
    """Belongs to the process that made it: a forked child must not talk into its parent's connections."""

    def __init__(self, config: TwilioConfig) -> None:
        self._at_once = config.window
        self._patience = config.connect_timeout + config.answer_timeout + 1
        self._transport = Transport(
            at_once=config.window, connect_timeout=config.connect_timeout, answer_timeout=config.answer_timeout
        )
        self._threads = ThreadPoolExecutor(config.window, thread_name_prefix="twilio")
        self._process = os.getpid()
        self.client = Client(
            config.api_key or config.account_sid,
            (config.api_key_secret if config.api_key else config.auth_token).get_secret_value(),
            config.account_sid,
            region=config.region or None,
            edge=config.edge or None,
            http_client=self._transport,
            # an empty one would make it look into the environment of this process for accounts and addresses
            environment={"TWILIO": ""},
        )
        if config.api_url:
            self.client.api.base_url = config.api_url
        # made at its first use, and here by one thread
        assert self.client.messages  # noqa: S101

    @property
    def is_ours(self) -> bool:
        """Whether this process made it."""
        return self._process == os.getpid()

    def close(self) -> None:
        """Wait for the answers to what is out, begin nothing more, hang up."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._transport.close()

    def side_by_side(
        self, do: Callable[[Thing], Told], things: Sequence[Thing], *, not_begun: Told, not_ended: Told
    ) -> list[Told]:
        """What `do` gives for each of these, in their order. It must not raise.

        `not_begun` for those that the line was closed before, or that found no thread in time; `not_ended` for those
        that were begun and took longer than any answer may.
        """
        begun: list[Future[Told] | None] = [self._begin(do, thing) for thing in things]
        waves = -(-len(things) // self._at_once)
        wait([future for future in begun if future is not None], timeout=waves * self._patience)
        return [_result(future, not_begun, not_ended) for future in begun]

    def _begin(self, do: Callable[[Thing], Told], thing: Thing) -> Future[Told] | None:
        try:
            return self._threads.submit(do, thing)
        except RuntimeError:
            # closed by another thread
            return None


def _result(future: Future[Told] | None, not_begun: Told, not_ended: Told) -> Told:
    if future is None or future.cancel() or future.cancelled():
        return not_begun
    return future.result() if future.done() else not_ended
