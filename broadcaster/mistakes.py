"""What others say in English only, told in the reader's language: the checker of settings, the operating system."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from broadcaster.language import msgid, tr, translated

#: what the checker calls a mistake -> what a person is told; its fields are the checker's own
_SENTENCES: Mapping[str, str] = {
    "missing": msgid("is missing."),
    "string_type": msgid("must be text in quotes."),
    "string_too_long": msgid("must have at most {max_length} characters."),
    "string_pattern_mismatch": msgid("is not written as it must be: {pattern}"),
    "int_type": msgid("must be a whole number."),
    "int_parsing": msgid("must be a whole number."),
    "int_from_float": msgid("must be a whole number."),
    "float_type": msgid("must be a number."),
    "float_parsing": msgid("must be a number."),
    "decimal_type": msgid("must be a number."),
    "decimal_parsing": msgid("must be a number."),
    "bool_type": msgid("must be true or false."),
    "bool_parsing": msgid("must be true or false."),
    "greater_than_equal": msgid("must be at least {ge}."),
    "less_than_equal": msgid("must be at most {le}."),
    "greater_than": msgid("must be more than {gt}."),
    "less_than": msgid("must be less than {lt}."),
    "literal_error": msgid("must be one of {expected}."),
    "tuple_type": msgid("must be a list in square brackets."),
    "list_type": msgid("must be a list in square brackets."),
    "too_short": msgid("has too few values."),
    "too_long": msgid("has too many values."),
    "dict_type": msgid("must be a table."),
    "model_type": msgid("must be a table."),
    "model_attributes_type": msgid("must be a table."),
}
#: what the system says most often; `language.tell` knows it by the system's own list
OF_THE_SYSTEM = (
    msgid("Address already in use"),
    msgid("Cannot assign requested address"),
    msgid("Connection refused"),
    msgid("Connection reset by peer"),
    msgid("File exists"),
    msgid("Input/output error"),
    msgid("Is a directory"),
    msgid("Network is unreachable"),
    msgid("No route to host"),
    msgid("No space left on device"),
    msgid("No such file or directory"),
    msgid("Not a directory"),
    msgid("Operation not permitted"),
    msgid("Permission denied"),
    msgid("Read-only file system"),
)


def tell_mistake(mistake: Any, known: Iterable[str]) -> str:
    """One mistake as `key: what is wrong`, never the value, which may be a secret. `known`: keys that there are."""
    place = ".".join(str(step) for step in mistake["loc"])
    if mistake["type"] == "extra_forbidden":
        told = unknown_key(str(mistake["loc"][-1]), known)
    elif sentence := _SENTENCES.get(mistake["type"]):
        told = translated(sentence).format(**mistake.get("ctx", {}))
    else:
        told = translated(re.sub(r"^Value error, ", "", mistake["msg"]))
    return f"  {place}: {told}" if place else f"  {told}"


def unknown_key(word: str, known: Iterable[str]) -> str:
    """That there is no such key, and which one is near."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return tr("unknown key. Did you mean {nearest}?", nearest=close[0]) if close else tr("unknown key.")
