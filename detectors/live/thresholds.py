"""The log-odds from which on growth is suspected, and called a leak: by benchmarks/calibrate_live.py."""

SUSPECTED_AT, LEAK_AT = 1.78, 2.50
