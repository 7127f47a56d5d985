"""A hospital's message becomes an alert for the GP practice, the care home and the community team, by pull and live."""

import time

import tidings
from tidings import kinds

DEADLINE = 5  # seconds from the acknowledgement to everybody's alert; milliseconds as a rule


class AnAdmission(tidings.Story):
    def setUp(self):
        broker = self.broker
        self.hospital, self.patient = broker.hospital(), broker.patient()
        self.practice, self.home, self.team = broker.practice(), broker.care_home(), broker.community()
        self.practice.register(self.patient, "gp")
        self.home.register(self.patient, "care-home")
        self.team.register(self.patient, "community")
        self.subscriptions = [one.subscribe() for one in (self.practice, self.home, self.team)]

    def test_1_everyone_registered_can_pull_it(self):
        self.hospital.tell("A01", self.patient, spell="V1")
        started = time.monotonic()
        for subscription, role in zip(self.subscriptions, ("gp", "care-home", "community")):
            (alert,) = subscription.alerts(1, within=DEADLINE)
            self.assertEqual(alert["specversion"], "1.0")
            self.assertEqual(alert["type"], "encounter-admitted-1")
            self.assertEqual(alert["source"], "urn:tidings:wessex")
            self.assertEqual(alert["time"], "2026-11-24T09:55:00.000Z")
            self.assertEqual(alert["subject"], self.patient.nhs_number)
            self.assertEqual(alert["datacontenttype"], "application/json")
            data = alert["data"]
            self.assertEqual((data["number"], data["kind"], data["publisher"]), (1, "new", self.hospital.id))
            self.assertEqual(data["subscription"], subscription.id)
            self.assertEqual([one["role"] for one in data["because"]], [role])
            self.assertEqual(data["patient"]["familyName"], self.patient.family)
            self.assertEqual(data["patient"]["givenName"], self.patient.given)
            self.assertEqual(data["patient"]["birthDate"], self.patient.birth_date)
            self.assertEqual(data["patient"]["localIds"], [{"assigner": self.hospital.id, "value": self.patient.mrn}])
            encounter = data["encounter"]
            self.assertEqual(encounter["spell"], "V1")
            self.assertEqual((encounter["ward"], encounter["room"], encounter["bed"]), ("W12", "1", "3"))
            self.assertEqual(encounter["class"], "inpatient")
            self.assertEqual(encounter["organisation"], self.hospital.id)
            self.assertEqual(encounter["site"], f"{self.hospital.id}02")
            self.assertEqual(encounter["admittedAt"], "2026-11-24T09:55:00.000Z")
            self.assertEqual(encounter["consultant"]["code"], "C123")
        self.assertLess(time.monotonic() - started, DEADLINE)

    def test_2_everyone_registered_sees_it_arrive_live(self):
        streams = [one.stream() for one in self.subscriptions]
        try:
            self.hospital.tell("A01", self.patient)
            events = [stream.event(within=DEADLINE) for stream in streams]
        finally:
            for stream in streams:
                stream.close()
        self.assertEqual([(one.id, one.event) for one in events], [("1", "alert")] * 3)
        for event, subscription in zip(events, self.subscriptions):
            self.assertEqual(event.alert, subscription.alerts(1)[0], "pull and stream show the same alert")

    def test_3_nobody_else_is_told(self):
        other = self.broker.practice()
        subscription = other.subscribe()
        self.hospital.tell("A01", self.patient)
        other.register(self.patient)
        self.assertEqual(self.hospital.mark(self.patient, subscription), [[]])

    def test_4_a_team_and_a_professional_are_told_as_subscribers_of_their_own(self):
        broker = self.broker
        team, nurse = f"{self.team.id}-nights", f"{self.team.id}-nurse"
        for name, kind in ((team, "team"), (nurse, "professional")):
            body = {"kind": kind, "organisation": self.team.id, "name": "District nursing"}
            broker.must(201, "PUT", f"/subscribers/{name}", self.team.token, body)
            self.assertEqual(broker.must(200, "GET", f"/subscribers/{name}", self.team.token).json["kind"], kind)
            self.team.register(self.patient, "community", subscriber=name)
        subscriptions = [self.team.subscribe(subscriber=name) for name in (team, nurse)]
        self.hospital.tell("A01", self.patient)
        for subscription in subscriptions:
            self.assertEqual(kinds(subscription.alerts(1)), [("new", "encounter-admitted-1")])

    def test_5_a_stay_is_told_from_its_beginning_to_its_end_in_order(self):
        for trigger in ("A01", "A03"):
            self.hospital.tell(trigger, self.patient, spell="V7", method="1", destination="19")
        for subscription in self.subscriptions:
            alerts = subscription.alerts(2)
            self.assertEqual([one["type"] for one in alerts], ["encounter-admitted-1", "encounter-discharged-1"])
            self.assertEqual([one["data"]["number"] for one in alerts], [1, 2])
            discharge = alerts[1]["data"]["encounter"]
            self.assertEqual(discharge["dischargedAt"], "2026-11-24T12:00:00.000Z")
            self.assertEqual((discharge["dischargeMethod"], discharge["dischargeDestination"]), ("1", "19"))

    def test_6_a_discharge_of_one_who_died_tells_both(self):
        self.hospital.tell("A01", self.patient)
        self.hospital.tell("A03", self.patient, method="4")
        alerts = self.subscriptions[0].alerts(3)
        self.assertEqual([one["type"] for one in alerts[1:]], ["encounter-discharged-1", "patient-died-1"])
        self.assertIn("diedAt", alerts[2]["data"])

    def test_7_an_arrival_in_emergency_is_told(self):
        self.hospital.tell("A04", self.patient, kind="E")
        (alert,) = self.subscriptions[0].alerts(1)
        self.assertEqual(alert["type"], "encounter-ed-arrived-1")
        self.assertEqual(alert["data"]["encounter"]["class"], "emergency")

    def test_8_a_changed_care_plan_is_told(self):
        self.hospital.publish("care-plan-changed-1", self.patient)
        (alert,) = self.subscriptions[2].alerts(1)
        self.assertEqual(alert["type"], "care-plan-changed-1")
        self.assertEqual(alert["data"]["carePlan"], {"id": "p1", "title": "Falls"})

    def test_9_a_message_without_an_nhs_number_is_of_its_local_number_only(self):
        self.hospital.tell("A01", self.patient, numbers=f"{self.patient.mrn}^^^{self.hospital.id}^MR")
        self.assertEqual(self.hospital.mark(self.patient, self.subscriptions[0]), [[]])
        items = self.broker.work_list(self.hospital.token)
        self.assertEqual([one["kind"] for one in items], ["missing-nhs-number"])


if __name__ == "__main__":
    tidings.main()
