"""Synthetic people and the HL7 messages about them. Nothing here knows how Tidings works."""

import itertools

FAMILY = "Fennimarch"  # every family name begins so, and nothing else does: a scan looks for it
GIVEN = "Oswaldina"
MRN = "MRN7351"
CONSULTANT = "Braithwhistle"


def check_digit(nine):
    """Modulus 11; None where there is no such number."""
    total = sum(int(digit) * weight for digit, weight in zip(nine, range(10, 1, -1)))
    digit = (11 - total % 11) % 11
    return None if digit == 10 else str(digit)


def nhs_numbers(first=999_000_000):
    """Synthetic NHS numbers (999 000 0000 to 999 999 9999), in order."""
    for nine in range(first, 1_000_000_000):
        digit = check_digit(str(nine))
        if digit is not None:
            yield f"{nine}{digit}"


def letters(number):
    """0 is aaa, 1 is aab ..."""
    return "".join(chr(ord("a") + number // 26**place % 26) for place in (2, 1, 0))


class Patient:
    counter = itertools.count(1)
    numbers = nhs_numbers(999_000_001)

    def __init__(self):
        count = next(self.counter)
        self.nhs_number = next(self.numbers)
        self.mrn = f"{MRN}{count:04}"
        self.family = FAMILY + letters(count)
        self.given = GIVEN + letters(count)
        self.birth_date = "1950-02-01"

    def untrusted_number(self):
        """This patient's number with another check digit."""
        return self.nhs_number[:9] + str((int(self.nhs_number[9]) + 1) % 10)


# ---- HL7 v2 ----

control_ids = (f"M{count:06}" for count in itertools.count(1))


def segment(name, fields):
    """segment("PV1", {2: "I"}) is PV1||I."""
    return "|".join([name] + [fields.get(number, "") for number in range(1, max(fields) + 1)])


def msh(sender, kind, control_id, time="20261124100000", processing="P", accept="", application="", **more):
    fields = {3: "PAS", 4: sender, 5: "TIDINGS", 6: "REGION", 7: time, 9: kind, 10: control_id, 11: processing, 12: "2.4"}
    fields.update({15: accept, 16: application})
    fields.update({int(name[1:]): text for name, text in more.items()})
    return "MSH|^~\\&|" + segment("", {number - 2: text for number, text in fields.items()})[1:]


def pid(patient, sender, numbers=None):
    if numbers is None:
        numbers = f"{patient.mrn}^^^{sender}^MR~{patient.nhs_number}^^^NHS^NH"
    return segment(
        "PID", {1: "1", 3: numbers, 5: f"{patient.family}^{patient.given}", 7: patient.birth_date.replace("-", ""), 8: "F"}
    )


def adt(
    trigger, patient, sender, spell="V1", control_id=None, time="20261124100000", kind="I", place="W12^1^3^{sender}02",
    before="", admitted="20261124095500", discharged="", method="", destination="", numbers=None, **more,
):
    """One ADT message as text, segments ending in CR."""
    visit = {1: "1", 2: kind, 3: place.format(sender=sender), 6: before.format(sender=sender), 7: f"C123^{CONSULTANT}",
             19: spell, 36: method, 37: destination, 44: admitted, 45: discharged}
    if trigger == "A03" and not discharged:
        visit[45] = "20261124120000"
    lines = [
        msh(sender, f"ADT^{trigger}", control_id or next(control_ids), time, **more),
        segment("EVN", {1: trigger, 2: time}),
        pid(patient, sender, numbers),
        segment("PV1", visit),
    ]
    return "\r".join(lines) + "\r"


class Acknowledgement:
    """What an ACK message says."""

    def __init__(self, text):
        self.text = text
        self.segments = [line.split("|") for line in text.split("\r") if line]
        said = self.fields("MSA")
        self.code = said[1] if said else None
        self.control_id = said[2] if said and len(said) > 2 else None
        wrong = self.fields("ERR")
        self.error = wrong[3].split("^")[0] if wrong else None
        place = wrong[2].split("^") if wrong else []  # MSH^1^11: segment, which of them, field
        self.at = "-".join(place[0:1] + place[2:3])

    def fields(self, name):
        return next((fields for fields in self.segments if fields[0] == name), None)

    def __repr__(self):
        return f"<{self.code} {self.control_id} {self.error} at {self.at}>"
