"""A headless Chromium, told what to do over its DevTools protocol (a WebSocket, RFC 6455, as far as that needs it)."""

import base64
import http.client
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import time
from pathlib import Path

from foreign import needed, tidings

FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--remote-debugging-port=0"]
START_SECONDS = 60


class Failure(Exception):
    """What the page or the browser said instead of an answer."""


class Chromium:
    def __init__(self):
        self.home = Path(tempfile.mkdtemp(prefix="tidings-chromium-"))
        command = [needed("chromium", "chromium"), *FLAGS, f"--user-data-dir={self.home}", "about:blank"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        start_new_session=True)
        try:
            self.connect()
        except BaseException:
            self.close()
            raise

    def connect(self):
        port_file = self.home / "DevToolsActivePort"
        tidings.until(lambda: port_file.exists() and len(port_file.read_text().split()) == 2, START_SECONDS, "Chromium's start")
        port = int(port_file.read_text().split()[0])
        pages = tidings.until(lambda: self.pages(port), START_SECONDS, "Chromium's page")
        path = pages[0]["webSocketDebuggerUrl"].split("/", 3)[3]
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=START_SECONDS)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(f"GET /{path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        self.bytes = self.socket.makefile("rb")
        if b"101" not in self.bytes.readline():
            raise Failure("Chromium takes no WebSocket")
        while self.bytes.readline() not in (b"\r\n", b""):
            pass
        self.asked = 0

    @staticmethod
    def pages(port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/json/list")
            return [one for one in json.loads(connection.getresponse().read()) if one["type"] == "page"]
        finally:
            connection.close()

    def send(self, text):
        data = text.encode()
        size = bytes([0x80 | len(data)]) if len(data) < 126 else bytes([0x80 | 126]) + struct.pack(">H", len(data))
        self.socket.sendall(b"\x81" + size + b"\0\0\0\0" + data)  # a mask of zeros

    def receive(self):
        text = b""
        while True:
            first, size = self.bytes.read(2)
            if size >= 126:
                (size,) = struct.unpack(*((">H", self.bytes.read(2)) if size == 126 else (">Q", self.bytes.read(8))))
            text += self.bytes.read(size)
            if first & 0x80:
                return json.loads(text)

    def ask(self, method, **parameters):
        self.asked += 1
        self.send(json.dumps({"id": self.asked, "method": method, "params": parameters}))
        while True:
            said = self.receive()
            if said.get("id") == self.asked:
                if "error" in said:
                    raise Failure(said["error"]["message"])
                return said["result"]

    def open(self, url):
        self.ask("Page.navigate", url=url)

    def run(self, script):
        """The value of a script (a promise's, when it is kept) in the page."""
        said = self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in said:
            raise Failure(said["exceptionDetails"].get("exception", {}).get("description", said["exceptionDetails"]["text"]))
        return said["result"].get("value")

    def until(self, script, within=30):
        """What the script gives as soon as it is true."""

        def found():
            try:
                return self.run(script)
            except Failure:  # between two pages there is nothing to ask
                return None

        return tidings.until(found, within, script)

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        deadline = time.monotonic() + 10
        while self.home.exists() and time.monotonic() < deadline:
            shutil.rmtree(self.home, ignore_errors=True)
