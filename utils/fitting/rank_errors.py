"""What each rank keeps in a folder, and which one failed first, and how, by these files.

output-N.txt    what rank N printed, torch's own warnings included
error-N.txt     its traceback, if it raised an error
place-N.txt     where it was when torchrun ended it, since another had failed
torchrun.txt    what torchrun printed
"""

import faulthandler
import os
import re
import signal
import traceback

# Of a rank that was left alone by another, but not the cause.
LEFT_ALONE = re.compile("connection (closed|reset|was)|forcibly closed|broken pipe", re.IGNORECASE)
ENDED_BY_TORCHRUN = (-signal.SIGTERM, 0xC000013A)  # the second is Windows' Ctrl-C


def keep_output(folder, rank):
    """Send what this process prints to its file, and at torchrun's signal where it is."""
    way = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
    output = os.open(folder / f"output-{rank}.txt", way)
    for stream in (1, 2):
        os.dup2(output, stream)
    if hasattr(faulthandler, "register"):  # not on Windows
        place = os.open(folder / f"place-{rank}.txt", os.O_WRONLY | os.O_CREAT)
        faulthandler.register(signal.SIGTERM, file=place, all_threads=False, chain=True)


def keep_error(folder, rank, error):
    """Write an error with its traceback."""
    lines = traceback.format_exception(error)
    (folder / f"error-{rank}.txt").write_text("".join(lines), encoding="utf-8")


def explanation(folder, ranks, timeout):
    """Return a message with the rank that failed first, and its own error.

    Args:
        folder: with the files named above; all ranks have ended.
        ranks: how many ranks there were.
        timeout: seconds that one waited for the others.
    """
    said = "\n".join(output_lines(folder / "torchrun.txt"))
    codes = re.findall(r"rank +: (\d+) .*\n +exitcode +: (-?\d+)", said)
    codes = {int(rank): int(code) for rank, code in codes}
    paths = sorted(folder.glob("error-*.txt"), key=lambda path: path.stat().st_mtime_ns)
    errors = {
        int(path.stem.partition("-")[2]): output_lines(path) for path in paths
    }  # first one first
    own = [rank for rank, lines in errors.items() if not LEFT_ALONE.search("\n".join(lines))]
    if not own:  # then it was one that could not say anything any more
        for rank, code in codes.items():
            if rank not in errors and code not in ENDED_BY_TORCHRUN:
                return f"Rank {rank} of {ranks} ended with {meaning_of(code)}.{last(folder, rank)}"
    if not errors:
        return "torchrun failed:\n" + "\n".join(said.splitlines()[-15:])
    rank = own[0] if own else next(iter(errors))
    message = "\n".join([f"Rank {rank} of {ranks} failed:", *errors[rank][-12:]])
    if "timed out" in errors[rank][-1].lower():
        message += f"\nIt had waited {timeout} seconds (timeout={timeout}) for another rank."
        for other in sorted(set(range(ranks)) - set(errors)):
            message += place(folder, other)
    return message


def meaning_of(code):
    """Return what an exit status means."""
    if code >= 0:
        return f"exit status {code}"
    by_whom = ", sent by hand or by a system short of memory" if code == -9 else ""
    return f"signal {-code}{by_whom}"


def last(folder, rank):
    """Return the end of what a rank printed, or if it did not get that far, what torchrun has."""
    lines = (
        output_lines(folder / f"output-{rank}.txt")[-8:]
        or output_lines(folder / "torchrun.txt")[:8]
    )
    return "".join(f"\n  {line}" for line in ["Its last lines:", *lines]) if lines else ""


def place(folder, rank):
    """Return the lines of code that a rank was in, the innermost first; none on Windows."""
    lines = [line for line in output_lines(folder / f"place-{rank}.txt") if line[:6] == "  File"]
    own = [line for line in lines if "runpy" not in line][:-2]  # without those that started it
    return "\n".join([f"\nRank {rank} was here:", *own[:8]]) if own else ""


def output_lines(path):
    """Return the lines of a file, none if there is no such file."""
    if not path.exists():
        return []
    return path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
