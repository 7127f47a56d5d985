"""What serve does not start with: it says why, in a sentence that says what to do, and touches nothing."""

import shutil
import subprocess
import unittest

import tidings
from tidings import Broker, DidNotStart


class Refusal(unittest.TestCase):
    def setUp(self):
        self.broker = Broker()
        self.addCleanup(self.broker.destroy)

    def refused(self, *options):
        with self.assertRaises(DidNotStart) as refused:
            self.broker.start(*options)
        self.assertEqual(refused.exception.code, 1)
        return refused.exception.notes


class Refused(Refusal):
    def test_1_without_the_regions_key(self):
        self.broker.start()
        hospital, practice, patient = self.broker.hospital(), self.broker.practice(), self.broker.patient()
        practice.register(patient)
        subscription = practice.subscribe()
        hospital.tell("A01", patient)
        before = subscription.alerts(1)
        self.broker.stop()
        key = self.broker.data / "region.key"
        key.rename(self.broker.room / "kept.key")
        said = self.refused()
        self.assertIn("region.key", said)
        self.assertIn("copy that file from the machine that made it", said)
        self.assertFalse(key.exists(), "none is made instead")
        (self.broker.room / "kept.key").rename(key)
        self.broker.start()
        self.assertEqual(subscription.alerts(1), before)

    def test_2_with_another_regions_key(self):
        self.broker.start()
        hospital, practice, patient = self.broker.hospital(), self.broker.practice(), self.broker.patient()
        practice.register(patient)
        subscription = practice.subscribe()
        hospital.tell("A01", patient)
        before = subscription.alerts(1)
        self.broker.stop()
        other = Broker()
        self.addCleanup(other.destroy)
        other.start()
        other.stop()
        shutil.copy(self.broker.data / "region.key", self.broker.room / "kept.key")
        shutil.copy(other.data / "region.key", self.broker.data / "region.key")
        said = self.refused()
        self.assertIn("region.key", said)
        shutil.copy(self.broker.room / "kept.key", self.broker.data / "region.key")
        self.broker.start()
        self.assertEqual(subscription.alerts(1), before)

    def test_3_with_another_number_of_partitions(self):
        self.broker.start("--partitions", "6")
        self.broker.stop()
        said = self.refused("--partitions", "12")
        self.assertIn("12", said)
        self.assertIn("6", said)
        self.broker.start("--partitions", "6")
        self.broker.stop()
        self.broker.start()
        self.broker.finish()


class RefusedBeforeTheLogIsOpened(Refusal):
    def test_1_with_options_that_it_does_not_have(self):
        for options in (["--colour", "blue"], ["--roles", "ingest,dance"], ["--log", "paper"], ["--http", "nowhere"],
                        ["--partitions", "none"], ["--partitions", "0"], ["--region", "a b"], ["--webhook-allow", "10.0.0.0/8"],
                        ["--standby"], ["extra"], ["--config", "/nowhere.ini"], ["--data"]):
            said = subprocess.run(self.broker.command(*options), capture_output=True, text=True, timeout=30, check=False)
            self.assertEqual((said.returncode, said.stdout), (2, ""), options)
            self.assertTrue(said.stderr.strip(), options)
        self.assertFalse(self.broker.data.exists())

    def test_2_where_it_cannot_listen(self):
        self.broker.start()
        second = Broker("--http", self.broker.http)
        self.addCleanup(second.destroy)
        with self.assertRaises(DidNotStart) as refused:
            second.start()
        self.assertEqual(refused.exception.code, 1)
        self.assertIn(self.broker.http, refused.exception.notes)


class Configured(unittest.TestCase):
    def test_1_every_option_has_a_key_in_a_file_and_the_command_line_wins(self):
        broker = Broker()
        self.addCleanup(broker.destroy)
        config = broker.room / "tidings.ini"
        config.write_text("region = solent\npartitions = 3\n")
        broker.start("--config", str(config), "--partitions", "4")
        hospital, practice, patient = broker.hospital(), broker.practice(), broker.patient()
        practice.register(patient)
        subscription = practice.subscribe()
        hospital.tell("A01", patient)
        self.assertEqual(subscription.alerts(1)[0]["source"], "urn:tidings:solent")
        broker.stop()
        broker.start("--partitions", "4")
        broker.finish()


if tidings.LOG != "embedded":  # the log has no part in these
    del RefusedBeforeTheLogIsOpened, Configured


if __name__ == "__main__":
    tidings.main()
