"""The messages of TIDINGS_SIMHOSPITAL go in over MLLP; a CA for each, and exactly the alerts of the independent count come out."""

import os
import sys
from pathlib import Path

import compare
from compare import Comparison, Message, tidings
from count import messages_of


class SimHospital(tidings.Story):
    def test_1_every_message_is_acknowledged_and_the_alerts_are_those_counted(self):
        broker = self.broker
        messages = messages_of(Path(os.environ["TIDINGS_SIMHOSPITAL"]).read_bytes())
        broker.hospital(hl7Names=["SFAC"], processingIds=["T"])
        practice, home, team = broker.practice(), broker.care_home(), broker.community()
        comparison = Comparison(broker)
        comparison.subscribe("practice", practice)
        comparison.subscribe("home", home)
        comparison.subscribe("team", team, types=["encounter-*-1"], roles=["community"])
        comparison.subscribe("discharges", practice, types=["encounter-discharged-1"])
        numbers = sorted({one for one in (Message(text).nhs_number() for text in messages) if one})
        for place, number in enumerate(numbers):
            broker.secrets.add(number)
            for every, organisation, role in ((1, practice, "gp"), (3, home, "care-home"), (7, team, "community")):
                if place % every == 0:
                    body = {"patient": number, "subscriber": organisation.id, "role": role}
                    broker.must(201, "POST", "/registrations", organisation.token, body)
                    comparison.count.register(number, organisation.id, role)
        comparison.send(messages)
        self.assertEqual(comparison.answers, ["CA"] * len(messages))
        counted = comparison.check(self)
        untrusted = [text for text in messages if Message(text).trigger == "A01" and Message(text).nhs_number() is None]
        print(f"{len(messages)} messages, {len(numbers)} patients, {len(untrusted)} admissions without a trusted number: {counted}")
        self.assertGreater(counted["practice"], 0)

    def test_2_sent_again_they_are_acknowledged_and_tell_nothing_new(self):
        messages = messages_of(Path(os.environ["TIDINGS_SIMHOSPITAL"]).read_bytes())
        again = Comparison(self.broker)
        again.send(messages)
        self.assertEqual(again.answers, ["CA"] * len(messages))


if __name__ == "__main__":
    if not os.environ.get("TIDINGS_SIMHOSPITAL"):  # also in CI: the file is not part of the project
        print("SKIPPED: TIDINGS_SIMHOSPITAL names no file of HL7 messages (SimHospital's messages.out)")
        sys.exit(tidings.CANNOT_RUN_HERE)
    compare.main()
