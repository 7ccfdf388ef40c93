"""How the launcher and its tools speak to people, and how they end.

Standard library only: `course.py` uses this module before anything is installed.
"""

import errno
import os
import sys

NO_SPACE = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
NOT_ALLOWED = {errno.EACCES, errno.EPERM, errno.EROFS}


class CourseError(Exception):
    """What a person has to know; the message is one plain sentence that says what to do."""


def use_any_console():
    """Print a replacement sign where the console's encoding lacks a letter, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def say(message, stream=None):
    """Print one message at once, in order with what other processes print."""
    print(message, file=stream or sys.stdout, flush=True)


def explain(error):
    """Return one sentence for an OSError: what failed, where, what to do."""
    place = f" ({error.filename})" if error.filename else ""
    if error.errno in NO_SPACE:
        return f"The disk is full{place}: free some space, then start the same command again."
    if error.errno in NOT_ALLOWED:
        return (
            f"This may not be written or opened{place}: close programs that use it, or copy the "
            "course folder to a place where you may write, such as your home folder."
        )
    return f"The system refused: {error.strerror or error}{place}."


def guarded(function, *arguments, stopped=None):
    """Return what `function` returns as an exit status; errors become one sentence and 1.

    A keyboard interrupt becomes 130, with the sentence `stopped` if there is one.
    """
    use_any_console()
    try:
        return function(*arguments)
    except CourseError as error:
        say(str(error), sys.stderr)
    except BrokenPipeError:
        # Whoever read the output has gone; Python would complain again when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        say(explain(error), sys.stderr)
    except KeyboardInterrupt:
        if stopped:
            say("\n" + stopped, sys.stderr)
        return 130
    return 1
