"""Several processes at once: torchrun, PyTorch's own launcher, from a cell or from a shell.

`launch` starts it on this machine, for a function in a module. From a shell, the same function is

    torchrun --standalone --nproc-per-node 2 -m utils.distributed MODULE:FUNCTION ARGUMENT ...

and on four machines, the same line on each of them, where `first` is the name of one of them,

    torchrun --nnodes 4 --nproc-per-node 2 --rdzv-backend c10d --rdzv-endpoint first:29400 \\
        -m utils.distributed MODULE:FUNCTION ARGUMENT ...

Both want torch built with libuv, which its packages for Windows are not; `launch` goes without.
"""

import argparse
import ast
import contextlib
import importlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from datetime import timedelta
from pathlib import Path

import torch
from torch import distributed

from utils.fitting.checks import check_whole_number
from utils.fitting.rank_errors import explanation, keep_error, keep_output

TIMEOUT = 60  # seconds; torch's own half an hour is long for somebody who sits before a cell
SECONDS_TO_START = 300  # importing torch takes a loaded machine its time
SECONDS_TO_END = 5
LOOPBACK = {"linux": "lo", "darwin": "lo0"}  # the name of the network within one machine


class RankError(RuntimeError):
    """A rank failed, and with it the run; the message says which, and shows its own error."""


# In the notebook's process -----------------------------------------------------------------------


def launch(function, *arguments, ranks=2, timeout=TIMEOUT):
    """Run a function in several processes, the ranks, on this machine, and wait for them.

    torchrun starts them. In each, `torch.distributed` is initialised: nccl if there is a GPU for
    each rank, otherwise gloo. What rank 0 prints is shown. However it ends, also by Ctrl-C, no
    process stays behind.

    Args:
        function: of a module, since each rank imports it anew; one of a cell will not do.
        arguments: tensors, numbers, strings, None, and lists, tuples or dictionaries of them.
        ranks: how many processes.
        timeout: seconds that a rank waits for the others before that counts as a failure.

    Returns:
        What the function returned in rank 0, of the same types as the arguments.

    Raises:
        RankError: a rank raised an error, was ended from outside or kept the others waiting.
        ValueError: the function is not in a module, or an argument is of another type.
    """
    target = target_of(function)
    check_whole_number("ranks (how many processes)", ranks, 1)
    with (
        tempfile.TemporaryDirectory(prefix="ranks-", ignore_cleanup_errors=True) as folder,
        socket.create_server(("127.0.0.1", 0), backlog=ranks) as alive,
    ):
        folder = Path(folder)
        torch.save(list(arguments), folder / "arguments.pt")
        load_plain(folder / "arguments.pt", "An argument")
        command = [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={ranks}"]
        # They meet through a file: by network, torchrun asks for what Windows' packages lack.
        command += ["--rdzv-backend=c10d", "--rdzv-conf=store_type=file"]
        command += [f"--rdzv-endpoint={folder / 'rendezvous'}", "--local-addr=localhost"]
        command += ["--monitor-interval=0.1", f"--shutdown-timeout={SECONDS_TO_END}"]
        command += [f"--log-dir={folder}"]  # or its own folder would outlive it
        command += ["-m", "utils.distributed", f"--timeout={timeout}"]
        command += ["--launched", folder, str(alive.getsockname()[1])]
        with open(folder / "torchrun.txt", "wb") as said:
            torchrun = subprocess.Popen(
                [*command, target],
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,  # Ctrl-C reaches this process alone, which ends the others
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # the same on Windows
            )
        try:
            print_output(torchrun, folder / "output-0.txt")
        finally:
            alive.close()  # at this each rank ends, even if torchrun is gone
            end(torchrun)
        if torchrun.returncode != 0:
            raise RankError(explanation(folder, ranks, timeout))
        return load_plain(folder / "result.pt", "What the function returned")


def target_of(function):
    """Return MODULE:FUNCTION, with which a rank finds a function."""
    name = getattr(function, "__qualname__", repr(function))
    if not name.isidentifier() or function.__module__ == "__main__":
        raise ValueError(
            f"Each rank imports the function by its name, and {name} has none in a module: write "
            "it to a file, for example with %%writefile my_ranks.py, and import it from there."
        )
    return f"{function.__module__}:{name}"


def load_plain(path, what):
    """Return what torch.save wrote; objects that bring code of their own are refused."""
    try:
        return torch.load(path, weights_only=True)
    except Exception as error:
        raise ValueError(
            f"{what} is of a type that does not pass between processes here: use tensors, numbers, "
            "strings, None, and lists, tuples or dictionaries of them (x.tolist() for NumPy)."
        ) from error


def environment():
    """Return the variables for the ranks: what is set already stays, but for sys.path."""
    ours = {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
    ours["TORCH_DISABLE_SHARE_RDZV_TCP_STORE"] = "1"  # the ranks have one of their own
    if os.name == "nt":
        ours["USE_LIBUV"] = "0"  # the packages for Windows come without it
    if sys.platform in LOOPBACK:  # or gloo looks for the machine's name in the network
        ours["GLOO_SOCKET_IFNAME"] = LOOPBACK[sys.platform]
    course = Path(__file__).parents[1]  # an entry like ".." may mean another folder by now
    path = os.pathsep.join(os.path.abspath(folder) for folder in [course, *sys.path])
    return ours | os.environ | {"PYTHONPATH": path}


def print_output(torchrun, path):
    """Print what comes into a file, until torchrun has ended."""
    path.touch()
    with open(path, encoding="utf-8", errors="replace", newline="") as output:
        ended = False
        while not ended:
            time.sleep(0.05)
            ended = torchrun.poll() is not None
            if text := output.read():
                print(text.replace("\r\n", "\n"), end="", flush=True)


def end(torchrun):
    """End torchrun, which ends its ranks, if it is still there."""
    torchrun.terminate()
    try:
        torchrun.wait(2 * SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        torchrun.kill()
        torchrun.wait()


# In each rank -----------------------------------------------------------------------------------


def main(words=None):
    """Run a function as one rank; torchrun calls this."""
    parser = argparse.ArgumentParser(prog="torchrun -m utils.distributed", description=__doc__)
    parser.add_argument("--timeout", type=float, default=TIMEOUT)
    parser.add_argument("--launched", nargs=2, metavar=("FOLDER", "PORT"))
    parser.add_argument("target", metavar="MODULE:FUNCTION")
    parser.add_argument("arguments", nargs="*", type=literal)
    given = parser.parse_args(words)
    if given.launched is None:
        result = run(given.target, given.arguments, given.timeout)
        if result is not None and os.environ["RANK"] == "0":
            print(result)
        return
    rank, folder = os.environ["RANK"], Path(given.launched[0])
    leave_with(int(given.launched[1]), folder)
    keep_output(folder, rank)
    try:
        result = run(given.target, torch.load(folder / "arguments.pt"), given.timeout)
        if rank == "0":
            torch.save(result, folder / "result.pt")
    except Exception as error:
        error.__traceback__ = error.__traceback__.tb_next.tb_next  # without `main` and `run`
        keep_error(folder, rank, error)
        sys.exit(1)
    # All is done. As Python takes itself down, a thread of gloo that has not ended yet would abort
    # the process (https://github.com/pytorch/pytorch/pull/179291), so it ends without that.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def run(target, arguments, timeout):
    """Call a function between the beginning and the end of the group of processes."""
    module, _, name = target.partition(":")
    function = getattr(importlib.import_module(module), name)
    here = int(os.environ["LOCAL_WORLD_SIZE"])
    wanted = os.environ.get("COURSE_DEVICE", "").strip().lower() or "cuda"
    gpus = wanted == "cuda" and torch.cuda.device_count() >= here
    if gpus:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    # Ranks that start slowly are no failure, so they meet before the timeout counts.
    start = timedelta(seconds=SECONDS_TO_START)
    store, rank, ranks = next(distributed.rendezvous("env://", timeout=start))
    store.set(f"rank {rank}", "started")
    store.wait([f"rank {other}" for other in range(ranks)], start)
    distributed.init_process_group(
        "cpu:gloo,cuda:nccl" if gpus else "gloo",
        store=store,
        rank=rank,
        world_size=ranks,
        timeout=timedelta(seconds=timeout),
    )
    result = function(*arguments)
    distributed.barrier()  # a rank that never comes here is a failure, too
    distributed.destroy_process_group()
    return result


def leave_with(port, folder):
    """End this process when the one that listens there has closed the port, or has ended."""
    connection, torchrun = socket.create_connection(("127.0.0.1", port)), os.getppid()

    def wait():
        try:
            connection.recv(1)
        except OSError:
            pass
        if os.getppid() == torchrun:  # still there, so the notebook's process has gone
            # Left to itself, torchrun would look for its file in the folder for five minutes.
            with contextlib.suppress(OSError):  # another rank was quicker
                os.kill(torchrun, getattr(signal, "SIGKILL", signal.SIGTERM))
            shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def literal(word):
    """Return the number, list or the like that a word of the command line stands for."""
    try:
        return ast.literal_eval(word)
    except (ValueError, SyntaxError):
        return word


if __name__ == "__main__":
    main()
