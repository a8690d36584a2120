"""`python -m broadcaster.migrations "what changed"`: write the next revision; read it before you commit it."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory

from broadcaster.migrations import config
from subscribers.db import make_engine


def main() -> None:
    """Compare the models with the schema that the revisions make, and write down the difference."""
    parser = argparse.ArgumentParser(prog="python -m broadcaster.migrations", description=__doc__)
    parser.add_argument("message", help="what changed, in a few words")
    message = parser.parse_args().message
    with tempfile.TemporaryDirectory() as folder:
        engine = make_engine(f"sqlite:///{Path(folder) / 'compared.db'}")
        with engine.begin() as connection:
            made = config(connection)
            known = ScriptDirectory.from_config(made)
            if known.get_current_head():
                command.upgrade(made, "head")
            number = len(list(known.walk_revisions())) + 1
            command.revision(made, message, autogenerate=True, rev_id=f"r{number:04d}")
        engine.dispose()


if __name__ == "__main__":
    main()
