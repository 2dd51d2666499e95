"""What to do about it: decision trees over a closed vocabulary of facts. No clock, no input but its own trees."""
