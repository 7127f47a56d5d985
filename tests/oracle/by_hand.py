"""The count itself, against a small feed that a person has counted."""

import unittest

from compare import main, tidings
from count import Count, is_nhs_number, messages_of

ANNE, BERT = "9990000018", "9990000026"


def message(trigger, number, spell, control_id, **more):
    patient = tidings.world.Patient()
    return tidings.world.adt(trigger, patient, "R01", spell=spell, control_id=control_id, numbers=f"{number}^^^NHS^NH", **more)


class ByHand(unittest.TestCase):
    def setUp(self):
        self.count = Count()
        self.count.subscribe("all", "gp")
        self.count.subscribe("discharges", "gp", types=["encounter-discharged-1"])
        self.count.subscribe("carers", "gp", roles=["carer"])
        self.count.register(ANNE, "gp", "gp")

    def told(self, name):
        return [(kind, what.removeprefix("encounter-").removesuffix("-1"), spell) for _, kind, what, spell, _ in self.count.expected[name]]

    def give(self, *messages):
        for number, (trigger, who, spell, *more) in enumerate(messages):
            self.count.message(message(trigger, who, spell, f"M{number}", **(more[0] if more else {})))

    def test_1_a_stay_and_what_is_taken_back(self):
        self.give(("A01", ANNE, "1"), ("A01", BERT, "1"), ("A01", ANNE, "1"), ("A03", ANNE, "1"), ("A13", ANNE, "1"), ("A13", ANNE, "1"),
                  ("A11", ANNE, "1"), ("A01", ANNE, "1"))
        self.assertEqual(self.told("all"), [("new", "admitted", "1"), ("new", "discharged", "1"), ("retraction", "cancelled", "1"),
                                            ("retraction", "cancelled", "1"), ("new", "admitted", "1")])
        self.assertEqual(self.told("discharges"), [("new", "discharged", "1"), ("retraction", "cancelled", "1")])
        self.assertEqual(self.told("carers"), [])

    def test_2_what_must_be_named(self):
        self.give(("A04", ANNE, "1", {"kind": "O"}), ("A04", ANNE, "2", {"kind": "E"}), ("A02", ANNE, "2"),
                  ("A02", ANNE, "2", {"place": "W^^^R0101", "before": "W^^^R0102"}))
        self.assertEqual(self.told("all"), [("new", "ed-arrived", "2"), ("new", "transferred", "2")])

    def test_3_a_death_goes_with_its_discharge(self):
        self.give(("A01", ANNE, "1"), ("A03", ANNE, "1", {"method": "4"}), ("A13", ANNE, "1"))
        self.assertEqual([one[1] for one in self.told("all")], ["admitted", "discharged", "patient-died", "cancelled", "cancelled"])

    def test_4_a_repeated_message_counts_once(self):
        for _ in range(2):
            self.count.message(message("A02", ANNE, "1", "SAME", place="W^^^R0101", before="W^^^R0102"))
        self.assertEqual(len(self.told("all")), 1)

    def test_5_who_is_registered_when_it_comes_is_told(self):
        self.give(("A01", ANNE, "1"))
        self.count.end(ANNE, "gp", "gp")
        self.count.register(ANNE, "gp", "carer")
        self.count.message(message("A03", ANNE, "1", "LATER"))
        self.assertEqual(self.told("carers"), [("new", "discharged", "1")])
        self.assertEqual(len(self.told("all")), 2)

    def test_6_files_and_numbers(self):
        one, two = message("A01", ANNE, "1", "1"), message("A01", ANNE, "1", "2")
        for between in ("", "\n", "\r\n\r\n"):
            self.assertEqual(messages_of((one + between + two).encode()), [one, two])
        self.assertEqual([is_nhs_number(text) for text in (ANNE, "9990000019", "999000001", "")], [True, False, False, False])


if __name__ == "__main__":
    main()
