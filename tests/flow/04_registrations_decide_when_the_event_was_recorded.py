"""A registration has a beginning and an end; an event is told by when it was taken in, not by when it happened."""

import datetime
import time

import tidings


def moment(seconds):
    """A time so many seconds from now, as the interface writes it."""
    when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


DAY = 24 * 3600


class ARegistration(tidings.Story):
    def setUp(self):
        self.hospital, self.patient = self.broker.hospital(), self.broker.patient()
        self.practice, self.witness = self.broker.practice(), self.broker.community()
        self.subscription = self.practice.subscribe()
        self.witness.register(self.patient, "community")
        self.witnessed = self.witness.subscribe()

    def told(self):
        """How many alerts the practice has had, when all that was published until now has been told."""
        self.practice.register(self.patient, "carer")
        (had,) = self.hospital.mark(self.patient, self.subscription)
        return len(had)

    def test_1_one_that_begins_later_tells_nothing_yet(self):
        self.practice.register(self.patient, **{"from": moment(DAY)})
        self.hospital.tell("A01", self.patient)
        self.assertEqual(self.told(), 0)

    def test_2_one_that_is_over_tells_nothing(self):
        self.practice.register(self.patient, **{"from": moment(-2 * DAY), "until": moment(-DAY)})
        self.hospital.tell("A01", self.patient)
        self.assertEqual(self.told(), 0)

    def test_3_one_that_holds_now_tells_also_what_happened_before_it(self):
        self.practice.register(self.patient)
        self.hospital.tell("A01", self.patient, time="20200101100000", admitted="20200101095500")
        (alert,) = self.subscription.alerts(1)
        self.assertEqual(alert["time"], "2020-01-01T09:55:00.000Z")

    def test_4_what_was_recorded_before_it_is_not_told(self):
        self.hospital.tell("A01", self.patient)
        self.witnessed.alerts(1)
        self.practice.register(self.patient, **{"from": moment(-DAY)})
        self.hospital.tell("A03", self.patient)
        self.assertEqual(self.subscription.alerts(1)[0]["type"], "encounter-discharged-1")

    def test_5_it_can_be_ended_and_tells_no_more(self):
        made = self.practice.register(self.patient).json
        self.hospital.tell("A01", self.patient)
        self.subscription.alerts(1)
        ended = self.broker.must(200, "POST", f"/registrations/{made['id']}/end", self.practice.token)
        self.hospital.tell("A03", self.patient)
        self.assertEqual(self.told(), 1)
        listed = self.broker.must(200, "GET", f"/registrations?subscriber={self.practice.id}", self.practice.token, after=ended)
        known = next(one for one in listed.json["items"] if one["id"] == made["id"])
        self.assertEqual(known["until"], ended.json["until"])

    def test_6_ending_it_again_changes_nothing(self):
        made = self.practice.register(self.patient).json
        path = f"/registrations/{made['id']}/end"
        first = self.broker.must(200, "POST", path, self.practice.token)
        self.broker.must(200, "GET", f"/registrations?subscriber={self.practice.id}", self.practice.token, after=first)
        second = self.broker.must(200, "POST", path, self.practice.token)
        self.assertEqual(second.json, first.json)

    def test_7_it_ends_by_itself(self):
        self.practice.register(self.patient, until=moment(1.5))
        self.hospital.tell("A01", self.patient)
        self.subscription.alerts(1)
        end = time.time() + 1.6
        tidings.until(lambda: time.time() > end, what="its end")
        self.hospital.tell("A03", self.patient)
        self.assertEqual(self.told(), 1)

    def test_8_a_practice_keeps_its_patients_and_the_others_theirs_for_a_year(self):
        self.practice.register(self.patient, "gp")
        last = self.practice.register(self.patient, "community")
        path = f"/registrations?subscriber={self.practice.id}"
        items = self.broker.must(200, "GET", path, self.practice.token, after=last).json["items"]
        self.assertEqual({one["role"]: "until" in one for one in items}, {"gp": False, "community": True})
        (one,) = [one for one in items if one["role"] == "community"]
        years = [datetime.datetime.fromisoformat(one[name].replace("Z", "+00:00")) for name in ("from", "until")]
        self.assertEqual((years[1] - years[0]).days, 365)

    def test_9_what_is_listed_names_no_patient_and_who_asks_twice_for_a_page_gets_the_rest(self):
        last = [self.practice.register(self.broker.patient(), evidence="Consultation 17") for _ in range(5)][-1]
        path = f"/registrations?subscriber={self.practice.id}&limit=2"
        seen, after = [], ""
        while True:
            page = self.broker.must(200, "GET", path + after, self.practice.token, after=last)
            seen += [one["id"] for one in page.json["items"]]
            self.assertNotIn(b"999", page.body)
            self.assertNotIn(b"Consultation", page.body)
            if "next" not in page.json:
                break
            self.assertEqual(len(page.json["items"]), 2)
            after = "&after=" + page.json["next"]
        self.assertEqual(len(seen), 5)
        self.assertEqual(len(set(seen)), 5)

    def test_10_the_same_patient_has_the_same_ref_and_another_has_another(self):
        refs = [self.practice.register(patient).json["patientRef"] for patient in (self.patient, self.patient, self.broker.patient())]
        self.assertEqual(refs[0], refs[1])
        self.assertNotEqual(refs[0], refs[2])
        found = self.broker.must(200, "POST", "/patients/search", self.practice.token, {"nhsNumber": self.patient.nhs_number})
        self.assertEqual(found.json, {"patientRef": refs[0]})

    def test_11_what_a_registration_may_say_is_checked(self):
        right = {"patient": self.patient.nhs_number, "subscriber": self.practice.id, "role": "gp"}
        for wrong, at in (({"patient": self.patient.untrusted_number()}, "/patient"), ({"patient": "123"}, "/patient"),
                          ({"role": "dentist"}, "/role"), ({"from": "yesterday"}, "/from"), ({"subscriber": "Z99999"}, "/subscriber"),
                          ({"from": moment(DAY), "until": moment(0)}, "/until"), ({"colour": 1}, "/colour"), ({"role": None}, "/role")):
            said = self.broker.must(400, "POST", "/registrations", self.practice.token, {**right, **wrong})
            self.assertTrue(any(one["at"].startswith(at) for one in said.json["errors"]), (wrong, said.json))
            self.assertNotIn(self.patient.nhs_number[:9], said.body.decode(), "an answer repeats no number")

    def test_12_a_patient_can_be_registered_by_a_hospitals_own_number(self):
        local = {"localId": {"assigner": self.hospital.id, "value": self.patient.mrn}}
        body = {"patient": local, "subscriber": self.practice.id, "role": "gp"}
        ref = self.broker.must(201, "POST", "/registrations", self.practice.token, body).json["patientRef"]
        self.hospital.tell("A01", self.patient, numbers=f"{self.patient.mrn}^^^{self.hospital.id}^MR")
        other = self.broker.hospital()
        other.tell("A01", self.patient, numbers=f"{self.patient.mrn}^^^{other.id}^MR")
        self.hospital.tell("A03", self.patient, numbers=f"{self.patient.mrn}^^^{self.hospital.id}^MR")
        alerts = self.subscription.alerts(2)
        self.assertEqual([one["type"] for one in alerts], ["encounter-admitted-1", "encounter-discharged-1"], "not the other hospital's")
        self.assertEqual({one["data"]["patientRef"] for one in alerts}, {ref})
        self.assertNotIn("subject", alerts[0])
        self.assertEqual(alerts[0]["data"]["patient"]["localIds"], [{"assigner": self.hospital.id, "value": self.patient.mrn}])
        found = self.broker.must(200, "POST", "/patients/search", self.practice.token, local)
        self.assertEqual(found.json["patientRef"], ref)


if __name__ == "__main__":
    tidings.main()
