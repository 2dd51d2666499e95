"""What to say, and where: one file a channel or an output form."""
