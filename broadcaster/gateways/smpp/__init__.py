"""SMPP 3.4, what operators give: a held connection over which parts go out, and receipts and messages come in."""

from broadcaster.gateways.smpp.config import SmppConfig
from broadcaster.gateways.smpp.gateway import SmppGateway

__all__ = ["SmppConfig", "SmppGateway"]
