"""The simulated carrier in a process of its own: `python -m broadcaster.gateways.simulator --file F --port P`."""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_origin

from pydantic import ValidationError

from broadcaster.gateways.simulator.fates import Behaviour
from broadcaster.gateways.simulator.host import Host
from subscribers.ending import asked_to_end, wait_for
from subscribers.errors import BroadsheetError


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C. Prints the port, once it can be reached."""
    told = _parser().parse_args(arguments)
    asked = {key: value for key, value in vars(told).items() if key in Behaviour.model_fields and value is not None}
    with asked_to_end() as ending:
        return _serve(told, asked, ending)


def _serve(told: argparse.Namespace, asked: Mapping[str, object], ending: threading.Event) -> int:
    try:
        host = Host.take(told.file, Behaviour.model_validate(asked), told.port)
    except ValidationError as error:
        for mistake in error.errors():
            sys.stderr.write(f"{' '.join(f'--{step}' for step in mistake['loc'][:1])} {mistake['msg']}\n".lstrip())
        return 2
    except BroadsheetError as error:
        sys.stderr.write(f"{error} {error.hint}\n")
        return error.exit_code
    if host is None:
        sys.stderr.write(f"The carrier on {told.file} is running already.\n")
        return 1
    sys.stdout.write(f"{host.port}\n")
    sys.stdout.flush()
    wait_for(ending)
    host.close()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m broadcaster.gateways.simulator", description=__doc__)
    parser.add_argument("--file", type=Path, required=True, help="where the carrier writes what it accepts")
    parser.add_argument("--port", type=int, default=0, help="default: any free port")
    for name, field in Behaviour.model_fields.items():
        span = get_origin(field.annotation) is tuple
        many = "+" if name == "reply_texts" else 2 if span else None
        parser.add_argument(f"--{name.replace('_', '-')}", nargs=many, help=f"{field.description}; {field.default}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
