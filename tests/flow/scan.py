"""Looks for what must stand nowhere: NHS numbers, names, tokens."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import world

TOPICS = ("tidings.events", "tidings.alerts", "tidings.directory", "tidings.keys", "tidings.quarantine", "tidings.audit")
TEN_DIGITS = re.compile(rb"(?=([0-9]{10}))")
KAFKAS_OWN = (".index", ".timeindex")  # large, and only offsets
NAMES = re.compile("|".join((world.FAMILY, world.GIVEN, world.CONSULTANT, world.MRN)).encode(), re.IGNORECASE)


def found_in(data, secrets):
    """What of it stands in data."""
    found = {one.decode() for one in TEN_DIGITS.findall(data) if one.decode() in secrets}
    found.update(one.decode() for one in NAMES.findall(data))
    found.update(one for one in secrets if not one.isdigit() and one.encode() in data)
    return found


def files_below(folder):
    for path, _, names in os.walk(folder):
        for name in names:
            yield Path(path) / name


def scan_folder(folder, secrets):
    """{"file: what"} of all files but the operator's token."""
    found = set()
    for file in files_below(folder):
        if file.name == "operator.token" or file.suffix in KAFKAS_OWN:
            continue
        for one in found_in(file.read_bytes(), secrets):
            found.add(f"{file.relative_to(folder)}: {one}")
    return found


def scan_kafka(address, secrets):
    """Keys, headers and values of all topics, as any other client reads them."""
    if shutil.which("kcat") is None:
        return set()
    found = set()
    for topic in TOPICS:
        command = ["kcat", "-q", "-C", "-b", address, "-t", topic, "-o", "beginning", "-e", "-f", "%k\n%h\n%s\n"]
        said = subprocess.run(command, capture_output=True, check=True, timeout=60)
        found.update(f"{topic}: {one}" for one in found_in(said.stdout, secrets))
    return found
