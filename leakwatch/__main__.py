"""Lets ``python -m leakwatch`` stand for the ``leakwatch`` command."""

from leakwatch.cli import main

main()
