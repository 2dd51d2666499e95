"""Evidence of a process and its container, taken before anything is done to them: one kind a probe."""
