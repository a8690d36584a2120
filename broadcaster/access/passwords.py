"""Passwords: which are good enough, how they are kept, and one that is given out."""

from __future__ import annotations

import functools
import re
import secrets
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from pwdlib import PasswordHash
from pwdlib.exceptions import PwdlibError
from pwdlib.hashers.argon2 import Argon2Hasher

from subscribers.errors import Invalid, Unavailable

SHORTEST = 12
#: nobody types more, and hashing what a stranger sends must cost no more than this
LONGEST = 200

#: hashes at a time: each takes 64 MiB, and strangers ask for them
_AT_ONCE = threading.BoundedSemaphore(4)
#: seconds to wait for one's turn
_PATIENCE = 10.0
#: that hash or wait for it, of the threads that everything else is answered by
_IN_ALL = threading.BoundedSemaphore(12)

#: neither 0 and o nor 1, i and l: it is read from paper, and typed
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
_GROUPS, _GROUP = 4, 4

_HINT = "Take several words that do not belong together, at least {shortest} characters in all."

#: rows of keys and of the alphabet, along which nobody guesses for long
_RUNS = (
    "0123456789012345678901234567890123456789",
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnmqwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "q1w2e3r4t5y6u7i8o9p0",
)
#: what is tried first where Chinese is typed, and this program stands; the other lists know English
_COMMON = re.compile(
    r"(?:\W|_|\d|broadsheet|woaini|wo|ai|ni|aini|zhongguo|beijing|mima|woshi|abc|aa|qq|www|com|my|is)*"
)
#: guesses within which it must not be found: what needs fewer falls to whoever gets hold of its hash
_EASY = 10**8
#: more signs are not looked at, for it takes their number squared
_LOOKED_AT = 72


def check(password: str, name: str) -> str:
    """The password as it is kept (one form of each character); raises `Invalid` if it is too easy to guess.

    `name` is the user's own.
    """
    password = one_form(password)
    if len(password) < SHORTEST:
        raise Invalid("The password is too short.", hint=_HINT, shortest=SHORTEST)
    if len(password) > LONGEST:
        raise Invalid(
            "The password is too long.",
            hint="At most {longest} characters; is it the right file?",
            longest=LONGEST,
        )
    if not password.isprintable():
        raise Invalid("The password has signs in it that cannot be typed.", hint="Write it on one line.")
    folded = password.casefold()
    # two letters are in half of all words; two Chinese characters are a name
    if len(name) > (3 if name.isascii() else 1) and name.casefold() in folded:
        raise Invalid("The password has the user's name in it.", hint=_HINT, shortest=SHORTEST)
    if _is_common(folded) or _is_guessed(password, name):
        raise Invalid("The password is one of those that are tried first.", hint=_HINT, shortest=SHORTEST)
    return password


def one_form(password: str) -> str:
    """The password with each character in its one form, since keyboards differ."""
    # sorting marks takes their number squared; four signs at most become one, so what is cut is too long anyway
    return unicodedata.normalize("NFC", password[: 4 * LONGEST + 1])


def generate() -> str:
    """A password to be given out: 16 letters and figures that nobody mistakes, 79 bits."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))


def hashed(password: str) -> str:
    """How a password is kept: argon2id, 64 MiB."""
    with _turn():
        return _hasher().hash(password)


def matches(password: str, kept: str | None) -> tuple[bool, str | None]:
    """Whether it is the one that is kept, and a newer hash to keep if there is one.

    With nothing to compare to, the same work is done: who does not exist takes as long as who does. Raises
    `Unavailable` where too many are at it.
    """
    password = one_form(password)[: LONGEST + 1]
    known = kept or _nobody()
    try:
        with _turn():
            right, newer = _hasher().verify_and_update(password, known)
    except PwdlibError:
        return False, None
    return right and kept is not None, newer


@contextmanager
def _turn() -> Iterator[None]:
    crowded = Unavailable("Too many people sign in at this moment.", hint="Try again in a minute.")
    if not _IN_ALL.acquire(blocking=False):
        raise crowded
    try:
        if not _AT_ONCE.acquire(timeout=_PATIENCE):
            raise crowded
        try:
            yield
        finally:
            _AT_ONCE.release()
    finally:
        _IN_ALL.release()


def _is_common(folded: str) -> bool:
    if any(folded in run or folded in run[::-1] for run in _RUNS):
        return True
    if len(set(folded)) < 5 or folded in (folded + folded)[1:-1]:
        return True
    return _COMMON.fullmatch(folded) is not None


def _is_guessed(password: str, name: str) -> bool:
    """Whether it is found soon by who knows the lists that leaked, names, words and how people change them."""
    # its lists take a tenth of a second, and most of what runs here never sets a password
    from zxcvbn import zxcvbn

    found = zxcvbn(password[:_LOOKED_AT], user_inputs=[name], max_length=_LOOKED_AT)
    return bool(found["guesses"] < _EASY)


@functools.cache
def _hasher() -> PasswordHash:
    return PasswordHash((Argon2Hasher(),))


@functools.cache
def _nobody() -> str:
    return hashed(secrets.token_urlsafe())
