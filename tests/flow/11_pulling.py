"""Pages of alerts after a number, and waiting for a first one."""

import re
import threading
import time

import tidings


class Pulling(tidings.Story):
    def setUp(self):
        self.hospital, self.patient = self.broker.hospital(), self.broker.patient()
        self.practice = self.broker.practice()
        self.practice.register(self.patient)
        self.subscription = self.practice.subscribe()

    def publish(self, count):
        for _ in range(count):
            self.hospital.publish("care-plan-changed-1", self.patient)

    def test_1_pages_say_where_they_are(self):
        self.publish(7)
        self.subscription.alerts(7)
        seen = []
        for after, last in ((0, 3), (3, 6), (6, 7), (7, 7)):
            page = self.subscription.page(after=after, limit=3).json
            self.assertEqual(set(page), {"subscription", "after", "last", "head", "alerts"})
            self.assertEqual((page["subscription"], page["after"], page["last"], page["head"]), (self.subscription.id, after, last, 7))
            seen += [one["data"]["number"] for one in page["alerts"]]
        self.assertEqual(seen, [1, 2, 3, 4, 5, 6, 7])

    def test_2_from_the_beginning_a_hundred_at_most_unless_told_otherwise(self):
        batch = [self.hospital.event("care-plan-changed-1", self.patient) for _ in range(120)]
        self.hospital.post(batch, headers={"Content-Type": "application/cloudevents-batch+json"})
        self.subscription.alerts(120)
        page = self.subscription.page().json
        self.assertEqual((page["after"], page["last"], page["head"], len(page["alerts"])), (0, 100, 120, 100))
        self.assertEqual(len(self.subscription.page(limit=1000).json["alerts"]), 120)

    def test_3_the_same_page_twice_is_the_same(self):
        self.publish(3)
        self.subscription.alerts(3)
        self.assertEqual(self.subscription.page().body, self.subscription.page().body)

    def test_4_waiting_ends_with_the_first_alert(self):
        pages = []
        thread = threading.Thread(target=lambda: pages.append((self.subscription.page(wait=20), time.monotonic())))
        self.subscription.get()
        thread.start()
        self.publish(1)
        published = time.monotonic()
        thread.join()
        self.assertEqual(pages[0][0].json["head"], 1)
        self.assertLess(pages[0][1] - published, 5)

    def test_5_waiting_ends_with_nothing_when_its_time_is_over(self):
        started = time.monotonic()
        page = self.subscription.page(wait=1).json
        self.assertGreater(time.monotonic() - started, 0.9)
        self.assertEqual((page["alerts"], page["last"], page["head"]), ([], 0, 0))

    def test_6_waiting_is_not_for_who_has_not_read_what_is_there(self):
        self.publish(2)
        self.subscription.alerts(2)
        started = time.monotonic()
        self.assertEqual(len(self.subscription.page(after=1, wait=20).json["alerts"]), 1)
        self.assertLess(time.monotonic() - started, 5)

    def test_7_a_number_that_was_never_given_is_a_conflict(self):
        self.publish(1)
        self.subscription.alerts(1)
        self.assertEqual(self.subscription.page(after=2).status, 409)
        self.assertEqual(self.subscription.page(after=1).status, 200)

    def test_8_what_is_asked_for_is_checked(self):
        for query in ({"after": "x"}, {"after": -1}, {"limit": 0}, {"limit": 1001}, {"wait": -1}, {"wait": 61}, {"limit": ""}, {"after": 2**70}):
            self.assertEqual(self.subscription.page(**query).status, 400, query)

    def test_9_what_was_just_made_is_seen_by_who_sends_the_position_back(self):
        for _ in range(20):
            made = self.practice.subscribe()
            self.assertEqual(made.get(after=made.made)["status"], "active")

    def test_10_a_position_that_does_not_come_ends_in_503(self):
        position = re.sub(r"\d+$", "999999999999", self.subscription.made.position)
        started = time.monotonic()
        said = self.broker.ask("GET", self.subscription.path, self.practice.token, headers={"Tidings-Position": position})
        self.assertEqual(said.status, 503)
        self.assertIn("Retry-After", said.headers)
        self.assertGreater(time.monotonic() - started, 9)
        said = self.broker.ask("GET", self.subscription.path, self.practice.token, headers={"Tidings-Position": "nonsense"})
        self.assertEqual(said.status, 400)


if __name__ == "__main__":
    tidings.main()
