"""HL7 that cannot be taken: one defined answer each, an item on the work list named by its MSH-10, and nothing else is lost."""

import tidings
from tidings import kinds, until, world


class ARefusedMessage(tidings.Story):
    def setUp(self):
        self.hospital, self.patient = self.broker.hospital(), self.broker.patient()
        self.practice = self.broker.practice()
        self.practice.register(self.patient)
        self.subscription = self.practice.subscribe()
        self.connection = self.hospital.mllp()
        self.addCleanup(self.connection.close)

    def items(self, hospital=None):
        return self.broker.work_list((hospital or self.hospital).token)

    def refused(self, message, error, at, control_id):
        """The answer is AR with this code, it is on the work list, and the connection lives."""
        said = self.connection.ask(message)
        self.assertEqual((said.code, said.control_id, said.error), ("AR", control_id, error), said.text)
        self.assertEqual(said.at, at, said.text)
        if control_id:
            (item,) = until(lambda: [one for one in self.items() if one.get("messageId") == control_id], what="the item")
            self.assertEqual((item["kind"], item["code"], item["organisation"]), ("refused", error, self.hospital.id))
            self.assertTrue(item["why"])
        self.assertEqual(self.connection.ask(self.hospital.adt("A08", self.patient)).code, "AA")

    def lines(self, control_id, **more):
        return self.hospital.adt("A01", self.patient, control_id=control_id, **more).split("\r")

    def test_1_segments_missing_or_repeated(self):
        def message(control_id, *keep):
            lines = self.lines(control_id)
            return "\r".join(lines[number] for number in keep) + "\r"

        self.refused(message("NOPID", 0, 1, 3), "100", "PID", "NOPID")
        self.refused(message("NOPV1", 0, 1, 2), "100", "PV1", "NOPV1")
        self.refused(message("TWOPID", 0, 1, 2, 2, 3), "100", "PID", "TWOPID")
        self.refused(message("TWOPV1", 0, 1, 2, 3, 3), "100", "PV1", "TWOPV1")
        self.refused(message("TWOMSH", 0, 1, 2, 3, 0, 1, 2, 3), "100", "MSH", "TWOMSH")
        self.assertEqual(self.connection.ask(message("NOEVN", 0, 2, 3)).code, "AA", "EVN is optional")

    def test_2_what_a_header_must_say(self):
        adt = self.hospital.adt
        self.refused(adt("A01", self.patient, processing="T", control_id="TRAINING"), "202", "MSH-11", "TRAINING")
        self.refused(adt("A01", self.patient, _9="", control_id="NOTYPE"), "200", "MSH-9", "NOTYPE")
        message = adt("A01", self.patient, _9="ADT", control_id="NOTRIGGER").replace("EVN|A01", "EVN|")
        self.refused(message, "201", "MSH-9", "NOTRIGGER")
        self.refused(adt("A01", self.patient, _10="", control_id=""), "101", "MSH-10", "")
        self.refused(adt("A01", self.patient, control_id="X" * 200), "102", "MSH-10", "X" * 200)
        self.assertEqual(self.connection.ask(adt("A01", self.patient, control_id="X" * 199)).code, "AA")

    def test_3_an_unknown_sender_is_the_operators_to_look_at(self):
        said = self.connection.ask(world.adt("A01", self.patient, "NOBODY", control_id="UNKNOWN1"))
        self.assertEqual((said.code, said.error), ("AR", "103"))
        items = until(lambda: [one for one in self.broker.work_list(self.broker.operator) if one.get("messageId") == "UNKNOWN1"])
        self.assertEqual(items[0]["organisation"], "")
        self.assertEqual([one for one in self.items() if one.get("messageId") == "UNKNOWN1"], [])
        self.assertEqual(self.connection.ask(self.hospital.adt("A08", self.patient)).code, "AA")

    def test_4_a_sender_is_known_by_its_code_its_sites_and_its_names(self):
        named = self.broker.hospital(hl7Names=["NAMED HOSPITAL"])
        for name in (named.id, f"{named.id}02", "NAMED HOSPITAL"):
            self.assertEqual(self.connection.ask(world.adt("A01", self.patient, name, spell=name)).code, "AA", name)
        self.assertEqual([one["data"]["publisher"] for one in self.subscription.alerts(3)], [named.id] * 3)

    def test_5_a_sender_that_may_not_send_from_here(self):
        far = self.broker.hospital(mllpPeers=["10.0.0.0/8"])
        said = self.connection.ask(far.adt("A01", self.patient, control_id="FAR1"))
        self.assertEqual((said.code, said.error), ("AR", "207"))
        until(lambda: [one for one in self.items(far) if one["messageId"] == "FAR1"], what="the item")

    def test_6_wrong_delimiters(self):
        message = self.hospital.adt("A01", self.patient, control_id="DELIM")
        for head, at in (("MSH|^~\\|", "MSH-2"), ("MSH|^^\\&|", "MSH-2"), ("MSH|^~\\&&&|", "MSH-2"), ("MSH||", "MSH-2")):
            said = self.connection.ask(head + message[len("MSH|^~\\&|"):])
            self.assertEqual((said.code, said.error), ("AR", "102"), head)
            self.assertEqual(said.at, at, said.text)
        said = self.connection.ask("MSH" + message[4:])
        self.assertEqual(said.code, "AR")
        said = self.connection.ask("PID|1\r")
        self.assertEqual((said.code, said.error), ("AR", "100"))
        said = self.connection.ask("")
        self.assertEqual((said.code, said.error), ("AR", "100"))
        self.assertEqual(self.connection.ask(self.hospital.adt("A08", self.patient)).code, "AA")

    def test_7_a_bad_date_falls_back_to_the_next_and_is_on_the_work_list(self):
        said = self.connection.ask(self.hospital.adt("A01", self.patient, admitted="20261399", control_id="BADDATE1"))
        self.assertEqual(said.code, "AA")
        self.assertEqual(self.subscription.alerts(1)[0]["time"], "2026-11-24T10:00:00.000Z", "EVN-2")
        (item,) = until(lambda: [one for one in self.items() if one["messageId"] == "BADDATE1"])
        self.assertEqual((item["kind"], item["at"]), ("bad-time", "PV1-44"))

    def test_8_a_message_without_any_readable_time_is_refused(self):
        message = self.hospital.adt("A01", self.patient, admitted="soon", time="never", control_id="NOTIME")
        self.refused(message, "102", "PV1-44", "NOTIME")

    def test_9_an_untrusted_nhs_number_is_taken_under_the_local_number_and_is_on_the_work_list(self):
        numbers = f"{self.patient.mrn}^^^{self.hospital.id}^MR~{self.patient.untrusted_number()}^^^NHS^NH"
        self.hospital.tell("A01", self.patient, numbers=numbers, control_id="UNTRUSTED1")
        (item,) = until(lambda: [one for one in self.items() if one["messageId"] == "UNTRUSTED1"])
        self.assertEqual(item["kind"], "untrusted-nhs-number")
        self.assertNotIn(self.patient.untrusted_number(), str(item))
        self.assertEqual(self.hospital.mark(self.patient, self.subscription), [[]], "told to nobody by that number")

    def test_10_or_it_is_refused_where_the_organisation_says_so(self):
        strict = self.broker.hospital(untrustedNhsNumber="reject")
        numbers = f"{self.patient.mrn}^^^{strict.id}^MR~{self.patient.untrusted_number()}^^^NHS^NH"
        said = self.connection.ask(strict.adt("A01", self.patient, numbers=numbers, control_id="UNTRUSTED2"))
        self.assertEqual((said.code, said.error), ("AR", "102"))
        (item,) = until(lambda: [one for one in self.items(strict) if one["messageId"] == "UNTRUSTED2"])
        self.assertEqual((item["kind"], item["code"]), ("refused", "102"))

    def test_11_a_missing_nhs_number_is_no_error_where_a_local_number_is_there(self):
        self.hospital.tell("A03", self.patient, numbers=f"{self.patient.mrn}^^^{self.hospital.id}^MR", control_id="MISSING1")
        (item,) = until(lambda: [one for one in self.items() if one["messageId"] == "MISSING1"])
        self.assertEqual(item["kind"], "missing-nhs-number")
        for numbers in ("", "~", "^^^NHS^NH"):
            self.refused(self.hospital.adt("A01", self.patient, numbers=numbers, control_id=f"NOBODY{len(numbers)}"),
                         "101", "PID-3", f"NOBODY{len(numbers)}")

    def test_12_every_shape_of_identifier_is_read(self):
        number, mrn = self.patient.nhs_number, self.patient.mrn
        spaced = f"{number[:3]} {number[3:6]} {number[6:]}"
        self.broker.secrets.add(spaced)
        shapes = (f"{number}^^^NHS^NH", f"{number}^^^NHSNBR^NHSNMBR", f"{number}^^^^NHS", f"{spaced}^NSTS01^^NHS^NHS",
                  f"~{number}^^^NHS^NH", f'{mrn}^^^NOC-MRN^MRN^""~{number}^^^NHS^NH', f"{mrn}^^^{self.hospital.id}^MR~{number}^^^NHS^NH")
        for count, shape in enumerate(shapes):
            self.hospital.tell("A01", self.patient, spell=f"V{count}", numbers=shape)
        self.assertEqual([one["subject"] for one in self.subscription.alerts(len(shapes))], [number] * len(shapes))

    def test_13_line_ends_character_sets_escapes_and_unknown_segments_as_feeds_send_them(self):
        message = self.hospital.adt("A01", self.patient)
        lines = message.rstrip("\r").split("\r")
        family = f"{self.patient.family}\\T\\S\u00f8n"
        latin = [lines[0].replace("|P|2.4", "|P|2.4||||||8859/1"), *lines[1:]]
        shapes = []
        for count, (parts, ending) in enumerate(((lines, "\r\n"), (lines, "\n"), (latin, "\r"))):
            text = ending.join([*parts, "ZXX|anything|goes^here", "OBX|1|ST|||"]) + ending
            text = text.replace("|V1|", f"|V{count}|").replace("||ADT^A01|", f"||ADT^A01|SHAPE{count}-")
            text = text.replace(self.patient.family, family)
            shapes.append(text.encode("latin-1" if parts is latin else "utf-8"))
        for shape in shapes:
            self.assertEqual(self.connection.ask(shape).code, "AA")
        names = [one["data"]["patient"]["familyName"] for one in self.subscription.alerts(3)]
        self.assertEqual(names, [f"{self.patient.family}&S\u00f8n"] * 3)

    def test_14_other_messages_are_accepted_and_tell_nobody(self):
        for count, kind in enumerate(("ORU^R01", "MDM^T02", "ADT^A08", "ADT^A28", "ADT^A34", "SIU^S12", "ADT^Z99")):
            message = self.hospital.adt("A01", self.patient, _9=kind, control_id=f"OTHER{count}")
            self.assertEqual(self.connection.ask(message).code, "AA", kind)
        self.assertEqual(self.hospital.mark(self.patient, self.subscription), [[]])
        self.assertEqual(self.items(), [])

    def test_15_what_follows_a_refused_message_is_told(self):
        self.connection.send(self.hospital.adt("A01", self.patient, processing="T"))
        self.connection.send(self.hospital.adt("A01", self.patient))
        self.assertEqual([self.connection.receive().code for _ in range(2)], ["AR", "AA"])
        self.assertEqual(kinds(self.subscription.alerts(1)), [("new", "encounter-admitted-1")])


if __name__ == "__main__":
    tidings.main()
