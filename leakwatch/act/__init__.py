"""What is done about a leak, and whether it may be done: gates, a durable ledger, evidence first, a backend a file.

The agent's side of it (`leakwatch.act.acting`)::

    acting = Acting(settings.act, state_dir, restarters, probes, clock)   # both by target's name, see backends.py
    decision = acting.consider(case)      # each time a target was judged; touches nothing
    if decision.ruling is Ruling.ACT:
        acting.begin(decision)            # lease, evidence, drain, act, verify: in one worker thread
    for happening in acting.happenings(): # what to tell and to count, since the last look
        ...
    acting.draining()                     # names of targets whose readiness should be off now
    acting.close()
"""
