"""How a person got here: with which options, in which language. Read before anything is said."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from contextvars import ContextVar

from broadcaster.language import Language
from broadcaster.program import typed

_LANGUAGES: tuple[Language, ...] = ("zh", "en")

#: --config and --lang as they were typed, to be typed again
_again: ContextVar[tuple[str, str]] = ContextVar("again", default=("", ""))


def typed_again(text: str) -> str:
    """The text, with our own commands as they are typed here, with the configuration and the language of this run.

    What is typed next goes to the same installation.

    >>> remember(["--config", "a b.toml", "campaigns", "list"])
    >>> typed_again("Run `broadsheet init`.")
    "Run `broadsheet --config 'a b.toml' init`."
    >>> remember([])
    """
    config, language = _again.get()
    return typed(text, lambda configured: language + (configured or config))


def remember(arguments: Sequence[str]) -> None:
    """Keep what `typed_again` repeats."""
    config, language = value_of(arguments, "--config"), wished_language(arguments)
    _again.set((f" --config {shlex.quote(config)}" if config else "", f" --lang {language}" if language else ""))


def wished_language(arguments: Sequence[str]) -> Language | None:
    """The language named with --lang, wherever it stands: known before anything is said."""
    return next((language for language in _LANGUAGES if language == value_of(arguments, "--lang")), None)


def unknown_language(arguments: Sequence[str]) -> str:
    """What stands behind --lang and is none of our languages; else ""."""
    wish = value_of(arguments, "--lang")
    return "" if wish in _LANGUAGES else wish


def without_language(arguments: Sequence[str]) -> list[str]:
    """The arguments without a --lang that has been heard: it may stand anywhere, the parser takes it at two places."""
    rest: list[str] = []
    taken = False
    for at, argument in enumerate(arguments):
        if argument == "--":
            return [*rest, *arguments[at:]]
        if taken:
            taken = False
        elif argument == "--lang" and arguments[at + 1 : at + 2] and arguments[at + 1] in _LANGUAGES:
            taken = True
        elif argument.removeprefix("--lang=") not in _LANGUAGES or not argument.startswith("--lang="):
            rest.append(argument)
    return rest


def value_of(arguments: Sequence[str], option: str) -> str:
    """What an option was given, the last time it stands there."""
    value = ""
    for at, argument in enumerate(arguments):
        if argument == "--":
            break
        if argument == option:
            value = next(iter(arguments[at + 1 :]), "")
        elif argument.startswith(f"{option}="):
            value = argument.removeprefix(f"{option}=")
    return value
