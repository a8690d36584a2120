"""The text of a rule -> its meaning. However it nests, it is read token by token, and given up early."""

from __future__ import annotations

from functools import cache

from lark import Lark, Token, Tree, UnexpectedInput

from subscribers.errors import Invalid
from subscribers.rules import fields
from subscribers.rules.faults import DEPTH, TERMS, VALUES, is_too_much, pointer, refuse_unreadable, too_much
from subscribers.rules.terms import All, AnyOf, Not, Rule, Saved

_QUOTES = "\"'“‘「"
#: tokens of a rule that keeps to all of its limits
_TOKENS = 6 * TERMS + 2 * VALUES


def parse(text: str) -> Rule:
    """The rule as a tree. Raises `Invalid`, with the place where it went wrong under the text."""
    refuse_unreadable(text)
    try:
        rule = _meaning(text, _syntax(text))
    except UnexpectedInput as error:
        raise _unread(text, _place(text, error)) from None
    if is_too_much(rule):
        raise too_much(text)
    return rule


@cache
def _parser() -> Lark:
    # its tables take 40 ms, and most commands read no rule
    return Lark.open("rules.lark", rel_to=__file__, parser="lalr", lexer="contextual", propagate_positions=True)


def _syntax(text: str) -> Tree[Token]:
    reading = _parser().parse_interactive(text)
    #: brackets that are open and negations that wait for their condition
    inside: list[str] = []
    last: Token | None = None
    for number, last in enumerate(reading.iter_parse()):
        match last.type:
            case "_OPEN" | "_NOT":
                inside.append(last.type)
            case "_CLOSE":
                # a bracket that was never opened is only refused once it has been seen here
                while inside and inside.pop() == "_NOT":
                    pass
                _end_negations(inside)
            case "WORD" | "STRING":
                _end_negations(inside)
        if len(inside) > DEPTH or number > _TOKENS:
            raise too_much(text, fields.place(last))
    tree: Tree[Token] = reading.feed_eof(last)  # type: ignore[no-untyped-call]
    return tree


def _end_negations(inside: list[str]) -> None:
    while inside and inside[-1] == "_NOT":
        inside.pop()


def _meaning(text: str, tree: Tree[Token]) -> Rule:
    """The meaning of a syntax tree, whose depth was bounded while it was read."""
    inner = [child for child in tree.children if isinstance(child, Tree)]
    tokens = [child for child in tree.children if isinstance(child, Token)]
    match tree.data:
        case "any":
            return AnyOf(tuple(_meaning(text, child) for child in inner))
        case "all":
            return All(tuple(_meaning(text, child) for child in inner))
        case "negation":
            return Not(_meaning(text, inner[0]))
        case "bracket":
            return _meaning(text, inner[0])
        case "test":
            return fields.test(text, *tokens)
        case "own":
            return fields.own(text, *tokens)
        case "call":
            called = fields.call(text, *tokens)
            # what takes its place must take the place of all of it
            return Saved(called.name, tree.meta.start_pos, tree.meta.end_pos) if isinstance(called, Saved) else called
    return fields.name(tokens[0])


def _place(text: str, error: UnexpectedInput) -> int:
    token = getattr(error, "token", None)
    if token is not None and token.type == "$END":
        return len(text.rstrip())
    return error.pos_in_stream or 0


def _unread(text: str, at: int) -> Invalid:
    is_quote = text[at : at + 1] != "" and text[at] in _QUOTES
    return Invalid(
        "The rule cannot be read from column {column} on.\n  {line}\n  {caret}",
        hint="The quote that begins there is never closed."
        if is_quote
        else 'It looks like: status = retired and under("East City") and age >= 60. '
        "Names with other words or signs in them need quotes.",
        **pointer(text, at),
    )
