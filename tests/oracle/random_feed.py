"""A random feed of admissions, transfers, discharges, cancellations and duplicates, with registrations that come and go between:
exactly the alerts of the independent count. The seed is printed; TIDINGS_SEED runs it again."""

import os
import random

import compare
from compare import Comparison, tidings, wire

PATIENTS, ROUNDS, MESSAGES = 30, 12, 60
LONG = 10  # times as many rounds with TIDINGS_LONG=1
ROLES = ("gp", "care-home", "community", "carer")


class Feed:
    """Stays as a hospital might tell them, with mistakes."""

    def __init__(self, dice, hospital, patients):
        self.dice, self.hospital, self.patients = dice, hospital, patients
        self.sent = []
        self.count = 0

    def message(self):
        if self.sent and self.dice.random() < 0.1:
            return self.dice.choice(self.sent)  # an engine that did not see the answer
        dice, patient = self.dice, self.dice.choice(self.patients)
        stay = dice.randrange(3)
        starts_in = ("A01", "A04", "A04")[stay]
        trigger = dice.choice([starts_in, "A02", "A03", "A11", "A13"])
        before, place = (f"W{dice.randrange(9)}^1^1^{{sender}}0{dice.randrange(2)}" for _ in range(2))
        self.count += 1
        text = self.hospital.adt(
            trigger, patient, spell=f"{patient.mrn}-{stay}", kind=("I", "E", "O")[stay], place=place, before=before,
            method="4" if stay == 0 else "1", control_id=f"FEED{self.count:06}", time=f"202611{dice.randrange(1, 29):02}100000")
        self.sent.append(text)
        return text


class RandomFeed(tidings.Story):
    def test_1_the_alerts_are_those_counted(self):
        seed = int(os.environ.get("TIDINGS_SEED") or random.randrange(1_000_000))
        print(f"TIDINGS_SEED={seed}", flush=True)
        dice = random.Random(seed)
        broker = self.broker
        hospital, others = broker.hospital(), [broker.practice(), broker.care_home(), broker.community()]
        patients = [broker.patient() for _ in range(PATIENTS)]
        comparison = Comparison(broker)
        comparison.subscribe("everything", others[0])
        comparison.subscribe("discharges", others[0], types=["encounter-discharged-1", "patient-*-1"])
        comparison.subscribe("all encounters by name", others[1], types=["encounter-*-1", "encounter-transferred-1", "encounter-registered-1"])
        comparison.subscribe("carers", others[2], roles=["carer", "gp"])
        comparison.subscribe("all", others[2])
        feed, live = Feed(dice, hospital, patients), []
        for _ in range(ROUNDS * (LONG if os.environ.get("TIDINGS_LONG") == "1" else 1)):
            for _ in range(8):
                patient, other, role = dice.choice(patients), dice.choice(others), dice.choice(ROLES)
                made = other.register(patient, role).json
                comparison.count.register(patient.nhs_number, other.id, role)
                live.append((made["id"], made, patient, other, role))
            for _ in range(3):
                name, made, patient, other, role = live.pop(dice.randrange(len(live)))
                wire.until(lambda: broker.ask("POST", f"/registrations/{name}/end", other.token).status == 200, what="its end")
                comparison.count.end(patient.nhs_number, other.id, role)
            comparison.send([feed.message() for _ in range(MESSAGES)])
        self.assertEqual(set(comparison.answers), {"AA"})
        counted = comparison.check(self)
        print(f"{len(comparison.answers)} messages: {counted}")


if __name__ == "__main__":
    compare.main()
