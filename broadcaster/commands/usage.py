"""What was typed wrongly, in the reader's language: the parser itself speaks English only."""

from __future__ import annotations

import re
from typing import Any

from broadcaster.language import listed, msgid, tr, translated

_COMMAND = re.compile(r"No such command '(?P<name>.*?)'\.?(?: Did you mean (?P<nearest>.+)\?)?")
#: how the parser says what a value must be
_WRONG = {
    re.compile(r"Input should be a valid integer"): msgid("must be a whole number."),
    re.compile(r"Input should be a valid number"): msgid("must be a number."),
    re.compile(r"Input should be less than or equal to (?P<le>\S+?)\.?$"): msgid("must be at most {le}."),
    re.compile(r"Input should be greater than or equal to (?P<ge>\S+?)\.?$"): msgid("must be at least {ge}."),
    re.compile(r"Value error, '.*' is not one of (?P<expected>.+?)\.?$"): msgid("must be one of {expected}."),
}


def misuse(error: Any) -> tuple[str, str]:
    """What is wrong with the line, and what to do. `error` is whatever the parser raised."""
    context = getattr(error, "ctx", None)
    hint = tr("See `{command} --help`.", command=context.command_path) if context else ""
    message = error.format_message()
    if unknown := _COMMAND.fullmatch(message):
        return tr("There is no command {name}.", name=unknown["name"]), _nearest(unknown["nearest"]) or hint
    kind, parameter = type(error).__name__, getattr(error, "param", None)
    if kind == "NoSuchOption":
        nearest = listed(sorted(error.possibilities or ()))
        return tr("There is no option {name}.", name=error.option_name), _nearest(nearest) or hint
    if kind == "MissingParameter" and parameter is not None:
        return tr("{name} is missing.", name=_name(parameter)), hint
    if kind == "BadParameter" and parameter is not None:
        for wrong, told in _WRONG.items():
            if found := wrong.match(error.message):
                sentence = translated(told).format(**found.groupdict())
                return tr("{name} {must_be}", name=_name(parameter), must_be=sentence), hint
        return tr("{name} cannot be used: {detail}.", name=_name(parameter), detail=error.message.rstrip(".")), hint
    if message.startswith("Missing command"):
        return tr("A command is missing."), hint
    return message, hint


def _nearest(names: str | None) -> str:
    return tr("Did you mean {names}?", names=names.replace("'", "")) if names else ""


def _name(parameter: Any) -> str:
    if parameter.param_type_name == "option":
        return "/".join(parameter.opts)
    return str(parameter.metavar or parameter.name)
