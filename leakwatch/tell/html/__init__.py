"""One HTML file that holds a whole report: no network, no other file, readable without a script too."""

from leakwatch.tell.html.report import render

__all__ = ["render"]
