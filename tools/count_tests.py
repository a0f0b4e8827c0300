#!/usr/bin/env python3
"""count_tests.py RESULT.xml...: sums the JUnit files of ctest and GoogleTest.

Prints `N passed, N failed`, with `, N skipped` if there are any. Exits 1 if a test failed, or if a
file is missing or cut short: its program ended before it could say how, which counts as one failure.
"""

import sys
import xml.etree.ElementTree as xml


def outcome(case):
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    if case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
        return "skipped"
    return "passed"


def count(path):
    totals = {"passed": 0, "failed": 0, "skipped": 0}
    try:
        for case in xml.parse(path).iter("testcase"):
            totals[outcome(case)] += 1
    except (OSError, xml.ParseError) as error:
        print(f"{path}: {error}", file=sys.stderr)
        totals["failed"] += 1
    return totals


def main(paths):
    counts = [count(path) for path in paths]
    passed, failed, skipped = (sum(c[k] for c in counts) for k in ("passed", "failed", "skipped"))
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
