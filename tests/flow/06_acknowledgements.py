"""Which answers a sender gets: the original mode, and the enhanced one with its conditions."""

import tidings
import wire


class Acknowledgements(tidings.Story):
    def setUp(self):
        self.hospital, self.patient = self.broker.hospital(), self.broker.patient()
        self.connection = self.hospital.mllp()
        self.addCleanup(self.connection.close)

    def answers(self, accept, application, right=True):
        """What is answered to one message; another one in the original mode says that there is no more."""
        processing = "P" if right else "T"
        self.connection.send(self.hospital.adt("A01", self.patient, accept=accept, application=application,
                                               processing=processing, control_id=f"ASK.{accept}.{application}.{right}"))
        self.connection.send(self.hospital.adt("A08", self.patient, control_id="LAST"))
        codes = []
        while True:
            said = self.connection.receive()
            if said.control_id == "LAST":
                self.assertEqual(said.code, "AA")
                return codes
            self.assertEqual(said.control_id, f"ASK.{accept}.{application}.{right}")
            codes.append(said.code)

    def test_1_original_mode(self):
        self.assertEqual(self.answers("", ""), ["AA"])
        self.assertEqual(self.answers("", "", right=False), ["AR"])

    def test_2_enhanced_mode(self):
        for accept, application, right, wrong in (
            ("AL", "", ["CA"], ["CR"]), ("AL", "NE", ["CA"], ["CR"]), ("AL", "AL", ["CA", "AA"], None), ("NE", "AL", ["AA"], ["AR"]),
            ("NE", "NE", [], []), ("ER", "NE", [], ["CR"]), ("SU", "NE", ["CA"], []), ("", "AL", ["AA"], ["AR"]), ("", "NE", [], []),
            ("NE", "ER", [], ["AR"]), ("NE", "SU", ["AA"], []), ("", "SU", ["AA"], []), ("SU", "ER", ["CA"], ["AR"]),
        ):
            with self.subTest(accept=accept, application=application):
                self.assertEqual(self.answers(accept, application), right)
                if wrong is not None:
                    self.assertEqual(self.answers(accept, application, right=False), wrong)

    def test_3_an_answer_names_its_message_and_turns_sender_and_receiver_round(self):
        said = self.connection.ask(self.hospital.adt("A01", self.patient, control_id="ID-with.dots/17"))
        self.assertEqual(said.control_id, "ID-with.dots/17")
        msh = said.fields("MSH")
        self.assertEqual(msh[2:6], ["TIDINGS", "REGION", "PAS", self.hospital.id])
        self.assertEqual(msh[8].split("^")[0], "ACK")
        self.assertEqual((msh[10], msh[11]), ("P", "2.4"))

    def test_4_answers_come_in_the_order_received_also_when_many_are_in_flight(self):
        ids = [f"ORDER{count:03}" for count in range(200)]
        messages = [self.hospital.adt("A01" if count % 3 else "A08", self.patient, control_id=one, spell=f"V{count}",
                                      processing="T" if count % 7 == 0 else "P") for count, one in enumerate(ids)]
        self.connection.send_bytes(b"".join(map(wire.frame, messages)))
        answers = [self.connection.receive() for _ in ids]
        self.assertEqual([one.control_id for one in answers], ids)
        self.assertEqual([one.code for one in answers], ["AR" if count % 7 == 0 else "AA" for count in range(200)])

    def test_5_an_answer_to_one_with_other_delimiters_uses_them(self):
        message = self.hospital.adt("A01", self.patient, control_id="DELIMITERS")
        turned = message.translate(str.maketrans({"|": "#", "^": ":", "~": "*", "\\": "!", "&": "%"}))
        self.connection.send(turned)
        self.assertIn("MSA#AA#DELIMITERS", self.connection.receive().text)

    def test_6_acknowledgements_are_not_answered(self):
        self.connection.send(tidings.world.msh(self.hospital.id, "ACK^A01", "NOANSWER") + "\rMSA|AA|X\r")
        self.assertEqual(self.connection.ask(self.hospital.adt("A08", self.patient, control_id="NEXT")).control_id, "NEXT")


if __name__ == "__main__":
    tidings.main()
