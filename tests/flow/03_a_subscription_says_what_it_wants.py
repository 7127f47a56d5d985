"""Types, roles, own events, payload: what a subscription is told, and what of it."""

import json

import tidings
from tidings import kinds


class ASubscription(tidings.Story):
    def setUp(self):
        self.hospital, self.patient = self.broker.hospital(), self.broker.patient()
        self.practice = self.broker.practice()
        self.practice.register(self.patient, "gp")
        self.all = self.practice.subscribe()

    def types(self, subscription):
        """What it had up to now. A second subscription of the same subscriber says how far that is."""
        mark = self.hospital.publish("care-plan-changed-1", self.patient)
        self.all.until_event(mark)
        return [one["type"] for one in subscription.page(limit=1000).json["alerts"]]

    def test_1_without_types_everything_comes_but_what_must_be_named(self):
        self.hospital.tell("A01", self.patient)
        self.hospital.tell("A02", self.patient, place="W13^1^1^{sender}02", before="W12^1^3^{sender}02")  # routine
        self.hospital.tell("A02", self.patient, place="W1^1^1^{sender}99", before="W13^1^1^{sender}02")  # another site
        self.hospital.tell("A04", self.patient, spell="V2", kind="O")
        self.hospital.tell("A04", self.patient, spell="V3", kind="E")
        (had,) = self.hospital.mark(self.patient, self.all)
        self.assertEqual([(one["type"], one["data"]["encounter"].get("site", "")[3:]) for one in had],
                         [("encounter-admitted-1", "02"), ("encounter-transferred-1", "99"), ("encounter-ed-arrived-1", "02")])

    def test_2_a_routine_transfer_is_told_to_who_names_its_type_in_full(self):
        named = self.practice.subscribe(types=["encounter-transferred-1"])
        pattern = self.practice.subscribe(types=["encounter-*-1"])
        self.hospital.tell("A01", self.patient)
        self.hospital.tell("A02", self.patient, place="W13^1^1^{sender}02", before="W12^1^3^{sender}02")
        self.assertEqual(self.types(named), ["encounter-transferred-1"])
        self.assertEqual(self.types(pattern), ["encounter-admitted-1"])

    def test_3_a_transfer_without_a_site_is_within_the_site(self):
        self.hospital.tell("A01", self.patient)
        self.hospital.tell("A02", self.patient, place="W13", before="W12")
        self.assertEqual(self.types(self.all), ["encounter-admitted-1", "care-plan-changed-1"])

    def test_4_an_outpatients_visit_is_told_to_who_names_its_type_in_full(self):
        named = self.practice.subscribe(types=["encounter-registered-1", "care-*-1"])
        pattern = self.practice.subscribe(types=["encounter-*-1"])
        self.hospital.tell("A04", self.patient, kind="O")
        self.assertEqual(self.types(named), ["encounter-registered-1", "care-plan-changed-1"])
        self.assertEqual(self.types(pattern), [])

    def test_5_types_filter(self):
        some = self.practice.subscribe(types=["encounter-discharged-1", "encounter-*-arrived-1"])
        self.hospital.tell("A04", self.patient, kind="E", spell="V2")
        self.hospital.tell("A01", self.patient)
        self.hospital.tell("A03", self.patient)
        self.assertEqual(self.types(some), ["encounter-ed-arrived-1", "encounter-discharged-1"])

    def test_6_roles_filter(self):
        self.practice.register(self.patient, "palliative")
        other = self.broker.patient()
        self.practice.register(other, "gp")
        palliative = self.practice.subscribe(roles=["palliative", "carer"])
        self.hospital.tell("A01", other)
        self.hospital.tell("A01", self.patient)
        (alert,) = palliative.alerts(1)
        self.assertEqual(alert["subject"], self.patient.nhs_number)

    def test_7_one_event_is_one_alert_however_many_registrations_match(self):
        more = [self.practice.register(self.patient, role).json["id"] for role in ("gp", "palliative", "community")]
        self.hospital.tell("A01", self.patient)
        (had,) = self.hospital.mark(self.patient, self.all)
        self.assertEqual(len(had), 1)
        because = had[0]["data"]["because"]
        self.assertEqual(sorted(one["role"] for one in because), ["community", "gp", "gp", "palliative"])
        self.assertEqual(len({one["registration"] for one in because}), 4)
        self.assertLessEqual(set(more), {one["registration"] for one in because})

    def test_8_who_published_is_not_told_unless_it_asked_for_its_own(self):
        self.hospital.register(self.patient, "hospital-team")
        own, others = self.hospital.subscribe(own=True), self.hospital.subscribe()
        other_hospital = self.broker.hospital()
        self.hospital.tell("A01", self.patient)
        other_hospital.tell("A01", self.patient)
        mark = other_hospital.publish("care-plan-changed-1", self.patient)
        publishers = [[one["data"]["publisher"] for one in each.until_event(mark)] for each in (own, others)]
        self.assertEqual(publishers, [[self.hospital.id] + [other_hospital.id] * 2, [other_hospital.id] * 2])

    def test_9_id_only_has_identifiers_and_no_words(self):
        some = self.practice.subscribe(payload="id-only")
        self.hospital.tell("A01", self.patient)
        (alert,) = some.alerts(1)
        data = alert["data"]
        self.assertEqual(alert["subject"], self.patient.nhs_number)
        self.assertEqual(data["patient"], {
            "nhsNumber": self.patient.nhs_number, "localIds": [{"assigner": self.hospital.id, "value": self.patient.mrn}]})
        self.assertEqual(data["encounter"], {"spell": "V1", "organisation": self.hospital.id})
        self.assertIn("patientRef", data)
        self.assertEqual(set(data), {"subscription", "number", "kind", "event", "publisher", "publishedAt", "patientRef",
                                     "because", "patient", "encounter"})

    def test_10_empty_does_not_tell_who(self):
        some = self.practice.subscribe(payload="empty")
        self.hospital.tell("A01", self.patient)
        (alert,) = some.alerts(1)
        self.assertEqual(set(alert), {"specversion", "id", "source", "type", "time", "datacontenttype", "data"})
        self.assertEqual(set(alert["data"]), {"subscription", "number", "kind", "event", "publisher", "publishedAt", "because"})
        self.assertEqual(alert["data"]["because"], [{"role": "gp"}])
        ref = self.all.alerts(1)[0]["data"]["patientRef"]
        text = json.dumps(alert)
        for secret in (ref, self.patient.nhs_number, self.patient.family, self.patient.mrn):
            self.assertNotIn(secret, text)

    def test_11_a_retraction_is_as_short_as_the_news(self):
        empty, ids = self.practice.subscribe(payload="empty"), self.practice.subscribe(payload="id-only")
        self.hospital.tell("A01", self.patient)
        self.hospital.tell("A11", self.patient)
        news, taken_back = empty.alerts(2)
        self.assertEqual(taken_back["data"]["concerns"], news["id"])
        self.assertFalse({"subject"} & set(taken_back) or {"patientRef", "patient", "encounter"} & set(taken_back["data"]))
        self.assertNotIn("familyName", ids.alerts(2)[1]["data"]["patient"])

    def test_12_what_was_left_out_can_be_read_by_its_number(self):
        empty = self.practice.subscribe(payload="empty")
        self.hospital.tell("A01", self.patient)
        (alert,) = empty.alerts(1)
        whole = self.broker.must(200, "GET", f"{empty.path}/alerts/1", self.practice.token).json
        self.assertEqual((whole["id"], whole["data"]["number"]), (alert["id"], 1))
        self.assertEqual(whole["data"]["patient"]["familyName"], self.patient.family)
        for number in ("2", "0", "-1", "x"):
            self.broker.must(404, "GET", f"{empty.path}/alerts/{number}", self.practice.token)

    def test_13_each_subscription_counts_for_itself_from_its_beginning(self):
        self.hospital.tell("A01", self.patient)
        self.all.alerts(1)  # told before the other is made
        later = self.practice.subscribe()
        self.hospital.tell("A03", self.patient)
        (alert,) = later.alerts(1)
        self.assertEqual((alert["type"], alert["data"]["number"]), ("encounter-discharged-1", 1))
        same = self.all.alerts(2)[1]
        self.assertEqual(same["data"]["number"], 2)
        self.assertEqual(same["data"]["event"], alert["data"]["event"], "the event's id is the same for everyone")
        self.assertNotEqual(same["id"], alert["id"])

    def test_14_a_change_holds_from_there_on_and_the_numbers_go_on(self):
        self.hospital.tell("A01", self.patient)
        self.all.alerts(1)
        changed = self.broker.must(200, "PATCH", self.all.path, self.practice.token, {"types": ["care-*-1"]})
        self.assertEqual(self.all.get(after=changed)["types"], ["care-*-1"])
        self.hospital.tell("A03", self.patient)
        self.hospital.publish("care-plan-changed-1", self.patient)
        alerts = self.all.alerts(2)
        self.assertEqual(kinds(alerts), [("new", "encounter-admitted-1"), ("new", "care-plan-changed-1")])
        self.assertEqual([one["data"]["number"] for one in alerts], [1, 2])

    def test_15_an_ended_subscription_is_told_no_more_and_is_not_changed(self):
        ended = self.practice.subscribe()
        self.hospital.tell("A01", self.patient)
        ended.alerts(1)
        gone = self.broker.must(204, "DELETE", ended.path, self.practice.token)
        self.assertEqual(ended.get(after=gone)["status"], "ended")
        self.hospital.tell("A11", self.patient)
        self.assertEqual(self.types(ended), ["encounter-admitted-1"])
        self.broker.must(409, "PATCH", ended.path, self.practice.token, {"types": []})
        self.broker.must(409, "POST", f"{ended.path}/resume", self.practice.token)

    def test_16_a_paused_subscription_goes_on_counting(self):
        paused = self.broker.must(200, "POST", f"{self.all.path}/pause", self.practice.token)
        self.assertEqual(self.all.get(after=paused)["status"], "paused")
        self.hospital.tell("A01", self.patient)
        resumed = self.broker.must(200, "POST", f"{self.all.path}/resume", self.practice.token)
        self.assertEqual(self.all.get(after=resumed)["status"], "active")
        self.assertEqual(kinds(self.all.alerts(1)), [("new", "encounter-admitted-1")])

    def test_17_what_a_subscription_may_say_is_checked(self):
        for wrong, at in (({"types": ["admitted"]}, "/types"), ({"roles": ["dentist"]}, "/roles"), ({"payload": "some"}, "/payload"),
                          ({"channel": {"kind": "webhook", "url": "https://x.invalid/"}}, "/channel"), ({"colour": 1}, "/colour"),
                          ({"own": "yes"}, "/own"), ({"purpose": "research"}, "/purpose")):
            body = {"subscriber": self.practice.id, "channel": {"kind": "pull"}, **wrong}
            said = self.broker.must(400, "POST", "/subscriptions", self.practice.token, body)
            self.assertEqual(said.headers["Content-Type"], "application/problem+json")
            problem = said.json
            self.assertEqual((problem["status"], problem["type"]), (400, "about:blank"))
            self.assertTrue(any(one["at"].startswith(at) and one["why"] for one in problem["errors"]), (wrong, problem))

    def test_18_a_transfer_in_a_stay_never_seen_tells_the_admission(self):
        self.hospital.tell("A02", self.patient, place="W13", before="W12")
        self.hospital.tell("A01", self.patient)
        (had,) = self.hospital.mark(self.patient, self.all)
        ((kind, late, state),) = [(one["type"], one["data"]["late"], one["data"]["state"]) for one in had]
        self.assertEqual((kind, late, state), ("encounter-admitted-1", True, "in-hospital"))


if __name__ == "__main__":
    tidings.main()
