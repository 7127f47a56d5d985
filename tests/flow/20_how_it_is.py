"""Health, status and metrics: what they say, to whom, and that it is true."""

import re

import tidings
from tidings import until

METRICS = {
    "tidings_events_total": {"source", "type", "outcome"}, "tidings_alerts_total": {"kind"},
    "tidings_deliveries_total": {"channel", "outcome"}, "tidings_lag_events": {"role"}, "tidings_lag_seconds": {"role"},
    "tidings_publish_to_deliver_seconds_bucket": {"le"}, "tidings_append_seconds_bucket": {"le"},
    "tidings_quarantined_total": set(), "tidings_subscribers_live": set(),
}
LINE = re.compile(r"^([a-z_]+)(?:\{([^}]*)\})? ([0-9.e+-]+|\+Inf|NaN)$")


class HowItIs(tidings.Story):
    def metrics(self):
        """{name: {labels as text: value}}, from a text in which every line is right."""
        said = self.broker.must(200, "GET", "/metrics", self.broker.operator)
        self.assertTrue(said.headers["Content-Type"].startswith("text/plain; version=0.0.4"))
        found, helped = {}, set()
        for line in said.body.decode().splitlines():
            if line.startswith("#"):
                helped.add(line.split()[2])
                continue
            name, labels, value = LINE.match(line).groups()
            found.setdefault(name, {})[labels or ""] = float(value)
            self.assertIn(re.sub(r"_(bucket|sum|count)$", "", name), helped, line)
        return found

    def test_1_health(self):
        for path in ("/health/live", "/health/ready"):
            self.assertEqual(self.broker.must(200, "GET", path).headers["Content-Type"], "application/json")

    def test_2_what_happens_is_counted(self):
        hospital, practice, patient = self.broker.hospital(), self.broker.practice(), self.broker.patient()
        practice.register(patient)
        subscription = practice.subscribe()
        before = self.metrics()
        with subscription.stream() as stream:
            for trigger in ("A01", "A11"):
                hospital.tell(trigger, patient)
                stream.event()
        with hospital.mllp() as connection:
            connection.ask(hospital.adt("A01", patient, processing="T"))
        hospital.publish("care-plan-changed-1", patient)
        subscription.alerts(3)
        after = until(lambda: self.counted(before, 3), what="three alerts in the metrics")
        for name, labels in METRICS.items():
            self.assertIn(name, after)
            for text in after[name]:
                self.assertEqual({one.split("=")[0] for one in text.split(",") if one}, labels, name)

        def more(name, *words):
            return sum(value - before.get(name, {}).get(text, 0) for text, value in after[name].items() if all(word in text for word in words))

        self.assertEqual(more("tidings_events_total", 'source="hl7"', 'type="encounter-admitted-1"'), 1)
        self.assertEqual(more("tidings_events_total", 'source="cloudevents"', 'type="care-plan-changed-1"'), 1)
        self.assertEqual(more("tidings_alerts_total", 'kind="new"'), 2)
        self.assertEqual(more("tidings_alerts_total", 'kind="retraction"'), 1)
        self.assertGreaterEqual(more("tidings_deliveries_total", 'channel="stream"', 'outcome="delivered"'), 2)
        self.assertGreaterEqual(more("tidings_publish_to_deliver_seconds_count"), 3)
        self.assertGreaterEqual(more("tidings_append_seconds_count"), 3)
        self.assertNotIn(hospital.id, str(sorted(after.items())), "no label grows with organisations")

    def counted(self, before, count):
        now = self.metrics()
        grown = sum(now.get("tidings_alerts_total", {}).values()) - sum(before.get("tidings_alerts_total", {}).values())
        return now if grown >= count else None

    def test_3_status_names_the_roles_and_how_far_behind_they_are(self):
        hospital, patient = self.broker.hospital(), self.broker.patient()
        hospital.tell("A01", patient)

        def caught_up():
            status = self.broker.must(200, "GET", "/status", self.broker.operator).json
            return status if all(one["lagEvents"] == 0 for one in status["roles"]) else None

        status = until(caught_up, what="no lag")
        self.assertEqual((status["region"], status["logHealthy"], status["quarantined"]), ("wessex", True, 0))
        self.assertLessEqual({"match", "deliver", "api"}, {one["role"] for one in status["roles"]})
        self.assertTrue(all(one["lagSeconds"] >= 0 for one in status["roles"]))
        self.assertLess(status["publishToDeliverSeconds"]["p99"], 5)

    def test_4_nothing_was_quarantined(self):
        self.assertEqual(self.broker.must(200, "GET", "/quarantine", self.broker.operator).json["items"], [])


if __name__ == "__main__":
    tidings.main()
