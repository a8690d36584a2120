"""Processes that start in milliseconds: forked from a server that has imported what they need."""

from __future__ import annotations

import multiprocessing

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    ["tests.journeys.sending", "tests.journeys.starting", "tests.tasks.processes", "tests.chaos.serving"]
)
