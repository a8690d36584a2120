"""What members open on their phones: one column, large type, no script, no request to anybody else."""
