"""torchrun from a cell: the numbers of one process, and an end whatever a rank does."""

import os
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest
import rank_functions
import torch

from utils.distributed import RankError, environment, launch

SIGNALS = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")


def assert_numbers_agree(of_ranks, alone):
    """Weights, gradients and history are equal to within 1e-12, the rest exactly."""
    assert of_ranks["stopped"] == alone["stopped"]
    for kind in ("weights", "gradients", "columns"):
        for name, numbers in alone[kind].items():
            numbers = torch.as_tensor(numbers, dtype=torch.float64)
            other = torch.as_tensor(of_ranks[kind][name], dtype=torch.float64)
            torch.testing.assert_close(other, numbers, rtol=1e-12, atol=1e-12)


def assert_nobody_left(folder, ranks=2):
    """The ranks, whose numbers lie in the folder, have ended or do so within seconds."""
    processes = [int(path.stem) for path in folder.glob("*.process")]
    assert len(processes) == ranks
    end = time.monotonic() + 10
    while any(map(psutil.pid_exists, processes)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(map(psutil.pid_exists, processes))


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """What each rank of one launch returned, what was printed, and what one process gives."""
    folder = tmp_path_factory.mktemp("ranks")
    rank_functions.resume(folder / "checkpoint", 2)
    rank_functions.write_stream(folder / "stream.h5")
    said = pytest.MonkeyPatch()
    lines = []
    with said.context() as patch:
        patch.setattr("builtins.print", lambda text, **_: lines.append(text))
        everywhere = launch(rank_functions.train_all, str(folder))
    return everywhere, "".join(lines), folder


@pytest.mark.parametrize("name", rank_functions.SETTINGS)
def test_two_ranks_have_the_numbers_of_one_process(both, name):
    alone = rank_functions.train(**rank_functions.SETTINGS[name])
    for of_rank in both[0]:
        assert_numbers_agree(of_rank[name], alone)


def test_each_rank_may_have_its_own_batches(both):
    alone = rank_functions.train_on_own_batches()
    for of_rank in both[0]:
        assert_numbers_agree(of_rank["own batches"], alone)


def test_all_ranks_stop_at_a_loss_that_is_infinite_in_one(both):
    alone = rank_functions.train_to_infinity()
    for of_rank in both[0]:
        assert of_rank["infinity"]["stopped"][:2] == alone["stopped"][:2]
    assert alone["stopped"][0] == "not finite"


def test_all_ranks_stop_after_the_epoch_in_which_one_is_interrupted(both):
    zero, one = (of_rank["keyboard"] for of_rank in both[0])
    assert zero["stopped"][0] == "keyboard" and zero["stopped"][2] == 7
    assert_numbers_agree(one, zero)


def test_the_validation_loss_is_that_of_one_model_though_ranks_see_other_batches(both):
    measured = [number for of_rank in both[0] for number in of_rank["buffers"]]
    assert measured == pytest.approx([measured[0]] * 4, rel=1e-6)


def test_ranks_that_would_not_train_on_the_same_are_refused(both):
    for of_rank in both[0]:
        loader, halves, seeds = of_rank["refused"]
        assert "DistributedSampler" in loader
        assert "different data, seeds or epochs" in halves
        assert seeds == halves


def test_a_distributed_sampler_shuffles_each_epoch_anew(both):
    orders = [of_rank["orders"] for of_rank in both[0]]
    for epoch in zip(*orders, strict=True):
        assert sorted(sum(epoch, start=[])) == list(range(12))
    assert orders[0][0] != orders[0][1]


def test_messages_and_bars_are_of_one_rank(both):
    _, said, _ = both
    assert said.count("Stopped early after epoch") == 1
    assert said.count("Going on after epoch 2, from checkpoint.") == 1
    assert "epoch/s" in said


def test_a_training_goes_on_with_another_number_of_ranks(both, tmp_path):
    everywhere, _, folder = both
    alone = rank_functions.resume(tmp_path / "other", 4)  # without a break
    for of_rank in everywhere:
        assert_numbers_agree(of_rank["resumed"], alone)
    longer = rank_functions.resume(folder / "checkpoint", 6)  # from two ranks back to one
    alone = rank_functions.resume(tmp_path / "other", 6)
    assert_numbers_agree(longer, alone)


@pytest.mark.full
def test_four_ranks_go_on_where_one_stopped_and_one_where_they_do(tmp_path):
    path = str(tmp_path / "checkpoint")
    rank_functions.resume(path, 2)
    of_ranks = launch(rank_functions.on_four, path, 4, ranks=4)
    alone = rank_functions.train(**rank_functions.SETTINGS["momentum"], epochs=4)
    assert_numbers_agree(of_ranks["resumed"], alone)
    few = rank_functions.train(**rank_functions.SETTINGS["a row too few"])
    assert_numbers_agree(of_ranks["a row too few"], few)
    longer = rank_functions.resume(path, 5)
    alone = rank_functions.train(**rank_functions.SETTINGS["momentum"], epochs=5)
    assert_numbers_agree(longer, alone)


def test_each_rank_streams_its_part_of_a_file_by_a_worker_of_its_own(both):
    everywhere, _, folder = both
    alone = rank_functions.train_on_a_stream(folder / "stream.h5")
    assert alone["stopped"][2] == 3 * 7
    for of_rank in everywhere:
        assert_numbers_agree(of_rank["stream"], alone)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_ranks_on_gpus_have_the_numbers_of_one_process():
    """By nccl with a GPU for each rank; two ranks on one card by gloo."""
    backend, of_ranks = launch(rank_functions.train_on, "cuda")
    assert ("nccl" in backend) == (torch.cuda.device_count() >= 2)
    _, alone = rank_functions.train_on("cpu")
    for one, other in zip(of_ranks, alone, strict=True):
        assert one == pytest.approx(other, rel=1e-9)


WITHOUT_LIBUV = """
from torch import distributed

created = distributed.TCPStore.__init__


def create(store, *words, use_libuv=True, **settings):
    assert not use_libuv, "this package is built without libuv"
    created(store, *words, use_libuv=False, **settings)


distributed.TCPStore.__init__ = create
"""


@pytest.mark.full
def test_packages_without_libuv_will_do(tmp_path, monkeypatch):
    """As those for Windows are: torchrun's own stores ask for it, whatever USE_LIBUV says."""
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_LIBUV)
    monkeypatch.syspath_prepend(tmp_path)  # for the ranks; this process has started without it
    monkeypatch.setenv("USE_LIBUV", "0")
    assert launch(rank_functions.sum_of_ranks, 10) == 11


@pytest.mark.full
@pytest.mark.skipif(os.name == "nt", reason="between machines, torchrun asks for libuv")
def test_the_command_line_joins_machines(tmp_path):
    """Two of them, which are the same one here, with a rank each."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "torch.distributed.run", "--nnodes=2", "--nproc-per-node=1"]
    command += [
        "--rdzv-backend=c10d",
        f"--rdzv-endpoint=localhost:{port}",
        "--local-addr=localhost",
    ]
    command += ["-m", "utils.distributed", "rank_functions:sum_of_ranks", "10", "0.5"]
    torchruns = [
        subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [torchrun.communicate(timeout=120)[0] for torchrun in torchruns]
    assert "".join(said) == "11.5\n"  # 0 + 1, 10 and 0.5, said once


# Failures ---------------------------------------------------------------------------------------


@pytest.mark.full
def test_a_rank_that_raises_ends_the_run_with_its_own_error(tmp_path, capfd):
    with pytest.raises(RankError) as error:
        launch(rank_functions.fail, str(tmp_path), "raise")
    said = str(error.value)
    assert said.startswith("Rank 1 of 2 failed")
    assert said.endswith("RuntimeError: row 7 is bad")
    assert "in complain" in said and len(said.splitlines()) < 15
    printed = capfd.readouterr()
    assert printed.out == "Training begins.\n" and printed.err == ""
    assert_nobody_left(tmp_path)


@SIGNALS
@pytest.mark.full
def test_a_rank_that_is_killed_ends_the_run(tmp_path):
    with pytest.raises(RankError, match="Rank 1 of 2 ended with signal 9, sent by hand"):
        launch(rank_functions.fail, str(tmp_path), "kill")
    assert_nobody_left(tmp_path)


@pytest.mark.full
def test_a_rank_that_leaves_ends_the_run(tmp_path):
    with pytest.raises(RankError, match="(?s)Rank 1 of 2 ended with exit status 3.*Enough of it"):
        launch(rank_functions.fail, str(tmp_path), "exit")
    assert_nobody_left(tmp_path)


@pytest.mark.full
def test_a_rank_that_hangs_ends_the_run_after_the_timeout(tmp_path):
    with pytest.raises(RankError, match="(?s)Rank 0 of 2 failed.*waited 3 seconds.*") as error:
        launch(rank_functions.fail, str(tmp_path), "hang", timeout=3)
    if os.name != "nt":
        assert "Rank 1 was here" in str(error.value) and "in hang" in str(error.value)
    assert_nobody_left(tmp_path)


WAITING = """
import sys
sys.path.insert(0, {here!r})
import rank_functions
from utils.distributed import launch

launch(rank_functions.wait_for_ever, {folder!r}, timeout=300)
"""


@SIGNALS
@pytest.mark.full
@pytest.mark.parametrize("sent", [signal.SIGINT, getattr(signal, "SIGKILL", None)])
def test_no_rank_outlives_the_notebook(tmp_path, sent):
    code = WAITING.format(here=os.path.dirname(__file__), folder=str(tmp_path))
    kept = os.environ | {"TMPDIR": str(tmp_path)}
    notebook = subprocess.Popen(
        [sys.executable, "-c", code], env=kept, stderr=subprocess.PIPE, text=True
    )
    end = time.monotonic() + 120
    while len(list(tmp_path.glob("*.process"))) < 2:
        assert notebook.poll() is None and time.monotonic() < end
        time.sleep(0.1)
    torchrun = psutil.Process(int(next(tmp_path.glob("*.process")).stem)).parent()
    notebook.send_signal(sent)
    _, said = notebook.communicate(timeout=30)
    assert sent == signal.SIGKILL or said.rstrip().endswith("KeyboardInterrupt")
    assert_nobody_left(tmp_path)
    assert not psutil.wait_procs([torchrun], timeout=10)[1]
    assert not [*tmp_path.glob("ranks-*"), *tmp_path.glob("torchelastic*")]


# What cannot be launched --------------------------------------------------------------------------


def test_a_function_that_no_rank_can_import_is_refused():
    with pytest.raises(ValueError, match="write it to a file"):
        launch(lambda: None)


def test_an_argument_with_code_of_its_own_is_refused(tmp_path):
    with pytest.raises(ValueError, match="An argument is of a type"):
        launch(rank_functions.hang, tmp_path)
