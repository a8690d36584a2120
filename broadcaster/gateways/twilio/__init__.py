"""Twilio: requests and answers, many at once, by the official client; what became of them comes to a hook."""

from broadcaster.gateways.twilio.config import TwilioConfig
from broadcaster.gateways.twilio.gateway import TwilioGateway

__all__ = ["TwilioConfig", "TwilioGateway"]
