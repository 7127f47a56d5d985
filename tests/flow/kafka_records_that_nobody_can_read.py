"""What others wrote into the topics: it is set aside with its position, and everything behind it goes on."""

import shutil
import subprocess
import unittest

import tidings
from tidings import PROGRAM, Broker, kinds, until


def long_of(number):
    """An Avro long."""
    number = (number << 1) ^ (number >> 63)
    encoded = b""
    while number > 0x7F:
        encoded += bytes([number & 0x7F | 0x80])
        number >>= 7
    return encoded + bytes([number])


class Unreadable(unittest.TestCase):
    def setUp(self):
        if tidings.LOG != "kafka":
            raise unittest.SkipTest("others can write into the topics on Kafka only: TIDINGS_TEST_LOG=kafka")
        if shutil.which("kcat") is None:
            raise unittest.SkipTest("there is no kcat here (Debian: apt-get install kcat)")
        self.broker = Broker()
        self.addCleanup(self.broker.destroy)
        self.broker.start()
        self.hospital, self.practice, self.patient = self.broker.hospital(), self.broker.practice(), self.broker.patient()
        self.ref = self.practice.register(self.patient).json["patientRef"]
        self.subscription = self.practice.subscribe()
        self.hospital.tell("A01", self.patient)
        self.subscription.alerts(1)

    def kcat(self, *words):
        return subprocess.run(["kcat", "-q", "-b", self.broker.kafka, *words], capture_output=True, check=True, timeout=60).stdout

    def newest(self, topic, key):
        """Partition and value of the newest record of this key."""
        lines = self.kcat("-C", "-t", topic, "-o", "beginning", "-e", "-f", "%p %o %k\n").decode().splitlines()
        partition, offset, _ = [one.split(" ", 2) for one in lines if one.endswith(f" {key}")][-1]
        return partition, self.kcat("-C", "-t", topic, "-p", partition, "-o", offset, "-c", "1", "-f", "%s")

    def write(self, topic, partition, key, value):
        file = self.broker.room / "value"
        file.write_bytes(value)
        self.kcat("-P", "-t", topic, "-p", partition, "-k", key, str(file))

    def bad_values(self, right):
        record = b"\x00\x00\x00\x00\x01"
        return [
            b"not in wire format", right[:3], b"\x00\x00\x00\x03\xe7" + right[5:], right[: len(right) // 2], right + b"x",
            record + long_of(2**40) + b"short", record + long_of(-5) + b"negative", record + b"\xff" * 40,
            right[:-1] + bytes([right[-1] ^ 1]),
        ]

    def quarantine(self, count):
        items = self.broker.must(200, "GET", "/quarantine?limit=1000", self.broker.operator).json["items"]
        return items if len(items) >= count else None

    def test_1_they_are_quarantined_and_what_is_behind_them_is_told(self):
        partition, right = self.newest("tidings.events", self.ref)
        bad = self.bad_values(right)
        for value in bad:
            self.write("tidings.events", partition, self.ref, value)
        self.hospital.tell("A03", self.patient)
        self.assertEqual(kinds(self.subscription.alerts(2)), [("new", "encounter-admitted-1"), ("new", "encounter-discharged-1")])
        partition_of_alerts, telling = self.newest("tidings.alerts", self.practice.id)
        for value in self.bad_values(telling)[:-1]:
            self.write("tidings.alerts", partition_of_alerts, self.practice.id, value)
        self.hospital.tell("A13", self.patient)
        alerts = self.subscription.alerts(3)
        self.assertEqual([one["data"]["number"] for one in alerts], [1, 2, 3])
        # the last of the events is one that our keys did not seal: whether it is told or set aside, it says nothing
        items = until(lambda: self.quarantine(2 * len(bad) - 2), what="the items in quarantine")
        positions = {(one["position"]["topic"], one["position"]["partition"], one["position"]["offset"]) for one in items}
        self.assertEqual(len(positions), len(items), "each once")
        self.assertEqual({topic for topic, _, _ in positions}, {"tidings.events", "tidings.alerts"})
        self.assertTrue(all(one["why"] for one in items))
        self.broker.restart()
        self.hospital.tell("A11", self.patient)
        self.assertEqual(self.subscription.alerts(4)[:3], alerts)
        self.assertEqual({one["id"] for one in self.quarantine(0)}, {one["id"] for one in items}, "and none twice")
        self.broker.stop()
        self.verify_names_the_first(partition)

    def verify_names_the_first(self, partition):
        command = [PROGRAM, "verify", "--data", str(self.broker.data), "--log", f"kafka://{self.broker.kafka}"]
        said = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(said.returncode, 1)
        self.assertIn(f"tidings.events partition {partition}, offset", said.stderr)


if __name__ == "__main__":
    tidings.main()
