"""What is kept, for how long, and what a database that was restored may not do by itself."""
