"""The harness itself: what it makes is right, and its scan finds what it must."""

import tempfile
import unittest
from pathlib import Path

import scan
import tidings
import world


class TheHarness(unittest.TestCase):
    def test_1_nhs_numbers_have_right_check_digits(self):
        numbers = world.nhs_numbers()
        self.assertEqual([next(numbers) for _ in range(3)], ["9990000018", "9990000026", "9990000034"])
        self.assertEqual(world.check_digit("943476591"), "9")

    def test_2_a_scan_finds_numbers_names_and_tokens(self):
        patient = world.Patient()
        secrets = {patient.nhs_number, "a-token's-secret"}
        for text in (patient.nhs_number, patient.family.upper(), patient.given, patient.mrn, "a-token's-secret"):
            with tempfile.TemporaryDirectory() as folder:
                (Path(folder) / "below").mkdir()
                (Path(folder) / "below" / "file").write_bytes(b"\x00\xff" + text.encode() + b"\x00")
                self.assertEqual(len(scan.scan_folder(Path(folder), secrets)), 1, text)

    def test_3_a_scan_passes_over_the_operators_token_and_other_numbers(self):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "operator.token").write_text("a-token's-secret")
            (Path(folder) / "log").write_text("9990000093 A81001 W12")
            self.assertEqual(scan.scan_folder(Path(folder), {"a-token's-secret"}), set())

    def test_4_a_segment_has_its_fields_in_their_places(self):
        message = world.adt("A01", world.Patient(), "R01", spell="V9", control_id="M1")
        lines = message.split("\r")
        self.assertTrue(lines[0].startswith("MSH|^~\\&|PAS|R01|TIDINGS|REGION|20261124100000||ADT^A01|M1|P|2.4"))
        self.assertEqual(lines[3].split("|")[19], "V9")
        self.assertEqual(lines[3].split("|")[44], "20261124095500")


if __name__ == "__main__":
    tidings.main()
