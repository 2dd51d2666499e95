"""What the numbers mean: arrays in, frozen verdicts out. No input or output, no clock, nothing of leakwatch's own."""
