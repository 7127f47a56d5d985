"""What is taken back is taken back from exactly those who were told, whatever changed since; and from nobody else."""

import tidings
from tidings import kinds

NEWS, TAKEN_BACK = ("new", "encounter-admitted-1"), ("retraction", "encounter-cancelled-1")


class ARetraction(tidings.Story):
    def setUp(self):
        self.hospital, self.patient = self.broker.hospital(), self.broker.patient()
        self.practice, self.home = self.broker.practice(), self.broker.care_home()
        self.registration = self.practice.register(self.patient, "gp").json
        self.home.register(self.patient, "care-home")
        self.told, self.told_too = self.practice.subscribe(), self.home.subscribe()

    def admit(self, **more):
        self.hospital.tell("A01", self.patient, **more)
        self.told.alerts(1)
        self.told_too.alerts(1)

    def test_1_a_cancelled_admission_says_what_it_takes_back_and_where_the_patient_is(self):
        self.admit()
        self.hospital.tell("A11", self.patient)
        for subscription, role in ((self.told, "gp"), (self.told_too, "care-home")):
            first, second = subscription.alerts(2)
            self.assertEqual(kinds([first, second]), [NEWS, TAKEN_BACK])
            self.assertEqual(second["data"]["concerns"], first["id"])
            self.assertEqual(second["data"]["concernsEvent"], first["data"]["event"])
            self.assertEqual(second["data"]["state"], "not-admitted")
            self.assertEqual([one["role"] for one in second["data"]["because"]], [role])
            self.assertEqual(second["subject"], self.patient.nhs_number)
            self.assertNotEqual(second["id"], first["id"])
            self.assertNotEqual(second["data"]["event"], first["data"]["event"])

    def test_2_a_cancelled_discharge_leaves_the_patient_in_hospital(self):
        self.admit()
        self.hospital.tell("A03", self.patient)
        self.hospital.tell("A13", self.patient)
        alerts = self.told.alerts(3)
        self.assertEqual(alerts[2]["data"]["concerns"], alerts[1]["id"])
        self.assertEqual(alerts[2]["data"]["state"], "in-hospital")

    def test_3_it_comes_although_the_types_and_roles_changed_since(self):
        self.admit()
        change = {"types": ["care-plan-changed-1"], "roles": ["carer"]}
        self.broker.must(200, "PATCH", self.told.path, self.practice.token, change)
        self.hospital.tell("A03", self.patient)  # which is filtered now
        self.hospital.tell("A11", self.patient)
        self.assertEqual(kinds(self.told.alerts(2)), [NEWS, TAKEN_BACK])

    def test_4_it_comes_although_the_registration_ended_since(self):
        self.admit()
        self.broker.must(200, "POST", f"/registrations/{self.registration['id']}/end", self.practice.token)
        self.hospital.tell("A11", self.patient)
        self.assertEqual(kinds(self.told.alerts(2)), [NEWS, TAKEN_BACK])

    def test_5_whoever_was_registered_later_does_not_get_it(self):
        self.admit()
        later = self.broker.community()
        later.register(self.patient, "community")
        subscription = later.subscribe()
        self.hospital.tell("A11", self.patient)
        self.assertEqual(self.hospital.mark(self.patient, subscription), [[]])

    def test_6_a_subscription_made_later_does_not_get_it(self):
        self.admit()
        subscription = self.practice.subscribe()
        self.hospital.tell("A11", self.patient)
        before, had = self.hospital.mark(self.patient, subscription, self.told)
        self.assertEqual((before, kinds(had)), ([], [NEWS, TAKEN_BACK]))

    def test_7_a_subscription_that_had_filtered_the_news_does_not_get_it(self):
        filtered = self.practice.subscribe(types=["care-plan-changed-1"])
        self.admit()
        self.hospital.tell("A11", self.patient)
        self.assertEqual(self.hospital.mark(self.patient, filtered), [[]])

    def test_8_the_discharge_of_one_who_died_is_taken_back_with_the_death(self):
        self.admit()
        self.hospital.tell("A03", self.patient, method="4")
        self.hospital.tell("A13", self.patient)
        alerts = self.told.alerts(5)
        self.assertEqual(kinds(alerts[3:]), [TAKEN_BACK, TAKEN_BACK])
        self.assertEqual([one["data"]["concerns"] for one in alerts[3:]], [alerts[1]["id"], alerts[2]["id"]])
        self.assertEqual({one["data"]["state"] for one in alerts[3:]}, {"in-hospital"})

    def test_9_what_was_never_told_is_taken_back_from_nobody_and_is_on_the_work_list(self):
        self.hospital.tell("A11", self.patient, control_id="NOTHING1")
        self.assertEqual(self.hospital.mark(self.patient, self.told), [[]])
        items = tidings.until(lambda: self.broker.work_list(self.hospital.token), what="an item on the work list")
        self.assertEqual([(one["kind"], one["messageId"]) for one in items], [("cancels-nothing", "NOTHING1")])

    def test_10_a_second_cancellation_takes_nothing_back_again(self):
        self.admit()
        self.hospital.tell("A11", self.patient)
        self.hospital.tell("A11", self.patient)
        (had,) = self.hospital.mark(self.patient, self.told)
        self.assertEqual(kinds(had), [NEWS, TAKEN_BACK])

    def test_11_an_admission_after_its_cancellation_is_news_again(self):
        self.admit()
        for trigger in ("A11", "A01", "A11"):
            self.hospital.tell(trigger, self.patient)
        alerts = self.told.alerts(4)
        self.assertEqual(kinds(alerts), [NEWS, TAKEN_BACK, NEWS, TAKEN_BACK])
        self.assertEqual([alerts[1]["data"]["concerns"], alerts[3]["data"]["concerns"]], [alerts[0]["id"], alerts[2]["id"]])

    def test_12_a_repeated_admission_is_no_second_alert_and_its_retraction_concerns_the_first(self):
        self.admit()
        self.hospital.tell("A01", self.patient)  # another MSH-10, while the first stands
        self.hospital.tell("A11", self.patient)
        (had,) = self.hospital.mark(self.patient, self.told)
        self.assertEqual(kinds(had), [NEWS, TAKEN_BACK])
        self.assertEqual(had[1]["data"]["concerns"], had[0]["id"])

    def test_13_other_stays_of_the_patient_are_left_alone(self):
        self.admit(spell="V1")
        self.hospital.tell("A01", self.patient, spell="V2")
        self.hospital.tell("A11", self.patient, spell="V1")
        alerts = self.told.alerts(3)
        self.assertEqual(alerts[2]["data"]["concerns"], alerts[0]["id"])

    def test_14_another_hospitals_stay_of_the_same_name_is_left_alone(self):
        other = self.broker.hospital()
        self.admit(spell="V1")
        other.tell("A11", self.patient, spell="V1")
        (had,) = self.hospital.mark(self.patient, self.told)
        self.assertEqual(kinds(had), [NEWS])

    def test_15_a_cloudevent_takes_back_what_it_names(self):
        first = self.hospital.event("encounter-admitted-1", self.patient)
        self.assertEqual(self.hospital.post(first).status, 200)
        cancel = self.hospital.event("encounter-cancelled-1", self.patient)
        cancel["data"] = {"patient": {"nhsNumber": self.patient.nhs_number}, "cancels": first["id"]}
        self.assertEqual(self.hospital.post(cancel).status, 200)
        alerts = self.told.alerts(2)
        self.assertEqual(kinds(alerts), [NEWS, TAKEN_BACK])
        self.assertEqual(alerts[1]["data"]["concerns"], alerts[0]["id"])


if __name__ == "__main__":
    tidings.main()
