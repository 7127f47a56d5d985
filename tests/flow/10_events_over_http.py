"""POST /events: structured, binary, in batches; and everything that is not an event of ours."""

import json

import tidings
from tidings import kinds, until

STRUCTURED = "application/cloudevents+json"
BATCH = {"Content-Type": "application/cloudevents-batch+json"}


class Events(tidings.Story):
    def setUp(self):
        self.hospital, self.patient = self.broker.hospital(), self.broker.patient()
        self.practice = self.broker.practice()
        self.practice.register(self.patient)
        self.subscription = self.practice.subscribe()

    def event(self, **more):
        return self.hospital.event("care-plan-changed-1", self.patient, **more)

    def binary(self, event, content_type="application/json", **more):
        headers = {f"ce-{name}": str(text) for name, text in event.items() if name != "data"}
        if content_type is not None:
            headers["Content-Type"] = content_type
        return self.broker.ask("POST", "/events", self.hospital.token, json.dumps(event["data"]).encode(), {**headers, **more})

    def test_1_structured(self):
        said = self.hospital.post(self.event(subject=self.patient.nhs_number, versionid="1", datacontenttype="application/json",
                                             dataref="https://records.invalid/1", filtering={"a": "b", "c": [1, "d"], "e": True},
                                             traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"))
        self.assertEqual((said.status, set(said.json), said.headers["Content-Type"]), (200, {"id"}, "application/json"))
        (alert,) = self.subscription.alerts(1)
        self.assertEqual((alert["data"]["event"], alert["type"]), (said.json["id"], "care-plan-changed-1"))
        self.assertEqual(alert["traceparent"], "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        self.assertEqual(alert["time"], "2026-11-24T10:00:00.000Z")

    def test_2_binary(self):
        for content_type in ("application/json", "application/json; charset=utf-8", None):
            self.assertEqual(self.binary(self.event(), content_type).status, 200, content_type)
        self.assertEqual(kinds(self.subscription.alerts(3)), [("new", "care-plan-changed-1")] * 3)

    def test_3_binary_and_structured_are_the_same_event(self):
        event = self.event()
        answers = [self.hospital.post(event), self.binary(event)]
        self.assertEqual([one.status for one in answers], [200, 200], answers)
        self.assertEqual(answers[0].json, answers[1].json)
        (had,) = self.hospital.mark(self.patient, self.subscription)
        self.assertEqual(len(had), 1)

    def test_4_a_batch_in_order(self):
        events = [self.event() for _ in range(20)]
        said = self.hospital.post(events, headers=BATCH)
        self.assertEqual((said.status, set(said.json)), (200, {"ids"}))
        self.assertEqual([one["data"]["event"] for one in self.subscription.alerts(20)], said.json["ids"])

    def test_5_of_a_batch_with_a_bad_one_none_is_taken(self):
        events = [self.event() for _ in range(4)]
        del events[1]["time"]
        events[3]["type"] = "weather-1"
        said = self.hospital.post(events, headers=BATCH)
        self.assertEqual((said.status, set(said.json["validationErrors"])), (400, {"1/time", "3/type"}))
        self.assertEqual(self.hospital.mark(self.patient, self.subscription), [[]])

    def test_6_what_an_event_must_say(self):
        missing = object()
        for name, text in (("id", missing), ("id", ""), ("source", missing), ("specversion", "0.3"), ("specversion", missing), ("type", missing),
                           ("type", "weather-1"), ("time", missing), ("time", "2026-11-24"), ("time", "yesterday"), ("subject", "nobody"),
                           ("datacontenttype", "text/xml"), ("colour", "blue"), ("subject", None), ("filtering", [1]), ("filtering", {"a": {}}),
                           ("dataref", "not a uri"), ("traceparent", self.patient.nhs_number), ("id", "x" * 200)):
            event = self.event()
            event[name] = text
            if text is missing:
                del event[name]
            said = self.hospital.post(event)
            self.assertEqual(said.status, 400, (name, text, said))
            self.assertTrue({name, "data/patient/nhsNumber"} & set(said.json["validationErrors"]), (name, said))
            self.assertNotIn(self.patient.nhs_number, said.body.decode())

    def test_7_types_that_are_not_taken_here(self):
        for kind in ("document-available-1", "encounter-leave-started-1", "patient-merged-1", "tracer-1", "registration-started-1",
                     "summary-overdue-1", "encounter-catch-up-1", "withheld-1", "handshake-1", "patient-updated-1"):
            said = self.hospital.post(self.hospital.event(kind, self.patient))
            self.assertEqual((said.status, list(said.json["validationErrors"])), (400, ["type"]), kind)

    def test_8_the_types_that_are(self):
        for kind in ("encounter-admitted-1", "encounter-ed-arrived-1", "encounter-transferred-1", "encounter-discharged-1", "patient-died-1"):
            event = self.hospital.event(kind, self.patient)
            if kind == "patient-died-1":
                event["data"] = {"patient": {"nhsNumber": self.patient.nhs_number}, "diedAt": "2026-11-24T09:00:00Z"}
            event["data"].get("encounter", {})["spell"] = kind
            said = self.hospital.post(event)
            self.assertEqual(said.status, 200, (kind, said))

    def test_9_data_says_who_and_agrees_with_the_subject(self):
        other = self.broker.patient()
        for data in ({}, {"patient": {}}, {"patient": {"familyName": "X"}}, {"patient": {"nhsNumber": "123"}}, {"patient": None},
                     {"patient": {"nhsNumber": self.patient.nhs_number}, "colour": 1}, [], "text", {"patient": {"nhsNumber": 1}}):
            said = self.hospital.post(self.event(data=data))
            self.assertEqual(said.status, 400, (data, said))
            self.assertTrue(all(one.startswith("data") for one in said.json["validationErrors"]), said)
        self.assertEqual(self.hospital.post(self.event(subject=other.nhs_number)).status, 400)

    def test_10_json_that_no_two_readers_would_read_alike(self):
        right = json.dumps(self.event())
        deep = "[" * 40 + "]" * 40
        for body in (right[:-1] + ', "id": "again"}', right + "x", right[:-1], "", "null", right.replace("Falls", "F\x00alls"),
                     right.encode() + b"\xff", right.replace("Falls", "F\u00e4lls").encode("latin-1"), right[:-1] + f', "filtering": {deep}}}',
                     right.replace('"Falls"', "1.5e400"), "[" + right + "]", right.replace('"Falls"', '"\\ud800"')):
            body = body if isinstance(body, bytes) else body.encode()
            said = self.hospital.post(body)
            self.assertEqual((said.status, set(said.json)), (400, {"validationErrors"}), (body, said))
        self.assertEqual(self.hospital.mark(self.patient, self.subscription), [[]])

    def test_11_other_contents_are_not_taken(self):
        for content in ("text/plain", "application/xml", "application/cloudevents+avro", "application/json"):
            said = self.hospital.post(self.event(), headers={"Content-Type": content})
            self.assertIn(said.status, (400, 415), content)

    def test_12_an_event_over_256_kib_is_too_large_and_one_below_is_not(self):
        event = self.event(filtering={"padding": "x" * (250 * 1024)})
        self.assertEqual(self.hospital.post(event).status, 200)
        event = self.event(filtering={"padding": "x" * (257 * 1024)})
        self.assertEqual(self.hospital.post(event).status, 413)
        (had,) = self.hospital.mark(self.patient, self.subscription)
        self.assertEqual(len(had), 1)

    def test_13_what_is_refused_is_on_the_publishers_work_list(self):
        event = self.event(event_id="refused13")
        del event["time"]
        self.assertEqual(self.hospital.post(event).status, 400)
        (item,) = until(lambda: [one for one in self.broker.work_list(self.hospital.token) if one["messageId"] == "refused13"])
        self.assertEqual((item["kind"], item["source"], item["code"], item["at"]), ("refused", self.hospital.source, "400", "time"))

    def test_14_an_untrusted_number_by_the_organisations_setting(self):
        strict = self.broker.hospital(untrustedNhsNumber="reject")
        data = {"patient": {"nhsNumber": self.patient.untrusted_number(), "localIds": [{"value": self.patient.mrn}]},
                "carePlan": {"id": "p1", "title": "Falls"}}
        said = strict.post(strict.event("care-plan-changed-1", self.patient, data=data))
        self.assertEqual((said.status, list(said.json["validationErrors"])), (400, ["data/patient/nhsNumber"]))
        said = self.hospital.post(self.event(data=data, event_id="untrusted14"))
        self.assertEqual(said.status, 200)
        (item,) = until(lambda: [one for one in self.broker.work_list(self.hospital.token) if one["messageId"] == "untrusted14"])
        self.assertEqual(item["kind"], "untrusted-nhs-number")

    def test_15_nobody_asserts_another_organisations_numbers(self):
        other = self.broker.hospital()
        data = {"patient": {"localIds": [{"assigner": other.id, "value": self.patient.mrn}]}, "carePlan": {"id": "p1", "title": "Falls"}}
        self.assertEqual(self.hospital.post(self.event(data=data)).status, 400)


if __name__ == "__main__":
    tidings.main()
