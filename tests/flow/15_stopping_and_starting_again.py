"""A clean stop under load loses nothing, and after a start everything is as it was."""

import threading
import unittest

import tidings
import wire
from tidings import STOP_SECONDS, Broker


class Load:
    """Publishers on both doors that go on until they are cut off, and know what was acknowledged."""

    def __init__(self, hospital, patients):
        self.hospital, self.patients = hospital, patients
        self.acknowledged = []  # spells and event ids
        self.enough = threading.Event()
        self.threads = [threading.Thread(target=one) for one in (self.by_mllp, self.by_mllp, self.by_http, self.by_http)]
        for thread in self.threads:
            thread.start()

    def took(self, what):
        self.acknowledged.append(what)
        if len(self.acknowledged) >= 400:
            self.enough.set()

    def by_mllp(self):
        number = 0
        try:
            with self.hospital.mllp() as connection:
                while True:
                    window = []
                    for patient in self.patients:
                        number += 1
                        spell = f"S{threading.get_ident()}-{number}"
                        connection.send(self.hospital.adt("A01", patient, spell=spell))
                        window.append(spell)
                    for spell in window:
                        if connection.receive().code == "AA":
                            self.took(spell)
        except OSError:
            pass

    def by_http(self):
        try:
            while True:
                for patient in self.patients:
                    answer = self.hospital.post(self.hospital.event("care-plan-changed-1", patient))
                    if answer.status == 200:
                        self.took(answer.json["id"])
        except (OSError, wire.http.client.HTTPException):
            pass

    def join(self):
        for thread in self.threads:
            thread.join()


class Stopping(tidings.Story):
    def test_1_under_load_with_streams_and_waiting_pulls_it_loses_nothing(self):
        broker = self.broker
        hospital, practice = broker.hospital(), broker.practice()
        patients = [broker.patient() for _ in range(5)]
        for patient in patients:
            practice.register(patient)
        subscription, quiet = practice.subscribe(), practice.subscribe(types=["patient-died-1"])
        quiet.get()
        streams = [subscription.stream() for _ in range(5)]
        waiting = []
        puller = threading.Thread(target=lambda: waiting.append(quiet.page(wait=60)))
        puller.start()
        load = Load(hospital, patients)
        self.assertTrue(load.enough.wait(60))
        self.assertLess(broker.stop(), STOP_SECONDS)
        load.join()
        puller.join()
        self.assertEqual(waiting[0].json["alerts"], [], "a pull that waited is answered")
        for stream in streams:
            while stream.event() is not None:
                pass
            stream.close()
        broker.start()
        alerts = subscription.until_event(hospital.publish("care-plan-changed-1", patients[0]))
        alerts += self.rest_of(subscription, patients, hospital, len(alerts))
        self.assertEqual([one["data"]["number"] for one in alerts], list(range(1, len(alerts) + 1)))
        events = [one["data"]["event"] for one in alerts]
        self.assertEqual(len(events), len(set(events)), "none twice")
        spells = {one["data"]["encounter"]["spell"] for one in alerts if "encounter" in one["data"]}
        self.assertEqual(set(load.acknowledged) - set(events) - spells, set(), "none is lost")

    @staticmethod
    def rest_of(subscription, patients, hospital, after):
        """What comes until each patient's mark has come."""
        marks = {hospital.publish("care-plan-changed-1", patient) for patient in patients}
        alerts = []
        while marks:
            page = subscription.page(after=after + len(alerts), limit=1000, wait=10).json["alerts"]
            if not page:
                raise AssertionError("the marks did not come")
            alerts += page
            marks -= {one["data"]["event"] for one in page}
        return alerts

    def test_2_a_restart_keeps_numbers_ids_and_everything_that_was_made(self):
        broker = self.broker
        hospital, practice, patient = broker.hospital(), broker.practice(), broker.patient()
        practice.register(patient)
        subscriptions = [practice.subscribe(), practice.subscribe(payload="id-only"), practice.subscribe(types=["care-*-1"])]
        for trigger in ("A01", "A03", "A13", "A11"):
            hospital.tell(trigger, patient)
        hospital.mark(patient, *subscriptions)
        paths = ["/subscriptions", f"/registrations?subscriber={practice.id}", "/worklist", f"/organisations/{practice.id}", "/subscribers"]
        paths += [f"{one.path}/alerts" for one in subscriptions]
        before = [broker.must(200, "GET", path, practice.token).body for path in paths]
        for _ in range(2):
            broker.restart()
            self.assertEqual([broker.must(200, "GET", path, practice.token).body for path in paths], before)
        hospital.tell("A01", patient, spell="V2")
        self.assertEqual(subscriptions[0].alerts(6)[5]["data"]["number"], 6)

    def test_3_a_stream_is_resumed_after_a_restart_by_its_last_number(self):
        broker = self.broker
        hospital, practice, patient = broker.hospital(), broker.practice(), broker.patient()
        practice.register(patient)
        subscription = practice.subscribe()
        stream = subscription.stream()
        hospital.tell("A01", patient)
        last = stream.event().id
        broker.stop()
        self.assertIsNone(stream.event(), "the stream has ended")
        stream.close()
        broker.start()
        hospital.tell("A03", patient)
        with subscription.stream({"Last-Event-ID": last}) as stream:
            event = stream.event()
        self.assertEqual((event.id, event.alert["type"]), ("2", "encounter-discharged-1"))


class TheFolder(unittest.TestCase):
    def setUp(self):
        self.broker = Broker()
        self.addCleanup(self.broker.destroy)
        self.broker.start()

    def test_1_its_files_are_the_owners_alone(self):
        for file in tidings.scan.files_below(self.broker.data):
            self.assertEqual(file.stat().st_mode & 0o077, 0, file)
        self.assertEqual(self.broker.data.stat().st_mode & 0o077, 0)

    def test_2_a_second_broker_on_it_is_refused_and_the_first_goes_on(self):
        second = Broker.__new__(Broker)
        second.__dict__.update(self.broker.__dict__, notes_file=self.broker.room / "second")
        with self.assertRaises(tidings.DidNotStart) as refused:
            second.start()
        self.assertEqual(refused.exception.code, 1)
        self.assertIn(str(self.broker.data), refused.exception.notes)
        hospital, patient = self.broker.hospital(), self.broker.patient()
        hospital.tell("A01", patient)

    def test_3_two_signals_are_one_stop(self):
        self.broker.process.terminate()
        self.broker.process.terminate()
        self.broker.stop()


if __name__ == "__main__":
    tidings.main()
