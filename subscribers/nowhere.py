"""Those who are in no organisation stand in one all the same: stored under one name, told and typed under others."""

from __future__ import annotations

#: a list without organisations, taken in by somebody who may do so anywhere, goes there
DEFAULT_ORGANISATION = "Members"
IN_CHINESE, IN_ENGLISH = "未分组织", "No organisation"


def stored_name(names: str) -> str:
    """A path of names as it is stored: whoever writes what a page calls the place means the same one.

    >>> stored_name("未分组织"), stored_name("东城/未分组织")
    ('Members', '东城/未分组织')
    """
    top, below, rest = names.partition("/")
    return DEFAULT_ORGANISATION + below + rest if top.strip() in (IN_CHINESE, IN_ENGLISH) else names
