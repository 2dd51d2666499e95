"""Detection quality and speed, measured beside the peers' rules in the same run."""
