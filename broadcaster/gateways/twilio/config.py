"""The keys of `[gateways.NAME]` with `kind = "twilio"`."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import ConfigDict, Field, SecretStr, model_validator

from broadcaster.gateways.contract import GatewayConfig
from broadcaster.language import msgid


class TwilioConfig(GatewayConfig):
    """The account, who the messages come from, where requests go, and how long to wait for an answer."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    account_sid: Annotated[str, Field(pattern="^AC[0-9a-fA-F]{32}$")]
    auth_token: SecretStr = SecretStr("")
    """Signs what Twilio tells us, whoever signs what we ask."""
    api_key: Annotated[str, Field(pattern="^(SK[0-9a-fA-F]{32})?$")] = ""
    api_key_secret: SecretStr = SecretStr("")
    messaging_service: Annotated[str, Field(pattern="^(MG[0-9a-fA-F]{32})?$")] = ""
    edge: Annotated[str, Field(pattern="^([a-z0-9-]+)?$")] = ""
    region: Annotated[str, Field(pattern="^([a-z0-9-]+)?$")] = ""
    api_url: Annotated[str, Field(pattern="^(https?://[^/?#@]+)?$")] = ""
    """Instead of Twilio's own address: something that speaks like it."""
    validity_period: Annotated[int, Field(ge=0, le=36_000)] = 0
    """Seconds that a message may wait at Twilio before it is given up; 0: as long as Twilio itself keeps it."""
    connect_timeout: Annotated[float, Field(gt=0, le=300)] = 5.0
    answer_timeout: Annotated[float, Field(gt=0, le=300)] = 15.0

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
