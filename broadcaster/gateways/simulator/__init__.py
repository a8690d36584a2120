"""A carrier to try everything on without a carrier: it takes parts, sends receipts, and its members answer."""

from broadcaster.gateways.simulator.gateway import SimulatorConfig, SimulatorGateway

__all__ = ["SimulatorConfig", "SimulatorGateway"]
