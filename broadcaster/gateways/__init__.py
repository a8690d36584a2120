"""The ways out: one contract, and one folder for each kind. Gateways never import each other."""
