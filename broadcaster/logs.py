"""Structured logs: one JSON object a line, telephone numbers masked, secrets never.

Whatever is logged passes through `_mask`, so that a number in a third party's message is masked as well.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
from typing import Any, TextIO

import structlog

#: not within a word of Latin letters, such as an id, and not the places behind a decimal point
_DIGITS = re.compile(r"(?<![0-9A-Za-z_])(?<!\d\.)\+?\d{7,15}(?![0-9A-Za-z_]|\.\d)")
#: these tell every single thing they do at INFO, several times a second
_TALKATIVE = ("alembic", "celery", "kombu", "uvicorn.access")
_SECRET = re.compile(r"(password|secret|token|auth|api_key|credential)", re.IGNORECASE)


def configure(*, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send our logs, and those of the libraries, to `stream` (standard error unless given)."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _mask,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for library in _TALKATIVE:
        logging.getLogger(library).setLevel(max(logging.WARNING, root.level))


def get(name: str) -> Any:
    """A logger; call it with an event in words and fields: `log.info("batch claimed", batch=7)`."""
    return structlog.stdlib.get_logger(name)


class Seldom:
    """Counts what may happen often, by key, so that it is told at most once in a `pause` of seconds. For threads."""

    def __init__(self, pause: float) -> None:
        self._pause = pause
        #: how often since it was told last, and when that was
        self._untold: dict[str, tuple[int, float]] = {}
        self._guard = threading.Lock()

    def again(self, key: str, at: float) -> int:
        """It happened once more, at this instant of a monotonic clock.

        Returns how often since it was told last, if it is to be told now, else 0.
        """
        with self._guard:
            times, told = self._untold.get(key, (0, at - self._pause))
            due = at - told >= self._pause
            self._untold[key] = (0, at) if due else (times + 1, told)
        return times + 1 if due else 0


def _mask(_logger: object, _method: str, event: Any) -> Any:
    return {key: _masked(key, value) for key, value in event.items()}


def _masked(key: str, value: object) -> object:
    if _SECRET.search(key):
        return "***"
    if key == "timestamp":
        return value
    if isinstance(value, str):
        return _DIGITS.sub(lambda found: f"{found[0][:3]}****{found[0][-4:]}", value)
    if isinstance(value, (int, float, bool)) or value is None:
        return value
    return _masked(key, str(value))
