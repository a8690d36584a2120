"""The desk: numbered editions with their columns and items, and the variant of each segment."""
