"""Which sentences the program can say: read from its sources, so that none is left untranslated."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Formatter

from jinja2 import Environment, nodes

ROOT = Path(__file__).parents[2]

#: where a sentence stands in a call: at this position, or under this keyword
_SPOKEN = {"tr": (0, ""), "msgid": (0, "")}
#: the same for what gateways tell; there it may also be the carrier's own text, which nobody can translate beforehand
_TOLD = {"Reason": (2, "words"), "Refused": (1, "reason"), "OptedOut": (1, "reason")}
_TOLD |= {"Unreachable": (0, "reason"), "OutcomeUnknown": (0, "reason")}


#: what is assigned to each name, anywhere in a module
_Bound = Mapping[str, list[ast.expr]]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence as it stands in the source."""

    msgid: str
    #: "" unless it is said of a count
    plural: str
    #: file and line
    where: str
    #: names of the fields that are given to it; None where the call does not show them
    given: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Collected:
    """All sentences, and the places where one is said that cannot be read from the source."""

    sentences: list[Sentence] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)


def sources(root: Path = ROOT) -> list[Path]:
    """The files whose sentences people read; this package only passes on what others say."""
    files = [*root.glob("subscribers/**/*.py"), *root.glob("broadcaster/**/*.py"), *root.glob("cli.py")]
    files += root.glob("broadcaster/**/html/*.html")
    return sorted(file for file in files if Path(__file__).parent not in file.parents)


def collect(files: Iterable[Path], root: Path = ROOT) -> Collected:
    """Read the sentences of these files.

    A sentence is a literal, a choice between literals, or a name or table of literals of the same module. An attribute
    (`error.message`) is left out: what it holds was read where it was made.
    """
    read = {str(file.relative_to(root)): file.read_text(encoding="utf-8") for file in files}
    trees = {name: ast.parse(text) for name, text in read.items() if not name.endswith(".html")}
    given_a_sentence, with_their_own = error_classes(trees.values())
    found = Collected()
    for name, tree in trees.items():
        bound = _bound(tree)
        for call, speaker in _calls(tree, given_a_sentence, with_their_own):
            where = f"{name}:{call.lineno}"
            pairs = _pairs(call, speaker, bound)
            if pairs is None:
                found.unreadable.append(where)
            else:
                given = _given(call, speaker)
                found.sentences.extend(Sentence(msgid, plural, where, given) for msgid, plural in pairs if msgid)
    for name, text in read.items():
        if name.endswith(".html"):
            _collect_page(name, text, found)
    return found


def _collect_page(name: str, text: str, found: Collected) -> None:
    """The same of a page's template."""
    for call in Environment(autoescape=True).parse(text).find_all(nodes.Call):
        speaker = call.node.name if isinstance(call.node, nodes.Name) else ""
        if speaker not in ("tr", "ntr"):
            continue
        where = f"{name}:{call.lineno}"
        forms = [form.value if isinstance(form, nodes.Const) else None for form in call.args[: 1 + (speaker == "ntr")]]
        if not forms or not all(isinstance(form, str) for form in forms):
            found.unreadable.append(where)
            continue
        given = frozenset({each.key for each in call.kwargs} | ({"n"} if speaker == "ntr" else set()))
        found.sentences.append(Sentence(str(forms[0]), str(forms[1]) if speaker == "ntr" else "", where, given))


def fields(sentence: str) -> set[str]:
    """The names of the fields of a sentence: `row` and `price` of "Row {row} costs {price:.2f}."."""
    names = (name for _, name, _, _ in Formatter().parse(sentence) if name is not None)
    return {name.partition(".")[0].partition("[")[0] for name in names}


def error_classes(trees: Iterable[ast.Module]) -> tuple[set[str], set[str]]:
    """`BroadsheetError` and its descendants by name: those that are given a sentence, those that have their own."""
    classes = {node.name: node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    given = _descendants({"BroadsheetError"}, classes)
    own = {name for name in given - {"BroadsheetError"} if name in classes and _has_init(classes[name])}
    own = _descendants(own, classes)
    return given - own, own


def _descendants(roots: set[str], classes: Mapping[str, ast.ClassDef]) -> set[str]:
    family = set(roots)
    while more := {name for name, node in classes.items() if family & {_name(base) for base in node.bases}} - family:
        family |= more
    return family


def _has_init(node: ast.ClassDef) -> bool:
    return any(isinstance(part, ast.FunctionDef) and part.name == "__init__" for part in node.body)


def _calls(tree: ast.Module, given: set[str], own: set[str]) -> Iterator[tuple[ast.Call, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name in own:
            # an error with a sentence of its own hands it to super().__init__
            for inner in ast.walk(node):
                if isinstance(inner, ast.Call) and _name(inner.func) == "__init__" and inner.args:
                    yield inner, "error"
        if isinstance(node, ast.Call):
            name = _name(node.func)
            if name in given and node.args:
                yield node, "error"
            elif name == "ntr" or name in _SPOKEN or name in _TOLD:
                yield node, name


def _pairs(call: ast.Call, speaker: str, bound: _Bound) -> list[tuple[str, str]] | None:
    """What this call says, each with its plural or ""; None if the source does not tell."""
    if speaker == "ntr":
        forms = [_texts(argument, bound) for argument in call.args[:2]]
        return [(forms[0][0], forms[1][0])] if len(forms) == 2 and forms[0] and forms[1] else None
    position, keyword = _SPOKEN.get(speaker) or _TOLD.get(speaker) or (0, "hint")
    said = call.args[position : position + 1] + [given.value for given in call.keywords if given.arg == keyword]
    pairs: list[tuple[str, str]] = []
    for expression in said:
        texts = _texts(expression, bound)
        if texts is not None:
            pairs += [(text, "") for text in texts]
        elif speaker not in _TOLD and not isinstance(expression, ast.Attribute):
            return None
    return pairs


def _bound(tree: ast.Module) -> _Bound:
    bound = defaultdict(list)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                bound[_name(target)].append(node.value)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            bound[_name(node.target)].append(node.value)
    return bound


def _texts(node: ast.expr, bound: _Bound) -> list[str] | None:
    """The texts an expression can stand for; None if the source does not tell."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.IfExp(body=one, orelse=other):
            choices = [one, other]
        case ast.BoolOp(values=choices) | ast.Dict(values=choices):
            pass
        case ast.Name(id=name) | ast.Subscript(value=ast.Name(id=name)) if name in bound:
            choices = bound[name]
            bound = {other: values for other, values in bound.items() if other != name}
        case _:
            return None
    texts: list[str] = []
    for choice in choices:
        found = _texts(choice, bound)
        if found is None:
            return None
        texts += found
    return texts


def _given(call: ast.Call, speaker: str) -> frozenset[str] | None:
    names = [keyword.arg for keyword in call.keywords]
    if None in names or speaker == "msgid" or speaker in _TOLD:
        return None
    return frozenset(name for name in [*names, "n" if speaker == "ntr" else "hint"] if name and name != "hint")


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
