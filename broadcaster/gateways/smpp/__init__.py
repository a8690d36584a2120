"""SMPP 3.4, what operators give: a held connection over which parts go out, and receipts and messages come in."""
