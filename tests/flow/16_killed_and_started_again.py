"""kill -9 while publishers send: what was acknowledged is there, once and in order. (tests/crash does this at its worst moments.)"""

import random
import threading

import tidings
import wire
from tidings import until

ROUNDS = 4
PUBLISHERS = 3
EVENTS = 150  # of each publisher in each round


class Publisher(threading.Thread):
    """Sends what it has in order, again and again until it is acknowledged, as engines do."""

    def __init__(self, hospital, patient, messages):
        super().__init__()
        self.hospital, self.patient, self.messages = hospital, patient, messages
        self.acknowledged = 0

    def run(self):
        while self.acknowledged < len(self.messages):
            try:
                with wire.Mllp(self.hospital.broker.mllp, within=5) as connection:
                    while self.acknowledged < len(self.messages):
                        window = self.messages[self.acknowledged : self.acknowledged + 10]
                        connection.send_bytes(b"".join(map(wire.frame, window)))
                        for _ in window:
                            if connection.receive().code != "AA":
                                raise ConnectionError("to be sent again")
                            self.acknowledged += 1
            except OSError:
                threading.Event().wait(0.02)  # its pause before it connects again


class Killed(tidings.Story):
    def test_1_everything_acknowledged_is_told_once_and_in_order(self):
        broker = self.broker
        seed = random.randrange(1_000_000)
        print(f"seed {seed}", flush=True)
        dice = random.Random(seed)
        hospital, practice = broker.hospital(), broker.practice()
        patients = [broker.patient() for _ in range(PUBLISHERS)]
        for patient in patients:
            practice.register(patient)
        subscription = practice.subscribe()
        alerts = []
        for number in range(ROUNDS):
            publishers = [
                Publisher(hospital, patient, [
                    hospital.adt("A01", patient, spell=f"{number}-{count}", control_id=f"{patient.mrn}-{number}-{count}")
                    for count in range(EVENTS)])
                for patient in patients]
            for publisher in publishers:
                publisher.start()
            target = dice.randrange(EVENTS)
            until(lambda: publishers[0].acknowledged >= target, 60, "enough to kill it")
            broker.kill()
            broker.start()
            for publisher in publishers:
                publisher.join()
            alerts = subscription.alerts(PUBLISHERS * EVENTS * (number + 1), within=60)
        self.assertEqual([one["data"]["number"] for one in alerts], list(range(1, len(alerts) + 1)))
        for patient in patients:
            spells = [one["data"]["encounter"]["spell"] for one in alerts if one["subject"] == patient.nhs_number]
            self.assertEqual(spells, [f"{number}-{count}" for number in range(ROUNDS) for count in range(EVENTS)])
        for patient in patients:
            self.assertEqual(len(hospital.mark(patient, subscription)[0]), len(alerts) + patients.index(patient), "and no more")

    def test_2_an_alert_keeps_its_number_for_who_saw_it_live(self):
        broker = self.broker
        hospital, practice, patient = broker.hospital(), broker.practice(), broker.patient()
        practice.register(patient)
        subscription = practice.subscribe()
        seen = {}
        for number in range(3):
            with subscription.stream() as stream:
                for trigger in ("A01", "A11"):
                    hospital.tell(trigger, patient, spell=f"V{number}")
                    event = stream.event()
                    seen[int(event.id)] = event.alert
                broker.kill()
            broker.start()
        self.assertEqual(subscription.alerts(6), [seen[number] for number in range(1, 7)])


if __name__ == "__main__":
    tidings.main()
