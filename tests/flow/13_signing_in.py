"""A person's session, by a link that works once, or by a token; and what a page of another site cannot do with it."""

import http.cookies
import json

import tidings
from tidings import until


class ASession(tidings.Story):
    def setUp(self):
        self.hospital, self.patient = self.broker.hospital(), self.broker.patient()
        self.practice = self.broker.practice()
        self.practice.register(self.patient)
        self.subscription = self.practice.subscribe()
        self.subscription.get()

    def link(self):
        code = self.broker.must(201, "POST", "/tokens/link", self.broker.operator, {"organisation": self.practice.id}).json["code"]
        self.broker.secrets.add(code.split(".", 1)[1])
        return code

    def sign_in(self, **how):
        """The cookie's name and value, and what it says of itself."""
        said = self.broker.must(201, "POST", "/session", body=how)
        cookie = http.cookies.SimpleCookie(said.headers["Set-Cookie"])
        ((name, morsel),) = cookie.items()
        self.broker.secrets.add(morsel.value.split(".", 1)[1])
        return {"Cookie": f"{name}={morsel.value}"}, morsel, said

    def status(self, cookie, method="GET", path="/subscriptions", body=None, **headers):
        return self.broker.ask(method, path, body=body, headers={**cookie, **headers}).status

    def test_1_a_link_signs_in_as_subscriber_of_its_organisation(self):
        cookie, morsel, said = self.sign_in(code=self.link())
        self.assertTrue(morsel["httponly"])
        self.assertEqual((morsel["samesite"], morsel["path"]), ("Strict", "/"))
        self.assertGreater(int(morsel["max-age"]), 0)
        self.assertEqual(said.json["organisations"], [self.practice.id])
        self.assertNotIn(morsel.value, json.dumps(said.json), "the page's script never has it")
        listed = self.broker.ask("GET", "/subscriptions", headers=cookie).json["items"]
        self.assertEqual([one["id"] for one in listed], [self.subscription.id])
        self.assertEqual(self.status(cookie, path="/status"), 403)
        self.assertEqual(self.status(cookie, path="/worklist"), 403)

    def test_2_once(self):
        code = self.link()
        cookie = self.sign_in(code=code)[0]
        until(lambda: self.broker.ask("POST", "/session", body={"code": code}).status == 401, what="its end")
        self.assertEqual(self.status(cookie), 200)

    def test_3_a_code_is_not_a_token_and_a_token_not_a_code(self):
        code = self.link()
        self.assertEqual(self.broker.ask("GET", "/subscriptions", code).status, 401)
        self.assertEqual(self.broker.ask("POST", "/session", body={"token": code}).status, 401)
        self.assertEqual(self.broker.ask("POST", "/session", body={"code": self.practice.token}).status, 401)
        for body in ({}, {"code": "nonsense"}, {"token": ""}, {"code": 1}, []):
            self.assertIn(self.broker.ask("POST", "/session", body=body).status, (400, 401), body)

    def test_4_a_token_signs_in_with_what_it_may(self):
        cookie = self.sign_in(token=self.practice.token)[0]
        self.assertEqual(self.status(cookie), 200)
        self.assertEqual(self.status(cookie, path="/worklist"), 200)

    def test_5_a_session_streams_as_browsers_do_it(self):
        cookie = self.sign_in(code=self.link())[0]
        with tidings.wire.Stream(self.broker.http, f"{self.subscription.path}/stream", headers=cookie) as stream:
            self.assertEqual(stream.line(), "id: 0")
            self.hospital.tell("A01", self.patient)
            self.assertEqual(stream.event().id, "1")
        body = {"number": 1, "state": "opened", "by": self.patient.given}
        self.assertEqual(self.status(cookie, "POST", f"{self.subscription.path}/receipts", body), 204)

    def test_6_signing_out_ends_it(self):
        cookie = self.sign_in(code=self.link())[0]
        other = self.sign_in(code=self.link())[0]
        said = self.broker.ask("DELETE", "/session", headers=cookie)
        self.assertEqual(said.status, 204)
        self.assertIn("Max-Age=0", said.headers["Set-Cookie"])
        until(lambda: self.status(cookie) == 401, what="its end")
        self.assertEqual(self.status(other), 200)

    def test_7_another_sites_page_changes_nothing_with_it(self):
        cookie = self.sign_in(code=self.link())[0]
        path, body = f"{self.subscription.path}/pause", None
        for site in ("cross-site", "same-site"):
            self.assertEqual(self.status(cookie, "POST", path, body, **{"Sec-Fetch-Site": site}), 401)
        self.assertEqual(self.subscription.get()["status"], "active")
        self.assertEqual(self.status(cookie, "POST", path, body, **{"Sec-Fetch-Site": "same-origin"}), 200)

    def test_8_it_lives_on_over_a_restart(self):
        cookie = self.sign_in(code=self.link())[0]
        unused = self.link()
        self.broker.restart()
        self.assertEqual(self.status(cookie), 200)
        self.sign_in(code=unused)

    def test_9_the_page_and_its_files_need_no_session_and_bring_nothing_from_elsewhere(self):
        page = self.broker.must(200, "GET", "/")
        self.assertTrue(page.headers["Content-Type"].startswith("text/html"))
        policy = page.headers["Content-Security-Policy"]
        self.assertIn("default-src 'self'", policy)
        self.assertIn("frame-ancestors 'none'", policy)
        self.assertEqual(page.headers["X-Content-Type-Options"], "nosniff")
        self.assertNotIn(b"http://", page.body)
        self.assertNotIn(b"https://", page.body)


if __name__ == "__main__":
    tidings.main()
