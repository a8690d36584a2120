"""The keys of `[gateways.NAME]` with `kind = "twilio"`."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import ConfigDict, Field, SecretStr, field_validator, model_validator

from broadcaster.gateways.contract import GatewayConfig
from broadcaster.language import msgid


class TwilioConfig(GatewayConfig):
    """The account, who the messages come from, where requests go, and how long to wait for an answer."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    account_sid: str
    auth_token: SecretStr = SecretStr("")
    """Signs what Twilio tells us, whoever signs what we ask."""
    api_key: str = ""
    api_key_secret: SecretStr = SecretStr("")
    messaging_service: str = ""
    edge: Annotated[str, Field(pattern="^([a-z0-9-]+)?$")] = ""
    region: Annotated[str, Field(pattern="^([a-z0-9-]+)?$")] = ""
    api_url: str = ""
    """Instead of Twilio's own address: something that speaks like it."""
    validity_period: Annotated[int, Field(ge=0, le=36_000)] = 0
    """Seconds that a message may wait at Twilio before it is given up; 0: as long as Twilio itself keeps it."""
    connect_timeout: Annotated[float, Field(gt=0, le=300)] = 5.0
    answer_timeout: Annotated[float, Field(gt=0, le=300)] = 15.0

    @field_validator("account_sid")
    @classmethod
    def _account(cls, sid: str) -> str:
        if not _is_sid("AC", sid):
            raise ValueError(msgid("must be the account sid of Twilio's console: AC and 32 digits, 0-9 and a-f."))
        return sid

    @field_validator("api_key")
    @classmethod
    def _key(cls, sid: str) -> str:
        if sid and not _is_sid("SK", sid):
            raise ValueError(msgid("must be the sid of an API key: SK and 32 digits, 0-9 and a-f."))
        return sid

    @field_validator("messaging_service")
    @classmethod
    def _service(cls, sid: str) -> str:
        if sid and not _is_sid("MG", sid):
            raise ValueError(msgid("must be the sid of a messaging service: MG and 32 digits, 0-9 and a-f."))
        return sid

    @field_validator("api_url")
    @classmethod
    def _address(cls, url: str) -> str:
        if url and not re.fullmatch("https?://[^/?#@]+", url):
            raise ValueError(msgid("must be http:// or https:// and a host, maybe a port, and nothing behind."))
        return url

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.api_key) != bool(self.api_key_secret.get_secret_value()):
            raise ValueError(msgid("api_key and api_key_secret belong together: give both or neither."))
        if not self.api_key and not self.auth_token.get_secret_value():
            raise ValueError(msgid("auth_token is missing: it stands beside the account sid in Twilio's console."))
        if not self.sender and not self.messaging_service:
            raise ValueError(msgid("Say who the messages come from: sender or messaging_service."))
        if self.api_url and (self.edge or self.region):
            raise ValueError(msgid("edge and region choose among Twilio's own addresses: leave them or api_url out."))
        return self


def _is_sid(kind: str, sid: str) -> bool:
    return re.fullmatch(f"{kind}[0-9a-fA-F]{{32}}", sid) is not None
