"""A real Apache Kafka for rounds and rows (tests/kafka), and what its log is asked."""

import os
import shutil
import subprocess
import sys

from running import Broken

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "kafka", "broker")
CANNOT_BE_HAD = 77


class Kafka:
    """Belongs to this process: it ends with it."""

    def __init__(self, folder):
        self.folder = folder
        self.address = self.start()

    def _run(self, *words):
        done = subprocess.run([sys.executable, SCRIPT, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode == CANNOT_BE_HAD:
            print(done.stderr.strip() or "SKIPPED: no Kafka can be had here")
            sys.exit(CANNOT_BE_HAD)
        if done.returncode != 0:
            raise Broken(f"tests/kafka/broker {words[0]}: {done.stderr.strip()}")
        return done.stdout.strip()

    def start(self):
        return self._run("start", self.folder, "--owner", str(os.getpid()))

    def kill(self):
        self._run("kill", self.folder)

    def freeze(self):
        self._run("freeze", self.folder)

    def thaw(self):
        self._run("thaw", self.folder)

    def close(self):
        self._run("kill", self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)
