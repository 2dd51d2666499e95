"""Memory events in logs: which lines are some, what each says, and which belong together.

Signatures are data (signatures/); the engine around them is small: a prefilter passes over what cannot be an event
(recognise.py), prefixes are peeled (prefixes.py, envelopes.py, times.py), what was wrapped or glued is put right
(joining.py), what stands around a line of a pod's status is read (documents.py), and lines become incidents
(incidents.py).
"""

from detectors.oom_lines.scanner import Scanner

__all__ = ["Scanner"]
