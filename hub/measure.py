"""What a hub costs: memory and seconds, for one student and for many who begin at once.

    .venv/bin/python hub/measure.py 1 30
    .venv/bin/python hub/measure.py 1 --notebook 02 --whole

For each number a trial hub starts, and that many students at the same moment: a server, the
notebook opened, its set-up cell run (with --whole every cell). Linux, on a machine with nothing
else to do. Memory is PSS: what several processes share counts once.
"""

import argparse
import asyncio
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from uuid import uuid4

import psutil
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

HUB = Path(__file__).resolve().parent
COURSE = HUB.parent
PORT = 8765
ADDRESS = f"http://127.0.0.1:{PORT}"
PATIENCE = 900  # seconds that a student waits


class Student:
    """One of the students: a name, the hub's token, and what was measured."""

    def __init__(self, name, token):
        self.name, self.headers = name, {"Authorization": f"token {token}"}
        self.seconds = {}

    def request(self, address, method="GET", body=None):
        """Return a request in the student's name."""
        patience = {"connect_timeout": PATIENCE, "request_timeout": PATIENCE}
        return HTTPRequest(address, method, self.headers, body, **patience)

    async def ask(self, path, method="GET", body=None):
        """Return what an interface of the hub answers, as read from JSON."""
        content = None if method == "GET" else json.dumps(body or {})
        reply = await AsyncHTTPClient().fetch(self.request(ADDRESS + path, method, content))
        return json.loads(reply.body or b"null")

    async def begin(self, notebook, whole):
        """Start a server, open a notebook and run cells; note the seconds since the start."""
        start = time.monotonic()
        user = f"/hub/api/users/{self.name}"
        await self.ask(user, "POST")
        await self.ask(f"{user}/server", "POST")
        while not (server := (await self.ask(user))["servers"].get("", {})).get("ready"):
            if not server.get("pending"):
                raise RuntimeError(f"The server of {self.name} has not started.")
            await asyncio.sleep(0.2)
        self.seconds["server"] = time.monotonic() - start
        server = f"/user/{self.name}/api"
        cells = (await self.ask(f"{server}/contents/{notebook}"))["content"]["cells"]
        codes = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
        session = {"path": notebook, "name": notebook, "type": "notebook", "kernel": {}}
        kernel = (await self.ask(f"{server}/sessions", "POST", session))["kernel"]["id"]
        await self.run(f"{server}/kernels/{kernel}/channels", codes if whole else codes[:1])
        self.seconds["cell"] = time.monotonic() - start

    async def run(self, channels, codes):
        """Run cells in a kernel, one after the other. Raises RuntimeError if one fails."""
        address = ADDRESS.replace("http", "ws") + channels
        socket = await websocket_connect(self.request(address))
        for code in codes:
            ask = {"msg_id": uuid4().hex, "msg_type": "execute_request", "session": self.name}
            ask |= {"username": self.name, "version": "5.3"}
            content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
            message = {"header": ask, "parent_header": {}, "metadata": {}, "content": content}
            await socket.write_message(json.dumps(message | {"channel": "shell"}))
            while True:
                answer = await asyncio.wait_for(socket.read_message(), PATIENCE)
                if isinstance(answer, bytes):  # of a slider or a bar
                    continue
                answer = json.loads(answer)
                parent = answer["parent_header"].get("msg_id")
                if answer["channel"] == "shell" and parent == ask["msg_id"]:
                    break
            said = answer["content"]
            if said["status"] != "ok":
                raise RuntimeError(f"{self.name}: {said.get('ename')}: {said.get('evalue')}")
        socket.close()


def memory(processes):
    """Return the PSS of processes in MB, those that have ended in between left out."""
    total = 0
    for process in processes:
        try:
            total += process.memory_full_info().pss
        except psutil.NoSuchProcess:
            pass
    return total / 1e6


def peak(process):
    """Return the most memory that a process has had at once, in MB (not PSS: shared counts)."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6


async def measure(count, notebook, whole):
    """Start a hub and students, and print one line about them."""
    token = secrets.token_hex(16)
    with tempfile.TemporaryDirectory() as folder, open(f"{folder}/log", "wb") as log:
        variables = {"COURSE_TRIAL": folder, "COURSE_TRIAL_PORT": str(PORT)}
        hub = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", str(HUB / "trial_config.py")],
            cwd=COURSE,
            env={**os.environ, **variables, "COURSE_TRIAL_TOKEN": token},
            stdout=log,
            stderr=log,
        )
        try:
            students = [Student(f"student{number:03}", token) for number in range(count)]
            while hub.poll() is None:
                try:
                    await students[0].ask("/hub/api/")
                    break
                except (OSError, HTTPClientError):
                    await asyncio.sleep(0.2)
            else:
                sys.exit(f"The hub has not started:\n{Path(log.name).read_text()}")
            async with asyncio.TaskGroup() as together:
                for student in students:
                    together.create_task(student.begin(notebook, whole))
            report(hub, students)
        finally:
            hub.terminate()
            hub.wait()


def report(hub, students):
    """Print what students have cost while their servers still run."""
    everything = [psutil.Process(hub.pid), *psutil.Process(hub.pid).children(recursive=True)]
    kernels = [p for p in everything if "ipykernel_launcher" in p.cmdline()]
    servers = [p for p in everything if "jupyterhub.singleuser" in p.cmdline()]
    count = len(students)
    line = [f"{count} students" if count > 1 else "1 student"]
    for what, words in (("server", "server there"), ("cell", "cell has run")):
        seconds = [student.seconds[what] for student in students]
        line.append(f"{words} after {statistics.median(seconds):.1f} s, last {max(seconds):.1f} s")
    own = [memory(servers) / count, memory(kernels) / count]
    line.append(f"each {sum(own):.0f} MB (server {own[0]:.0f}, kernel {own[1]:.0f})")
    line.append(f"kernel at its peak {max(map(peak, kernels)):.0f} MB")
    line.append(f"all with the hub {memory(everything) / 1000:.2f} GB")
    print("; ".join(line), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("count", type=int, nargs="+", help="how many students")
    parser.add_argument("--notebook", default="01", help="its number (default: 01)")
    parser.add_argument("--whole", action="store_true", help="run every cell, not the first alone")
    options = parser.parse_args()
    notebook = next((COURSE / "notebooks").glob(f"{options.notebook}_*.ipynb")).name
    AsyncHTTPClient.configure(None, max_clients=1000)
    for count in options.count:
        asyncio.run(measure(count, notebook, options.whole))


if __name__ == "__main__":
    main()
