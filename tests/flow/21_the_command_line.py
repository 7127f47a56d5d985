"""The commands of `tidings`, as a person types them: thin clients of the routes, and the simulator."""

import json
import os
import re
import subprocess
import unittest

import tidings
from tidings import PROGRAM, until

DONE, COULD_NOT, WRONG_USAGE = 0, 1, 2


class Commands(tidings.Story):
    def setUp(self):
        self.hospital, self.practice, self.patient = self.broker.hospital(), self.broker.practice(), self.broker.patient()

    def run_command(self, *words, status=DONE, given="", **environment):
        """What `tidings words` prints."""
        said = subprocess.run([PROGRAM, *words], input=given, capture_output=True, text=True, timeout=120, check=False,
                              env={**os.environ, **environment})
        self.assertEqual(said.returncode, status, (words, said.stdout, said.stderr))
        if status == DONE:
            return said.stdout
        self.assertTrue(said.stderr.strip(), words)
        return said.stderr

    def tidings(self, *words, **more):
        return self.run_command(*words, "--data", str(self.broker.data), **more)

    def tidings_json(self, *words, **more):
        return json.loads(self.tidings(*words, "--json", **more))

    def subscription(self):
        self.tidings("register", "add", self.practice.id, "--patient", "-", "--role", "gp", given=self.patient.nhs_number + "\n")
        return self.tidings("subscribe", "add", self.practice.id).split()[0]

    def test_1_organisations_and_others_who_can_be_told(self):
        self.tidings("organisation", "add", "CLI1", "--name", "Command Line Hospital", "--kind", "hospital", "--hl7-name", "CLI ONE",
                     "--source", "urn:cli1", "--processing-id", "P", "--processing-id", "T")
        shown = self.tidings_json("organisation", "show", "CLI1")
        self.assertEqual((shown["name"], shown["hl7Names"], shown["processingIds"]), ("Command Line Hospital", ["CLI ONE"], ["P", "T"]))
        self.assertIn("CLI1", self.tidings("organisation", "list"))
        self.tidings("subscriber", "add", "CLI1-team", "--kind", "team", "--organisation", "CLI1", "--name", "A team")
        self.assertIn("CLI1-team", self.tidings("subscriber", "list"))
        self.assertIn("A team", self.tidings("subscriber", "show", "CLI1-team"))
        self.assertIn("hl7Names", self.tidings("organisation", "add", "CLI2", "--name", "Another", "--kind", "hospital", "--hl7-name",
                                               "CLI ONE", status=COULD_NOT))

    def test_2_registrations_and_subscriptions_from_beginning_to_end(self):
        made = self.tidings("register", "add", self.practice.id, "--patient", "-", "--role", "gp", given=self.patient.nhs_number).split()[0]
        self.assertIn(made, self.tidings("register", "list", "--subscriber", self.practice.id))
        self.tidings("register", "end", made)
        listed = until(lambda: [one for one in self.tidings_json("register", "list", "--subscriber", self.practice.id)["items"]
                                if one["id"] == made and "until" in one], what="its end")
        self.assertEqual(listed[0]["role"], "gp")
        name = self.tidings("subscribe", "add", self.practice.id, "--type", "encounter-*-1", "--payload", "id-only").split()[0]
        shown = self.tidings_json("subscribe", "show", name)
        self.assertEqual((shown["types"], shown["payload"], shown["status"]), (["encounter-*-1"], "id-only", "active"))
        self.assertIn(name, self.tidings("subscribe", "list", "--subscriber", self.practice.id))
        self.tidings("subscribe", "end", name)
        until(lambda: self.tidings_json("subscribe", "show", name)["status"] == "ended", what="its end")

    def test_3_events_from_files_become_alerts(self):
        subscription = self.subscription()
        room = self.broker.room / "files"
        room.mkdir(exist_ok=True)
        (room / "one.hl7").write_text("".join(self.hospital.adt(trigger, self.patient).replace("\r", "\n") for trigger in ("A01", "A03")))
        (room / "one.json").write_text(json.dumps(self.hospital.event("care-plan-changed-1", self.patient)))
        (room / "two.json").write_text(json.dumps([self.hospital.event("care-plan-changed-1", self.patient) for _ in range(2)]))
        try:
            self.tidings("publish", str(room / "one.hl7"))
            self.tidings("publish", str(room / "one.json"), str(room / "two.json"), "--as", self.hospital.id)
            refused = self.tidings("publish", "-", given=self.hospital.adt("A01", self.patient, processing="T", control_id="CLIREFUSED"),
                                   status=COULD_NOT)
            self.assertIn("CLIREFUSED", refused)
        finally:
            tidings.shutil.rmtree(room)
        alerts = until(lambda: self.alerts(subscription, 5), what="five alerts")
        self.assertEqual([one["type"] for one in alerts], ["encounter-admitted-1", "encounter-discharged-1"] + ["care-plan-changed-1"] * 3)
        self.assertEqual([one["data"]["number"] for one in alerts], [1, 2, 3, 4, 5])
        self.assertEqual([one["data"]["number"] for one in self.alerts(subscription, 2, "--after", "3")], [4, 5])
        self.assertIn("encounter-admitted-1", self.tidings("alerts", subscription))

    def alerts(self, subscription, count, *options):
        lines = self.tidings("alerts", subscription, "--json", *options).splitlines()
        return [json.loads(line) for line in lines] if len(lines) == count else None

    def test_4_alerts_are_followed_until_it_is_stopped(self):
        subscription = self.subscription()
        command = [PROGRAM, "alerts", subscription, "--json", "--follow", "--data", str(self.broker.data)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as follower:
            self.addCleanup(follower.kill)
            for number, trigger in enumerate(("A01", "A03", "A13"), 1):
                self.hospital.tell(trigger, self.patient)
                self.assertEqual(json.loads(follower.stdout.readline())["data"]["number"], number)
            follower.terminate()
            self.assertEqual(follower.wait(10), DONE)

    def test_5_tokens_and_links(self):
        token = self.tidings("token", "add", "--organisation", self.practice.id, "--role", "subscriber").split()[-1]
        self.broker.secrets.add(token.split(".", 1)[1])
        url = f"http://{self.broker.http}"
        listed = self.run_command("subscribe", "list", "--subscriber", self.practice.id, TIDINGS_URL=url, TIDINGS_TOKEN=token)
        self.assertIsInstance(listed, str)
        self.run_command("organisation", "add", "CLI5", "--name", "X", "--kind", "hospital", TIDINGS_URL=url, TIDINGS_TOKEN=token,
                         status=COULD_NOT)
        self.tidings("token", "end", token.split(".")[0])
        until(lambda: self.broker.ask("GET", "/subscriptions", token).status == 401, what="its end")
        link = self.tidings("token", "link", self.practice.id).strip()
        code = re.fullmatch(rf"http://{re.escape(self.broker.http)}/#code=(\S+)", link).group(1)
        self.broker.secrets.add(code.split(".", 1)[1])
        said = self.broker.must(201, "POST", "/session", body={"code": code})
        self.broker.secrets.add(said.headers["Set-Cookie"].split(";")[0].split(".", 1)[1])

    def test_6_status(self):
        status = self.tidings_json("status")
        self.assertEqual((status["logHealthy"], status["quarantined"]), (True, 0))
        self.assertIn("match", self.tidings("status"))

    def test_7_what_is_wrong_is_said_and_the_exit_tells(self):
        for words in (["alerts", "nobody.nothing"], ["subscribe", "show", "nobody.nothing"], ["replay", self.subscription(), "--from", "1"],
                      ["register", "add", self.practice.id, "--patient", "123", "--role", "gp"], ["publish", "/nowhere.json"]):
            self.tidings(*words, status=COULD_NOT)
        for words in ([], ["dance"], ["organisation"], ["organisation", "add"], ["alerts"], ["status", "--colour", "blue"],
                      ["alerts", "x", "--after", "many"], ["token", "link"]):
            self.run_command(*words, status=WRONG_USAGE)
        self.run_command("status", "--url", "http://127.0.0.1:9", TIDINGS_TOKEN="x.y", status=COULD_NOT)

    def test_8_every_command_has_help(self):
        commands = re.findall(r"^  ([a-z]+(?: [a-z]+)?) +", self.run_command("--help"), re.MULTILINE)
        self.assertGreater(len(commands), 15)
        for command in commands:
            self.assertIn("--", self.run_command(*command.split(), "--help"), command)

    def test_9_a_log_is_verified_beside_a_running_broker(self):
        self.hospital.tell("A01", self.patient)
        self.broker.verify()


class TheSimulator(unittest.TestCase):
    """On a broker of its own: it makes organisations of its own."""

    def test_1_a_simulated_region_misses_nothing(self):
        broker = tidings.Broker()
        self.addCleanup(broker.destroy)
        broker.start()
        command = [PROGRAM, "simulate", "--hospitals", "2", "--patients", "60", "--rate", "100", "--for", "4s", "--seed", "7", "--json"]
        said = subprocess.run([*command, "--data", str(broker.data)], capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(said.returncode, DONE, said.stdout + said.stderr)
        counted = json.loads(said.stdout.splitlines()[-1])
        self.assertGreater(counted["sent"], 100)
        self.assertEqual(counted["sent"], counted["acknowledged"] + counted["rejected"], counted)
        broker.finish()


if __name__ == "__main__":
    tidings.main()
