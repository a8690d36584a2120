"""The press: from an edition on the desk to a receipt from the street."""

#: as in pyproject.toml; a test holds them together
VERSION = "0.1.0"
