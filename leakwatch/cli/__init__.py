"""The command line. Here alone errors become exit statuses and one line each; a command a file beside this one.

0 nothing leaks, 10 something does, 11 undecided under ``--strict``, 1 failed, 2 wrong usage (contracts.md section 2);
130 interrupted, 141 the reader of our output went away (what a shell reports for the two signals).
"""

import io
import os
import sys
from collections.abc import Sequence

from leakwatch import __version__

FAILED, WRONG_USAGE, INTERRUPTED, BROKEN_PIPE = 1, 2, 130, 141


def main() -> None:
    """Entry point of ``leakwatch``."""
    arguments = sys.argv[1:]
    if arguments == ["--version"]:  # before click is imported, which takes longer than all the rest
        print(f"leakwatch {__version__}")
        sys.exit(0)
    try:
        sys.exit(run(arguments))
    except KeyboardInterrupt:  # while the commands were still being imported
        sys.exit(INTERRUPTED)


def run(arguments: Sequence[str]) -> int:
    """Run a command line; returns its exit status and lets no exception out, unless ``--debug`` is among the flags."""
    # The matrices are small: BLAS threads only wait for each other (half the time of many files was theirs).
    for threads in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(threads, "1")
    import click

    from leakwatch.cli.group import leakwatch
    from leakwatch.errors import LeakwatchError, SettingsError

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a path may hold bytes that are no text in this encoding
            stream.reconfigure(errors="backslashreplace")
    try:
        with leakwatch.make_context("leakwatch", list(arguments)) as context:
            status = leakwatch.invoke(context)
        if sys.stdout is not None:
            sys.stdout.flush()
        return int(status or 0)
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "leakwatch"
        return _fail(f"{error.format_message().rstrip('.')}; see '{command} --help'", WRONG_USAGE)
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        _discard_output()
        return BROKEN_PIPE
    except SettingsError as error:
        _show_traceback(arguments)
        return max(_fail(problem, error.exit_status) for problem in error.problems)
    except LeakwatchError as error:
        _show_traceback(arguments)
        return _fail(str(error), error.exit_status)
    except OSError as error:
        _show_traceback(arguments)
        _discard_output()
        where = f"{error.filename}: " if error.filename else "writing the output: "
        return _fail(f"{where}{error.strerror or error}; check that it is there, that there is room and that you may")
    except Exception as error:
        _show_traceback(arguments)
        what = f"unexpected {type(error).__name__}: {error}"
        return _fail(f"{what}; this is a fault of leakwatch, report it with what --debug shows")


def _fail(message: str, status: int = FAILED) -> int:
    from leakwatch.tell.units import visible

    print(f"leakwatch: {visible(message)}", file=sys.stderr)
    return status


def _show_traceback(arguments: Sequence[str]) -> None:
    if "--debug" in arguments:
        import traceback

        traceback.print_exc()


def _discard_output() -> None:
    """What is still in the buffer goes nowhere; else the interpreter complains about it at its end."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
