"""A whole newspaper to try out: invented people, a simulated carrier, receipts and replies."""
