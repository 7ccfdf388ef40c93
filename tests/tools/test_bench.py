"""The bench measures what it says; how fast things are is no matter for a test."""

import time

import pytest
import torch
from torch import nn

from tools import bench


@pytest.mark.full
def test_the_table_is_printed(capsys):
    bench.steps_table(1, 1, time.process_time)
    lines = capsys.readouterr().out.splitlines()
    for what in ("(a)", "(b)", "fit ", "fit_many, 32"):
        assert all(any(name in line and what in line for line in lines) for name in bench.NETWORKS)
    for members in bench.MEMBERS:
        assert sum(f"fit_many, {members} " in line for line in lines) >= 1
    for what in (" pass  ", " pass in trace "):
        assert [line.startswith(bench.MAIN) for line in lines if what in line] == [True]
    goals = [line for line in lines if "at most 1.10" in line or "at least" in line]
    assert len(goals) == 5 + 4 + 1


def test_rows_are_counted(capsys):
    bench.rows_table(128, 1, time.process_time)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines[2:]] == ["tensors"] * 2 + ["file"] * 2
    assert all(float(line.split()[-1]) > 0 for line in lines[2:])


def test_steps_are_timed_at_each_width_in_each_place(capsys):
    bench.widths_table((2, 16), 3, 1, time.perf_counter)
    _, head, *lines = capsys.readouterr().out.splitlines()
    assert head.split()[-2:] == ["2", "16"]
    assert [line[:24].strip() for line in lines] == list(bench.places())
    assert all(float(number) > 0 for line in lines for number in line[24:].split())
    assert torch.get_num_threads() == 1


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
        tried = loop is bench.with_fit  # its first batch, on a copy
        assert shapes == [(64, 1)] * (2 * bench.STEPS + tried)
