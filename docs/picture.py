"""Makes docs/demo.svg, drawn from the output of a demo. From the top: `.venv/bin/python docs/picture.py`."""

from __future__ import annotations

import html
import os
import re
import tempfile
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME

#: the width of one cell in the picture
_CELL = 12.2

PICTURE = Path(__file__).with_name("demo.svg")


class Still:
    """In place of what moves on the terminal: only its last state is in the picture."""

    def __init__(self, *_: Any, console: Console, **__: Any) -> None:
        self._console = console
        self._last: Any = None
        self.task_ids = [0]

    def start(self) -> None:
        """Nothing moves."""

    def add_task(self, *_: Any, **__: Any) -> None:
        """Nothing is counted."""

    def update(self, shown: Any, **_: Any) -> None:
        """Remember what would be drawn."""
        self._last = shown

    def stop(self) -> None:
        """Draw what was there last."""
        if self._last:
            self._console.print(self._last)
            self._last = None


def main() -> None:
    """Run the demo in a folder of its own, and keep what it showed."""
    os.environ["BROADSHEET_PROGRAM"] = "python3 run.py"
    from broadcaster.commands import demo_report, demo_view, output
    from broadcaster.demo import journey
    from broadcaster.demo.installation import Plan

    screen = Console(record=True, force_terminal=True, width=142, highlight=False, markup=False, emoji=False)
    for module in (output, demo_view):
        vars(module)["console"] = lambda **_: screen
    vars(demo_view).update(Live=Still, Progress=Still)
    with tempfile.TemporaryDirectory() as folder:
        plan = Plan(Path(folder))
        with demo_view.View() as view:
            result, runtime = journey.run(plan, view)
        demo_report.report(runtime, result, plan)
    picture = screen.export_svg(title="python3 run.py demo", theme=SVG_EXPORT_THEME)
    # no font is fetched from elsewhere: the reader's own monospaced one will do
    picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)
    picture = re.sub(r'textLength="[\d.]+"([^>]*)>([^<]*)<', _by_cells, picture)
    picture = picture.replace(folder, "data/demo")
    PICTURE.write_text(picture, encoding="utf-8")


def _by_cells(text: re.Match[str]) -> str:
    """Give a piece of text the room of its cells: a Chinese character has two, and Rich counts one."""
    length = cell_len(html.unescape(text[2])) * _CELL
    return f'textLength="{length:.1f}"{text[1]}>{text[2]}<'


if __name__ == "__main__":
    main()
