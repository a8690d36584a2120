"""The editors' web pages: one router for each entry of the menu."""
