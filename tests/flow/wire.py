"""The client's side of the wire: MLLP, HTTP, live streams. Every wait ends at a deadline."""

import http.client
import json
import socket
import threading
import time

import world

PATIENCE = 20  # seconds, for what should take milliseconds: the machine may be busy


def until(found, within=PATIENCE, what="it"):
    """What found() gives as soon as it is true."""
    deadline = time.monotonic() + within
    pause = threading.Event()
    while True:
        result = found()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {within} s")
        pause.wait(0.02)


def host_and_port(address):
    host, port = address.rsplit(":", 1)
    return host, int(port)


class Mllp:
    """A connection to the MLLP door."""

    def __init__(self, address, within=PATIENCE):
        self.socket = socket.create_connection(host_and_port(address), timeout=within)
        self.waiting = b""

    def send_bytes(self, data):
        self.socket.sendall(data)

    def send(self, message):
        self.send_bytes(frame(message))

    def receive(self):
        """The next acknowledgement."""
        while b"\x1c\r" not in self.waiting:
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError(f"closed, with {self.waiting!r} left")
            self.waiting += more
        one, self.waiting = self.waiting.split(b"\x1c\r", 1)
        assert one.startswith(b"\x0b"), one
        return world.Acknowledgement(one[1:].decode())

    def ask(self, message):
        self.send(message)
        return self.receive()

    def is_closed_by_them(self):
        """Waits for the end of what they send; False where more came."""
        return self.socket.recv(1) == b""

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def frame(message):
    return b"\x0b" + (message if isinstance(message, bytes) else message.encode()) + b"\x1c\r"


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body
        self.position = headers.get("Tidings-Position")

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


def ask(address, method, path, token=None, body=None, headers=None, within=PATIENCE):
    """One HTTP request. body: bytes, or what is sent as JSON."""
    sent = {"Authorization": f"Bearer {token}"} if token else {}
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        sent["Content-Type"] = "application/json"
    sent.update(headers or {})
    connection = http.client.HTTPConnection(*host_and_port(address), timeout=within)
    try:
        connection.request(method, path, body=body, headers=sent)
        got = connection.getresponse()
        return Answer(got.status, got.headers, got.read())
    finally:
        connection.close()


class Event:
    def __init__(self):
        self.id = self.event = self.data = None

    @property
    def alert(self):
        return json.loads(self.data)


class Stream:
    """A live stream (server-sent events), line by line."""

    def __init__(self, address, path, token=None, headers=None, within=PATIENCE):
        self.connection = http.client.HTTPConnection(*host_and_port(address), timeout=within)
        sent = {"Accept": "text/event-stream", **(headers or {})}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        self.connection.request("GET", path, headers=sent)
        self.response = self.connection.getresponse()
        self.status = self.response.status
        self.socket = self.connection.sock

    def line(self, within=PATIENCE):
        """The next line without its end; None: the stream has ended."""
        self.socket.settimeout(within)
        text = self.response.readline()
        return text.decode().rstrip("\n") if text else None

    def block(self, within=PATIENCE):
        """The lines up to the next empty one; None: the stream has ended."""
        deadline = time.monotonic() + within
        lines = []
        while True:
            one = self.line(max(0.001, deadline - time.monotonic()))
            if one is None:
                return None
            if one == "":
                return lines
            lines.append(one)

    def event(self, within=PATIENCE):
        """The next event; comments and lone ids are passed over. None: the stream has ended."""
        deadline = time.monotonic() + within
        while True:
            lines = self.block(max(0.001, deadline - time.monotonic()))
            if lines is None:
                return None
            event = Event()
            for one in lines:
                name, _, text = one.partition(": ")
                if name in ("id", "event", "data"):
                    setattr(event, name, text)
            if event.data is not None:
                return event

    def close(self):
        self.response.close()
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
