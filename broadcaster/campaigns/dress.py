"""What stands around a text, and the parts that it is cut into: signature, body, how to refuse more. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from broadcaster.gateways.contract import Capabilities
from broadcaster.sms import Split, split

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
    keep = [dress.signature, dress.opt_out]
    if dress.place == "carrier" and dress.signature:
        # the last part must have something that it can be added to
        keep.insert(0, text[-len(dress.signature) - 1 :])
    return split(
        text, capabilities.alphabet, reference_bits=capabilities.reference_bits, keep=tuple(filter(None, keep))
    )


def leaving(dress: Dress, counted: Split) -> Split:
    """The parts as they leave us: without the signature, where the carrier adds it."""
    if dress.place != "carrier" or not counted.parts:
        return counted
    return replace(counted, parts=(*counted.parts[:-1], counted.parts[-1].removesuffix(dress.signature)))
