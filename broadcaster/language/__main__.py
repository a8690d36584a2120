"""`python -m broadcaster.language --missing`: the sentences without Chinese, as entries to fill in."""

from __future__ import annotations

import argparse
import json
import sys

from broadcaster.language import CATALOGUE, read_catalogue
from broadcaster.language.collect import Sentence, collect, sources


def entry(sentence: Sentence) -> str:
    """An empty .po entry."""
    lines = [f"#: {sentence.where.partition(':')[0]}", f"msgid {_quoted(sentence.msgid)}"]
    if sentence.plural:
        lines += [f"msgid_plural {_quoted(sentence.plural)}", 'msgstr[0] ""']
    else:
        lines += ['msgstr ""']
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> None:
    """Print the missing entries."""
    parser = argparse.ArgumentParser(prog="python -m broadcaster.language", description=__doc__)
    parser.add_argument("--missing", action="store_true", required=True, help="list the sentences without Chinese")
    parser.parse_args(arguments)
    translated = read_catalogue(CATALOGUE)
    wanted = {sentence.msgid: sentence for sentence in collect(sources()).sentences}
    sys.stdout.writelines(entry(wanted[msgid]) + "\n" for msgid in wanted if not translated.get(msgid))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


if __name__ == "__main__":
    main()
