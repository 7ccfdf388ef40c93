"""The bench measures what it says; how fast things are is no matter for a test."""

import re
import subprocess
import sys
import time
from pathlib import Path

import torch
from torch import nn

from tools import bench


def test_the_tables_are_printed(capsys):
    bench.steps_table(1, 1, time.process_time)
    bench.epochs_table(1, time.process_time, sizes=(1000,))
    lines = capsys.readouterr().out.splitlines()
    for what in ("(a)", "(b)", "fit ", "fit_many, 32"):
        assert all(any(name in line and what in line for line in lines) for name in bench.NETWORKS)
    for members in bench.MEMBERS:
        assert sum(f"fit_many, {members} " in line for line in lines) >= 1
    for what in (" pass  ", " pass in trace "):
        assert [line.startswith(bench.MAIN) for line in lines if what in line] == [True]
    goals = [line for line in lines if "at most 1.10" in line or "at least" in line]
    assert len(goals) == 5 + 4 + 1
    assert any(line.split()[:1] == ["1000"] for line in lines)


def test_all_loops_take_the_same_steps():
    """The same samples in the same batches, so that the times can be compared."""
    shapes = []

    class Watched(nn.Linear):
        def forward(self, x):
            shapes.append(tuple(x.shape))
            return super().forward(x)

    def sgd(parameters):
        return torch.optim.SGD(parameters, lr=0.1)

    x, y = bench.data()
    loops = (bench.bare_loop, bench.course_loop, bench.with_fit)
    for loop in (*loops, bench.passes, bench.traced_passes):
        shapes.clear()
        bench.timed(loop, lambda: Watched(1, 1), sgd, x, y, 2)
        assert shapes == [(64, 1)] * (2 * bench.STEPS)


def test_the_peak_memory_is_one_permutation():
    command = [sys.executable, "-m", "tools.bench", "--memory-only"]
    root = Path(bench.__file__).parents[1]
    printed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    if "not measured" not in printed:
        added, permutation = (float(part) for part in re.findall(r"(\d+) MB(?:;|$)", printed))
        assert permutation == 80
        assert 60 < added < 100
