"""An erased patient: numbers stay, envelopes stay, and nothing else can be read; the others are untouched."""

import sqlite3
import subprocess
import unittest

import tidings
from tidings import kinds


class AnErasedPatient(tidings.Story):
    def erase(self, patient_ref):
        """By hand, while the broker is stopped: the data keys of the patient get a tombstone."""
        if self.broker.kafka is None:
            with sqlite3.connect(self.broker.data / "keys.db") as database:
                wanted = (f"{patient_ref}/".encode(), f"{patient_ref}0".encode())
                gone = database.execute("UPDATE record SET value = NULL WHERE key >= ? AND key < ?", wanted).rowcount
            database.close()
        else:
            gone = self.erase_on_kafka(patient_ref)
        self.assertEqual(gone, 1)

    def erase_on_kafka(self, patient_ref):
        if tidings.shutil.which("kcat") is None:
            raise unittest.SkipTest("there is no kcat here (Debian: apt-get install kcat)")
        where = ["-b", self.broker.kafka, "-t", "tidings.keys"]
        command = ["kcat", "-q", "-C", *where, "-o", "beginning", "-e", "-f", "%k\n"]
        names = subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines()
        names = [one for one in names if one.startswith(f"{patient_ref}/")]
        for name in names:
            subprocess.run(["kcat", "-P", *where, "-p", "0", "-Z", "-K", "|"], input=f"{name}|\n", text=True, check=True)
        return len(names)

    def test_1_its_alerts_are_withheld_and_nothing_moves(self):
        broker = self.broker
        hospital, practice = broker.hospital(), broker.practice()
        erased, other = broker.patient(), broker.patient()
        ref = practice.register(erased).json["patientRef"]
        practice.register(other)
        subscription, ids = practice.subscribe(), practice.subscribe(payload="id-only")
        for trigger in ("A01", "A03"):
            hospital.tell(trigger, erased)
            hospital.tell(trigger, other)
        hospital.mark(other, subscription, ids)
        before = subscription.alerts(5)
        broker.stop()
        self.erase(ref)
        broker.start()
        for channel in (subscription, ids):
            after = channel.alerts(5)
            self.assertEqual([one["data"]["number"] for one in after], [1, 2, 3, 4, 5])
            for old, new in zip(before, after):
                if old["subject"] == other.nhs_number:
                    continue
                self.assertEqual(set(new), {"specversion", "id", "source", "type", "time", "datacontenttype", "data"})
                self.assertEqual(new["data"], {"subscription": channel.id, "number": old["data"]["number"], "kind": "withheld"})
                self.assertEqual(new["type"], "withheld-1")
                self.assertNotIn(new["time"], (old["time"], None), "when it happened is not told either")
        after = subscription.alerts(5)
        self.assertEqual([one["id"] for one in after], [one["id"] for one in before])
        self.assertEqual([one for one in after if one["type"] != "withheld-1"], [one for one in before if one["subject"] == other.nhs_number])
        with subscription.stream(after=0) as stream:
            self.assertEqual([stream.event().alert for _ in range(5)], after, "the same in the live stream")
        withheld = next(one["data"]["number"] for one in after if one["type"] == "withheld-1")
        whole = broker.must(200, "GET", f"{subscription.path}/alerts/{withheld}", practice.token).json
        self.assertEqual(whole["data"]["kind"], "withheld")
        self.others_go_on(hospital, other, subscription)

    def others_go_on(self, hospital, other, subscription):
        hospital.tell("A13", other)
        self.assertEqual(kinds(subscription.alerts(6)[5:]), [("retraction", "encounter-cancelled-1")])
        self.broker.restart()
        self.assertEqual(len(subscription.page().json["alerts"]), 6)
        self.assertEqual(self.broker.must(200, "GET", "/quarantine", self.broker.operator).json["items"], [])


if __name__ == "__main__":
    tidings.main()
