"""The broker as a process that is started, killed and started again on the same ports and the same data."""

import os
import signal
import socket
import subprocess
import threading
import time


class Broken(Exception):
    """Something that must be true is not."""


def free_ports(count):
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in taken]
    for one in taken:
        one.close()
    return ports


class Broker:
    """up: the broker listens. Notes go to <folder>/notes."""

    def __init__(self, binary, folder, log="embedded", options=()):
        self.binary, self.folder, self.log, self.options = binary, folder, log, list(options)
        self.data = os.path.join(folder, "data")
        self.http, self.mllp = free_ports(2)
        self.process = None
        self.up = threading.Event()
        os.makedirs(folder, exist_ok=True)

    def command(self, extra=()):
        words = [self.binary] + (["serve"] if os.path.basename(self.binary) == "tidings" else [])
        where = ["--data", self.data, "--http", f"127.0.0.1:{self.http}", "--mllp", f"127.0.0.1:{self.mllp}", "--log", self.log]
        return words + where + self.options + list(extra)

    def start(self, *extra):
        """Does not wait until it listens: it may be killed before."""
        with open(os.path.join(self.folder, "notes"), "ab") as notes:
            self.process = subprocess.Popen(self.command(extra), stdout=subprocess.PIPE, stderr=notes)
        threading.Thread(target=self._watch, args=(self.process,), daemon=True).start()

    def _watch(self, process):
        line = process.stdout.readline()
        if line.startswith(b"ready ") and process is self.process and process.poll() is None:
            self.up.set()

    def wait_up(self, seconds=20):
        deadline = time.monotonic() + seconds
        while not self.up.wait(0.02):
            if self.process.poll() is not None:
                raise Broken(f"the broker ended with {self.process.returncode} instead of starting: {self.last_note()}")
            if time.monotonic() > deadline:
                raise Broken(f"the broker does not listen after {seconds} s: {self.last_note()}")

    def last_note(self):
        with open(os.path.join(self.folder, "notes"), "rb") as notes:
            lines = notes.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    def kill(self):
        """SIGKILL. If it ended by itself, that is an error: nothing but us may end it."""
        self.up.clear()
        if self.process.poll() is not None:
            raise Broken(f"the broker ended by itself with {self.process.returncode}: {self.last_note()}")
        self.process.kill()
        self._reap()

    def _reap(self):
        code = self.process.wait(30)
        self.process.stdout.close()
        return code

    def wait_dead(self, seconds=20):
        """Waits for the death that --kill-at gives."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Broken("the broker did not come to the point of death") from None
        self.up.clear()
        self.process.stdout.close()
        if code != -signal.SIGKILL:
            raise Broken(f"the broker ended with {code} instead of being killed: {self.last_note()}")

    def wait_refusal(self, seconds=20):
        """Waits until it ends by itself with an error; returns the reason."""
        code = self.process.wait(seconds)
        self.up.clear()
        self.process.stdout.close()
        if code == 0:
            raise Broken("the broker ended as if all were well")
        return self.last_note()

    def stop(self, seconds=15):
        """SIGTERM; returns the exit code and how long it took."""
        self.up.clear()
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(seconds)
        self.process.stdout.close()
        return code, time.monotonic() - began

    def ended(self):
        return self.process is not None and self.process.poll() is not None

    def end(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self._reap()

    def operator_token(self):
        with open(os.path.join(self.data, "operator.token"), encoding="ascii") as file:
            return file.read().strip()
