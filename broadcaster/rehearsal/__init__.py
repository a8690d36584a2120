"""A carrier to rehearse against: an SMPP 3.4 server that people train on and tests break things with.

It is an independent witness of what a gateway sends, so it shares no code with the gateways: its framing, its alphabets
and its receipts are its own.
"""
