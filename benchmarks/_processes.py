"""What processes have used, as Linux counts it."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """Of this process with all of its threads, without its children."""
    return sum(int(field) for field in _fields(pid)[11:13]) / _TICKS


def family_cpu_seconds(pid: int) -> float:
    """Of this process and its children, those that have ended too."""
    found = 0.0
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = _fields(int(entry.name))
            except OSError:
                continue
            if entry.name == str(pid):
                found += sum(int(field) for field in fields[11:15])
            elif fields[1] == str(pid):
                found += sum(int(field) for field in fields[11:13])
    return found / _TICKS


def memory_mib(pid: int) -> tuple[float, float]:
    """What it holds, and the most that it has held."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    return int(lines["VmRSS"].split()[0]) / 1024, int(lines["VmHWM"].split()[0]) / 1024


def _fields(pid: int) -> list[str]:
    """From the state on: the parent is field 1, the times are 11 to 14."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
