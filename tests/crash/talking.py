"""HTTP and MLLP as a careful client speaks them: what was not acknowledged is sent again, with the same identity."""

import http.client
import json
import socket
import time

NOT_NOW = (OSError, http.client.HTTPException)  # the connection or the broker is gone


class Http:
    """One kept connection. `ask` goes on until there is an answer that is not "later"; `once` tries once."""

    def __init__(self, broker, token, is_over=lambda: False):
        self.broker, self.token, self.is_over = broker, token, is_over
        self.connection = None

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def once(self, method, path, body=None, headers=None, timeout=15):
        """(status, parsed body, headers). Raises one of NOT_NOW."""
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.broker.http, timeout=timeout)
                self.connection.connect()
                self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            data = body if body is None or isinstance(body, str) else json.dumps(body)
            sent = {"Authorization": f"Bearer {self.token}", **({"Content-Type": "application/json"} if body is not None else {}), **(headers or {})}
            self.connection.request(method, path, data, sent)
            answer = self.connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None, answer.headers
        except NOT_NOW:
            self.close()
            raise

    def ask(self, method, path, body=None, headers=None):
        """None: the harness is over and there was no answer."""
        while not self.is_over():
            if not self.broker.up.wait(0.2):
                continue
            try:
                status, answer, fields = self.once(method, path, body, headers)
            except NOT_NOW:
                self.broker.up.wait(0.02)
                continue
            if status not in (429, 503):
                return status, answer, fields
        return None


class Mllp:
    """Messages in flight in order, acknowledged in order; one that fails takes those behind it along."""

    def __init__(self, broker, window=8, timeout=15):
        self.broker, self.window, self.timeout = broker, window, timeout
        self.socket, self.rest = None, b""

    def close(self):
        if self.socket is not None:
            self.socket.close()
        self.socket, self.rest = None, b""

    def send(self, text):
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.broker.mllp), timeout=self.timeout)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.rest = b""
        self.socket.sendall(b"\x0b" + text + b"\x1c\r")

    def answer(self):
        """The next answer: (MSA-1, MSA-2, whole text)."""
        while b"\x1c\r" not in self.rest:
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError("closed")
            self.rest += more
        frame, self.rest = self.rest.split(b"\x1c\r", 1)
        text = frame.lstrip(b"\x0b").decode()
        msa = next(line for line in text.split("\r") if line.startswith("MSA|")).split("|")
        return msa[1], msa[2], text


def stream(broker, token, subscription, after, timeout=15):
    """A live stream: yields (number, alert). Raises one of NOT_NOW when it breaks; ends when the broker ends it."""
    connection = http.client.HTTPConnection("127.0.0.1", broker.http, timeout=timeout)
    try:
        connection.request("GET", f"/subscriptions/{subscription}/stream", headers={"Authorization": f"Bearer {token}", "Last-Event-ID": str(after)})
        answer = connection.getresponse()
        if answer.status != 200:
            raise StreamRefused(answer.status)
        number, data = None, None
        for line in answer:
            line = line.decode().rstrip("\r\n")
            if line.startswith("id: "):
                number = int(line[4:])
            elif line.startswith("data: "):
                data = line[6:]
            elif line == "" and data is not None:
                yield number, json.loads(data)
                data = None
    finally:
        connection.close()


class StreamRefused(Exception):
    def __init__(self, status):
        super().__init__(f"the stream was refused: {status}")
        self.status = status


def until(true, seconds, what):
    """Waits for an event, with a deadline; `true` itself waits a little when it is not so."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s: {what}")
