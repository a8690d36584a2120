"""What became of it all, as frozen values that a page, a CSV file or the command line can show."""
