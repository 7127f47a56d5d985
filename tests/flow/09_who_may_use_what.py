"""Tokens, roles, and objects that are somebody else's."""

import datetime
import json

import tidings
from tidings import until

PULL = {"kind": "pull"}


class WhoMay(tidings.Story):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        broker = cls.broker
        cls.hospital, cls.practice, cls.other = broker.hospital(), broker.practice(), broker.practice()
        cls.patient = broker.patient()
        cls.registration = cls.practice.register(cls.patient).json["id"]
        cls.subscription = cls.practice.subscribe()
        cls.tokens = {"operator": broker.operator}
        for role in ("publisher", "subscriber", "auditor", "metrics"):
            cls.tokens[role] = broker.token([cls.practice.id], [role])
        cls.routes = [
            ("GET", "/metrics", None, {"operator", "metrics"}),
            ("GET", "/status", None, {"operator", "metrics"}),
            ("POST", "/tokens", {"organisations": [cls.practice.id], "roles": ["auditor"]}, {"operator"}),
            ("POST", "/tokens/link", {"organisation": cls.practice.id}, {"operator"}),
            ("DELETE", "/tokens/nobody", None, {"operator"}),
            ("PUT", "/organisations/A81999", {"name": "Practice", "kind": "gp-practice"}, {"operator"}),
            ("GET", "/organisations", None, {"operator", "publisher", "subscriber"}),
            ("GET", f"/organisations/{cls.practice.id}", None, {"operator", "publisher", "subscriber"}),
            ("PUT", f"/subscribers/{cls.practice.id}-team", {"kind": "team", "organisation": cls.practice.id, "name": "Team"},
             {"operator", "subscriber"}),
            ("GET", f"/subscribers/{cls.practice.id}", None, {"operator", "subscriber"}),
            ("GET", "/subscribers", None, {"operator", "subscriber"}),
            ("GET", f"/registrations?subscriber={cls.practice.id}", None, {"operator", "subscriber"}),
            ("GET", "/subscriptions", None, {"operator", "subscriber"}),
            ("GET", cls.subscription.path, None, {"operator", "subscriber"}),
            ("GET", f"{cls.subscription.path}/alerts", None, {"subscriber"}),
            ("GET", f"{cls.subscription.path}/alerts/1", None, {"subscriber"}),
            ("POST", f"{cls.subscription.path}/receipts", {"number": 1, "state": "opened"}, {"subscriber"}),
            ("POST", "/patients/search", {"nhsNumber": cls.patient.nhs_number}, {"publisher", "subscriber"}),
            ("GET", "/worklist", None, {"operator", "publisher"}),
            ("GET", "/quarantine", None, {"operator"}),
            ("POST", "/events", {}, {"publisher"}),
        ]
        cls.subscription.get()

    def test_1_a_route_is_for_the_roles_it_is_for(self):
        for method, path, body, allowed in self.routes:
            for role, token in self.tokens.items():
                said = self.broker.ask(method, path, token, body)
                self.assertEqual(said.status == 403, role not in allowed, (method, path, role, said))
                self.assertNotEqual(said.status, 401)

    def test_2_without_a_valid_token_nothing_is_told(self):
        ended = self.broker.must(201, "POST", "/tokens", self.broker.operator,
                                 {"organisations": [self.practice.id], "roles": ["subscriber"]}).json
        self.broker.secrets.add(ended["token"].split(".", 1)[1])
        self.broker.must(200, "GET", "/subscriptions", ended["token"])
        self.broker.must(204, "DELETE", f"/tokens/{ended['id']}", self.broker.operator)
        until(lambda: self.broker.ask("GET", "/subscriptions", ended["token"]).status == 401, what="the end of the token")
        soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=1)
        short = self.broker.token([self.practice.id], ["operator"], expiresAt=soon.isoformat(timespec="milliseconds"))
        until(lambda: self.broker.ask("GET", "/status", short).status == 401, what="the end of its time")
        halves = [self.tokens["operator"].split(".")[0], self.tokens["subscriber"].split(".")[1]]
        for token in (None, "nonsense", ended["token"], short, ".".join(halves), halves[0] + ".", " ", self.broker.operator + "x"):
            for method, path, body, _ in self.routes + [("GET", "/nowhere", None, None), ("DELETE", "/status", None, None)]:
                said = self.broker.ask(method, path, token, body)
                self.assertEqual(said.status, 401, (method, path, token, said))
        said = self.broker.ask("GET", "/status", headers={"Authorization": "Basic b3BlcmF0b3I6"})
        self.assertEqual((said.status, said.headers["WWW-Authenticate"]), (401, "Bearer"))

    def test_3_health_needs_no_token(self):
        self.assertEqual(self.broker.ask("GET", "/health/live").status, 200)
        self.assertEqual(self.broker.ask("GET", "/health/ready").status, 200)

    def test_4_what_is_not_yours_is_as_if_it_were_not_there(self):
        nobody = "A81998.AAAAAAAAAAAAAAAAAAAAAA"
        theirs = self.other.token
        for method, path, body in (
            ("GET", "/subscriptions/{}", None), ("PATCH", "/subscriptions/{}", {"types": []}), ("DELETE", "/subscriptions/{}", None),
            ("GET", "/subscriptions/{}/alerts", None), ("GET", "/subscriptions/{}/alerts?after=1000", None),
            ("GET", "/subscriptions/{}/alerts/1", None), ("GET", "/subscriptions/{}/stream", None),
            ("POST", "/subscriptions/{}/receipts", {"number": 1, "state": "opened"}), ("POST", "/subscriptions/{}/pause", None),
            ("POST", "/subscriptions/{}/resume", None), ("POST", "/subscriptions/{}/replay", {"from": 1}),
        ):
            answers = [self.broker.ask(method, path.format(one), theirs, body) for one in (self.subscription.id, nobody)]
            self.assertEqual([one.status for one in answers], [404, 404], (method, path))
            self.assertEqual(answers[0].body, answers[1].body)
        nobody = self.registration[:-4] + "AAAA"
        answers = [self.broker.ask("POST", f"/registrations/{one}/end", theirs) for one in (self.registration, nobody)]
        self.assertEqual([one.status for one in answers], [404, 404])
        self.assertEqual(answers[0].body, answers[1].body)
        for path in (f"/registrations?subscriber={self.practice.id}", f"/subscribers/{self.practice.id}"):
            self.broker.must(404, "GET", path, theirs)
        self.assertEqual(self.broker.must(200, "GET", "/subscriptions", theirs).json["items"], [])
        self.subscription.get()

    def test_5_nobody_makes_anything_for_another(self):
        theirs = self.other.token
        made = ("POST", "/registrations", {"patient": self.patient.nhs_number, "subscriber": self.practice.id, "role": "gp"})
        self.assertEqual(self.broker.ask(*made[:2], theirs, made[2]).status, 404)
        self.broker.must(404, "POST", "/subscriptions", theirs, {"subscriber": self.practice.id, "channel": PULL})
        body = {"kind": "team", "organisation": self.practice.id, "name": "Team"}
        self.broker.must(404, "PUT", "/subscribers/a-team-of-mine", theirs, body)
        said = self.hospital.post(self.hospital.event("care-plan-changed-1", self.patient, source=self.other.source))
        self.assertEqual((said.status, set(said.json)), (403, {"errors"}))

    def test_6_the_operator_reads_no_patients_content_but_sees_what_there_is(self):
        for method, path, body in (("GET", f"{self.subscription.path}/alerts", None), ("GET", f"{self.subscription.path}/stream", None),
                                   ("POST", "/patients/search", {"nhsNumber": self.patient.nhs_number})):
            self.broker.must(403, method, path, self.broker.operator, body)
        listed = self.broker.must(200, "GET", f"/subscriptions?subscriber={self.practice.id}", self.broker.operator).json["items"]
        self.assertEqual([one["id"] for one in listed], [self.subscription.id])

    def test_7_one_token_can_act_for_many(self):
        both = self.broker.token([self.practice.id, self.other.id], ["subscriber"])
        second = self.other.subscribe()
        listed = self.broker.must(200, "GET", "/subscriptions", both, after=second.made).json["items"]
        self.assertEqual({one["subscriber"] for one in listed}, {self.practice.id, self.other.id})

    def test_8_paths_methods_and_sizes(self):
        token = self.practice.token
        self.broker.must(404, "GET", "/nowhere", token)
        self.broker.must(404, "GET", "/subscriptions//alerts", token)
        for method, path in (("PUT", "/subscriptions"), ("DELETE", "/status"), ("POST", "/worklist"), ("PATCH", "/registrations")):
            said = self.broker.must(405, method, path, token)
            self.assertEqual(said.headers["Content-Type"], "application/problem+json")
        for path in ("/subscriptions", "/registrations", "/patients/search", "/events"):
            self.broker.must(413, "POST", path, token, b'{"x":"' + b"x" * 1024 * 1024 + b'"}')
        self.broker.must(400, "POST", "/subscriptions", token, b'{"x":"' + b"x" * 1000 * 1000 + b'"}')

    def test_9_json_that_no_two_readers_would_read_alike_is_refused_everywhere(self):
        right = json.dumps({"subscriber": self.practice.id, "channel": PULL})
        deep = "[" * 40 + "]" * 40
        bad = [right[:-1] + ', "subscriber": "x"}', right + "x", right[:-1], "", "null", "[]", right[:-1] + f', "types": {deep}}}',
               right.replace("pull", "p\ud800ull").encode("utf-8", "surrogatepass"), right.encode() + b"\xff", right.encode("utf-16"),
               right[:-1] + ', "own": NaN}', right[:-1] + ", 'own': true}", right[:-1] + ', "own": null}']
        for path in ("/subscriptions", "/registrations", "/patients/search", f"{self.subscription.path}/receipts"):
            for body in bad:
                body = body if isinstance(body, bytes) else body.encode()
                said = self.broker.ask("POST", path, self.practice.token, body)
                self.assertEqual(said.status, 400, (path, body, said))
                self.assertEqual(said.headers["Content-Type"], "application/problem+json")
        for path, method in (("/tokens", "POST"), ("/organisations/A81997", "PUT"), ("/tokens/link", "POST")):
            for body in bad:
                body = body if isinstance(body, bytes) else body.encode()
                self.broker.must(400, method, path, self.broker.operator, body)
        listed = self.broker.must(200, "GET", "/subscriptions", self.tokens["subscriber"]).json["items"]
        self.assertEqual([one["id"] for one in listed], [self.subscription.id], "nothing was made")

    def test_10_a_correlation_id_comes_back(self):
        for method, path, token in (("GET", "/subscriptions", self.practice.token), ("GET", "/subscriptions/none", self.practice.token),
                                    ("POST", "/events", self.practice.token), ("GET", "/health/live", None)):
            said = self.broker.ask(method, path, token, headers={"X-Correlation-ID": "trace-17"})
            self.assertEqual(said.headers["X-Correlation-ID"], "trace-17", (method, path))

    def test_11_two_organisations_share_no_name_and_no_source(self):
        broker = self.broker
        first = broker.hospital(hl7Names=["A NAME OF ITS OWN"])
        body = {"name": "Another", "kind": "hospital"}
        for clash in ({"hl7Names": ["A NAME OF ITS OWN"]}, {"sources": [first.source]}):
            broker.must(409, "PUT", "/organisations/TAKEN9", broker.operator, {**body, **clash})
        broker.must(404, "GET", "/organisations/TAKEN9", broker.operator)
        same = {"name": "The same", "kind": "hospital", "hl7Names": ["A NAME OF ITS OWN"], "sources": [first.source]}
        changed = broker.must(200, "PUT", f"/organisations/{first.id}", broker.operator, same)
        shown = broker.must(200, "GET", f"/organisations/{first.id}", broker.operator, after=changed)
        self.assertEqual(shown.json["name"], "The same")


if __name__ == "__main__":
    tidings.main()
