"""What stands around a text, and the parts that it is cut into: signature, body, how to refuse more. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from broadcaster.gateways.contract import Capabilities
from broadcaster.sms import Cut, Split, cut_many, split

#: where the signature stands; "carrier": the carrier adds it behind the text, where we must leave room for it
Place = Literal["front", "tail", "carrier"]
PLACES: Mapping[str, Place] = {"front": "front", "tail": "tail", "carrier": "carrier"}


@dataclass(frozen=True, slots=True)
class Dress:
    """What is added to every text: who sends it, and how to refuse more."""

    signature: str = ""
    opt_out: str = ""
    place: Place = "front"


def dressed(dress: Dress, body: str) -> str:
    """The text as its reader sees it, whoever adds the signature.

    A space keeps the opt-out line apart where the body does not end with a sign of its own: "收到请回复拒收请回复R"
    says to an old reader that they should answer 拒收.
    """
    body = body.rstrip()
    apart = " " if dress.opt_out and body and body[-1].isalnum() else ""
    text = f"{body}{apart}{dress.opt_out}"
    return f"{dress.signature}{text}" if dress.place == "front" else f"{text}{dress.signature}"


def cut(dress: Dress, text: str, capabilities: Capabilities) -> Split:
    """The parts of a dressed text as this gateway carries them; signature and opt-out line stay whole where possible.

    Parts are counted, shown and billed with the signature that a carrier adds; `leaving` gives what leaves us.
    """
    keep = _kept_whole(dress)
    if dress.place == "carrier" and dress.signature:
        # the last part must have something that it can be added to
        keep = (text[-len(dress.signature) - 1 :], *keep)
    return split(text, capabilities.alphabet, reference_bits=capabilities.reference_bits, keep=keep)


def leaving(dress: Dress, counted: Split) -> Split:
    """The parts as they leave us: without the signature, where the carrier adds it."""
    if dress.place != "carrier" or not counted.parts:
        return counted
    return replace(counted, parts=(*counted.parts[:-1], counted.parts[-1].removesuffix(dress.signature)))


def handed_over(dress: Dress, bodies: Sequence[str], capabilities: Capabilities) -> list[Cut]:
    """The parts that leave us for each of many bodies: dressed, cut, without what the carrier adds or cuts itself."""
    texts = [dressed(dress, body) for body in bodies]
    if dress.place == "carrier" or capabilities.whole_messages:
        splits = [cut(dress, text, capabilities) for text in texts]
        return [Cut(each.encoding, capabilities.handed_over(leaving(dress, each))) for each in splits]
    return cut_many(texts, capabilities.alphabet, reference_bits=capabilities.reference_bits, keep=_kept_whole(dress))


def _kept_whole(dress: Dress) -> tuple[str, ...]:
    return tuple(filter(None, (dress.signature, dress.opt_out)))
