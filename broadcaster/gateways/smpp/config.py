"""The keys of `[gateways.NAME]` with `kind = "smpp"`, and what follows from them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from broadcaster.gateways.contract import GatewayConfig
from broadcaster.gateways.smpp.texts import Default, Joining, Layout
from broadcaster.sms import ASCII, GSM, LATIN1, UCS2, Alphabet, Encoding

ALPHABETS: dict[str, Alphabet] = {"gsm": GSM, "latin1": LATIN1, "ascii": ASCII, "ucs2": UCS2}
VERSIONS = {"3.3": 0x33, "3.4": 0x34, "5.0": 0x50}

_Octet = Annotated[int, Field(ge=0, le=255)]
_Ton = Annotated[int, Field(ge=0, le=255)] | None
_Seconds = Annotated[float, Field(gt=0, le=3600)]


class SmppConfig(GatewayConfig):
    """What the carrier's sheet says. The defaults suit most."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    host: str
    port: Annotated[int, Field(ge=1, le=65535)] = 2775
    system_id: Annotated[str, Field(min_length=1, max_length=15)]
    password: Annotated[str, Field(max_length=8, repr=False)] = ""
    """The standard has room for eight characters."""
    system_type: Annotated[str, Field(max_length=12)] = ""
    interface_version: Literal["3.3", "3.4", "5.0"] = "3.4"
    mode: Literal["transceiver", "two_links", "transmitter"] = "transceiver"
    """One connection both ways, one for each way, or sending only."""
    tls: bool = False
    tls_ca: Path | None = None
    """Whose certificates are trusted, in PEM; the system's authorities otherwise."""
    tls_name: str = ""
    """The name in the carrier's certificate, where it is not `host`."""

    connect_timeout: _Seconds = 10.0
    """Until the connection stands and the carrier has answered the bind."""
    answer_timeout: _Seconds = 60.0
    """After so many seconds without an answer a part is in doubt."""
    enquire_link_interval: _Seconds = 15.0
    """After so many seconds of silence the carrier is asked whether it is there."""
    enquire_link_timeout: Annotated[float, Field(ge=0, le=3600)] = 0.0
    """Seconds for the answer to that; 0: as long as the interval."""
    refused_bind_pause: _Seconds = 30.0
    """After the carrier has refused to let us sign on: a carrier locks accounts that try on and on."""
    throttle_codes: tuple[int, ...] = (0x58, 0x14)
    """Answers that mean: nothing wrong with this part, later."""
    opt_out_codes: tuple[int, ...] = ()
    """Answers that mean: this person is on the carrier's list of refusals."""

    alphabet: Literal["gsm", "latin1", "ascii", "ucs2"] = "gsm"
    default_charset: Default = "gsm7"
    """What the carrier means by data_coding 0 in messages from members."""
    data_coding_gsm: _Octet = 0
    data_coding_ascii: _Octet = 1
    data_coding_latin1: _Octet = 3
    data_coding_ucs2: _Octet = 8
    joining: Joining = "udh"
    """How parts of one text are told: a user data header, or the SAR parameters."""
    reference_bits: Literal[8, 16] = 8
    payload: bool = False
    """The text goes into `message_payload`."""
    max_parts: Annotated[int, Field(ge=1, le=255)] = 10
    forbidden: str = ""
    """Characters that the carrier refuses in a text."""

    service_type: Annotated[str, Field(max_length=5)] = ""
    registered_delivery: Annotated[int, Field(ge=0, le=31)] = 1
    """1: receipts for everything; 0: none."""
    validity: Annotated[int, Field(ge=0, le=30 * 24 * 3600)] = 0
    """Seconds that the carrier may try; 0: as long as it likes."""
    protocol_id: _Octet = 0
    priority: Annotated[int, Field(ge=0, le=3)] = 0
    source_ton: _Ton = None
    source_npi: _Ton = None
    """Without these: 5/0 for a name, 1/1 for a number with +, 0/0 for a short code."""
    destination_ton: _Octet = 1
    destination_npi: _Octet = 1
    number_form: Literal["international", "plus", "national"] = "international"
    """8613800000000, +8613800000000 or 13800000000."""
    country_code: Annotated[str, Field(pattern="^[0-9]{1,3}$")] = "86"
    """What is left out of numbers in the national form."""

    receipt_ids: Literal["auto", "same", "loose", "hex_decimal", "decimal_hex"] = "auto"
    """How receipts write the ids that the answers gave; "auto" learns it."""
    receipt_by_text: bool = False
    """The carrier marks its receipts in no way but by their text."""
    query_sm: bool = False
    """The carrier answers query_sm: it is asked about parts whose receipt does not come."""
    join_timeout: Annotated[float, Field(gt=0, le=24 * 3600)] = 60.0
    """Seconds to wait for the other parts of a member's long message."""

    @property
    def patience(self) -> float:
        """Seconds for the answer to an enquire_link, after which the connection counts as dead."""
        return self.enquire_link_timeout or self.enquire_link_interval

    @property
    def layout(self) -> Layout:
        """How this carrier wants its parts."""
        return Layout(
            joining=self.joining,
            reference_bits=self.reference_bits,
            payload=self.payload,
            data_codings={
                Encoding.GSM7: self.data_coding_gsm,
                Encoding.ASCII: self.data_coding_ascii,
                Encoding.LATIN1: self.data_coding_latin1,
                Encoding.UCS2: self.data_coding_ucs2,
            },
        )

    @property
    def validity_period(self) -> str:
        """`validity` in the standard's relative form: years, months, days, hours, minutes, seconds."""
        if not self.validity:
            return ""
        days, rest = divmod(self.validity, 86400)
        return f"0000{days:02d}{rest // 3600:02d}{rest // 60 % 60:02d}{rest % 60:02d}000R"

    def source(self, sender: str) -> tuple[str, int, int]:
        """The source address as it goes out, with its type of number and numbering plan."""
        if sender.startswith("+"):
            address, ton, npi = sender[1:], 1, 1
        elif sender.isdecimal() or not sender:
            address, ton, npi = sender, 0, 0
        else:
            address, ton, npi = sender, 5, 0
        return (
            address,
            ton if self.source_ton is None else self.source_ton,
            npi if self.source_npi is None else self.source_npi,
        )

    def destination(self, msisdn: str) -> str:
        """A number of the house, +8613800000000, as this carrier wants it."""
        if self.number_form == "plus":
            return msisdn
        digits = msisdn.removeprefix("+")
        return digits.removeprefix(self.country_code) if self.number_form == "national" else digits
