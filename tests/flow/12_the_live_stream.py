"""Server-sent events: it says where it starts, goes on where one left, and has neither gap nor double."""

import threading
import time

import tidings
from tidings import until


class TheStream(tidings.Story):
    def setUp(self):
        self.hospital, self.patient = self.broker.hospital(), self.broker.patient()
        self.practice = self.broker.practice()
        self.practice.register(self.patient)
        self.subscription = self.practice.subscribe()

    def publish(self, count=1):
        for _ in range(count):
            last = self.hospital.publish("care-plan-changed-1", self.patient)
        return last

    def listen(self, headers=None, **query):
        stream = self.subscription.stream(headers, **query)
        self.addCleanup(stream.close)
        return stream

    def test_1_it_begins_with_the_number_it_starts_from_which_is_now(self):
        self.publish(3)
        self.subscription.alerts(3)
        stream = self.listen()
        self.assertEqual(stream.status, 200)
        self.assertTrue(stream.response.headers["Content-Type"].startswith("text/event-stream"))
        self.assertEqual(stream.response.headers["Cache-Control"], "no-store")
        self.assertEqual(stream.line(), "id: 3")
        self.assertEqual(stream.line(), "")
        self.publish()
        self.assertEqual(stream.line(), "id: 4")
        self.assertEqual(stream.line(), "event: alert")
        self.assertTrue(stream.line().startswith('data: {"specversion":"1.0"'))
        self.assertEqual(stream.line(), "")

    def test_2_after_a_number_it_begins_with_what_was_missed(self):
        self.publish(5)
        self.subscription.alerts(5)
        for stream in (self.listen(after=2), self.listen({"Last-Event-ID": "2"}), self.listen({"Last-Event-ID": "2"}, after=0)):
            self.assertEqual(stream.line(), "id: 2")
            self.assertEqual([stream.event().id for _ in range(3)], ["3", "4", "5"])
        self.publish()
        self.assertEqual(stream.event().id, "6")

    def test_3_a_long_past_is_replayed_whole(self):
        batch = [self.hospital.event("care-plan-changed-1", self.patient) for _ in range(500)]
        self.assertEqual(self.hospital.post(batch, headers={"Content-Type": "application/cloudevents-batch+json"}).status, 200)
        self.subscription.alerts(500)
        stream = self.listen(after=0)
        self.assertEqual([int(stream.event().id) for _ in range(500)], list(range(1, 501)))

    def test_4_it_shows_the_same_alerts_as_a_pull(self):
        stream = self.listen(after=0)
        self.hospital.tell("A01", self.patient)
        self.hospital.tell("A11", self.patient)
        self.assertEqual([stream.event().alert for _ in range(2)], self.subscription.alerts(2))

    def test_5_a_number_that_was_never_given_is_a_conflict(self):
        for stream in (self.listen(after=1), self.listen({"Last-Event-ID": "1"})):
            self.assertEqual(stream.status, 409)
        for stream in (self.listen(after="x"), self.listen({"Last-Event-ID": "-1"})):
            self.assertEqual(stream.status, 400)

    def test_6_a_comment_comes_when_nothing_else_does(self):
        stream = self.listen()
        self.assertEqual(stream.block(), ["id: 0"])
        started = time.monotonic()
        lines = stream.block(within=11)
        self.assertTrue(lines[0].startswith(":"), lines)
        self.assertLess(time.monotonic() - started, 11)

    def test_7_cut_and_resumed_while_alerts_come_it_has_no_gap_and_no_double(self):
        total = 300
        publisher = threading.Thread(target=self.publish, args=(total,))
        publisher.start()
        seen, cuts = [], 0
        while len(seen) < total:
            last = {"Last-Event-ID": str(seen[-1])} if seen else {}
            with self.subscription.stream(last, **({} if seen else {"after": 0})) as stream:
                self.assertEqual(stream.line(), f"id: {seen[-1] if seen else 0}")
                for _ in range(min(37, total - len(seen))):
                    seen.append(int(stream.event().id))
            cuts += 1
        publisher.join()
        self.assertEqual(seen, list(range(1, total + 1)))
        self.assertGreater(cuts, 5)

    def test_8_many_readers_have_the_same(self):
        streams = [self.listen() for _ in range(30)]
        self.assertEqual({stream.line() for stream in streams}, {"id: 0"})
        self.publish(10)
        texts = [[stream.event().data for _ in range(10)] for stream in streams]
        self.assertTrue(all(one == texts[0] for one in texts))

    def test_9_others_have_none_of_it(self):
        other = self.broker.practice()
        for token, status in ((other.token, 404), (self.broker.operator, 403), (None, 401)):
            with tidings.wire.Stream(self.broker.http, f"{self.subscription.path}/stream", token) as stream:
                self.assertEqual(stream.status, status)

    def test_10_the_broker_knows_how_many_listen(self):
        def live():
            metrics = self.broker.must(200, "GET", "/metrics", self.broker.operator).body.decode()
            return next(float(line.split()[1]) for line in metrics.splitlines() if line.startswith("tidings_subscribers_live"))

        before = live()
        streams = [self.subscription.stream() for _ in range(5)]
        until(lambda: live() == before + 5, what="five more")
        for stream in streams:
            stream.close()
        until(lambda: live() == before, what="five fewer")


if __name__ == "__main__":
    tidings.main()
