"""The agent: one cycle is the five verbs, for ever. `leakwatch.agent.loop` is where to begin reading."""
