"""Sends a feed to a broker over MLLP and compares the alerts with the count. Used by the tests of this folder."""

import hashlib
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "flow"))

import tidings  # noqa: E402
import wire  # noqa: E402
from count import Count, Message, by_patient  # noqa: E402

CONNECTIONS = 4
WINDOW = 20  # messages in flight on each connection


def told(alert):
    data = alert["data"]
    return (alert["subject"], data["kind"], alert["type"], data["encounter"]["spell"], alert["time"])


class Comparison:
    """One broker, and what it must tell."""

    def __init__(self, broker):
        self.broker, self.count, self.pulled = broker, Count(), {}
        self.answers = []

    def subscribe(self, name, organisation, **wish):
        self.pulled[name] = organisation.subscribe(**wish)
        self.count.subscribe(name, organisation.id, tuple(wish.get("types", ())), tuple(wish.get("roles", ())))

    def send(self, messages):
        """Over several connections, each patient's messages in order; each must be answered."""
        shares = [[] for _ in range(CONNECTIONS)]
        for text in messages:
            self.count.message(text)
            patient = Message(text).field("PID", 3)
            shares[hashlib.sha256(patient.encode()).digest()[0] % CONNECTIONS].append(text)
        failures = []
        threads = [threading.Thread(target=self.send_share, args=(share, failures)) for share in shares]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def send_share(self, share, failures):
        try:
            with wire.Mllp(self.broker.mllp, within=60) as connection:
                for first in range(0, len(share), WINDOW):
                    window = share[first : first + WINDOW]
                    connection.send_bytes(b"".join(map(wire.frame, window)))
                    for text in window:
                        said, wanted = connection.receive(), Message(text).control_id
                        if said.control_id != wanted:
                            raise AssertionError(f"{wanted} was answered {said}")
                        self.answers.append(said.code)
        except Exception as failure:  # told by the thread that waits
            failures.append(failure)

    def pull(self, name, within=90):
        """As many alerts as counted, or what there is when that takes too long: the comparison shows the difference."""
        try:
            return self.pulled[name].alerts(len(self.count.expected[name]), within)
        except AssertionError as failure:
            print(f"{name}: {failure}", flush=True)
            return self.pulled[name].page(limit=1000).json["alerts"]

    def check(self, test):
        pulled = {name: self.pull(name) for name in self.pulled}
        first = next(iter(pulled))
        self.pulled[first].page(after=len(pulled[first]), wait=2)  # time for what should not come
        for name, alerts in pulled.items():
            expected, head = self.count.expected[name], self.pulled[name].page(limit=1).json["head"]
            test.assertEqual([one["data"]["number"] for one in alerts], list(range(1, len(alerts) + 1)))
            test.assertEqual(len({one["id"] for one in alerts}), len(alerts))
            given, counted = by_patient(map(told, alerts)), by_patient(expected)
            for patient in sorted(given.keys() | counted.keys()):
                test.assertEqual(given.get(patient), counted.get(patient), f"{name}, {patient}")
            test.assertEqual(head, len(expected), f"{name}: exactly as many as counted")
        return {name: len(alerts) for name, alerts in self.count.expected.items()}


main = tidings.main
