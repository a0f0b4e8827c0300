#!/usr/bin/env python3
"""tidy.py BUILD_DIR: clang-tidy over every source of the build, one process per core.

A source that passed is not looked at again until it, a header of the project that it includes, its
compile command, .clang-tidy or the installed packages change: passes are remembered by the hash of
all these in $STILLPOINT_CACHE/tidy, across checkouts.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TIDY = "clang-tidy-19"
INCLUDE = re.compile(rb'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
DAYS_KEPT = 30


def cache_dir():
    cache = os.environ.get("STILLPOINT_CACHE") or os.path.expanduser("~/.cache/stillpoint")
    path = pathlib.Path(cache) / "tidy"
    path.mkdir(parents=True, exist_ok=True)
    for entry in path.iterdir():
        if entry.stat().st_mtime < time.time() - DAYS_KEPT * 86400:
            entry.unlink(missing_ok=True)
    return path


def toolchain():
    """What can change a verdict from outside: the checks, and the packages with the headers."""
    packages = [
        line.split()[1]
        for line in (ROOT / "tools/packages.txt").read_text().splitlines()
        if line.startswith("build ")
    ]
    versions = subprocess.run(
        ["dpkg-query", "-W", *packages], capture_output=True, check=False
    ).stdout
    return (ROOT / ".clang-tidy").read_bytes() + versions


def closure(source):
    """The source and the project's headers that it includes, directly or not, in a fixed order."""
    seen, todo = set(), [source]
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        for name in INCLUDE.findall(path.read_bytes()):
            todo += [p for p in (ROOT / name.decode(), path.parent / name.decode()) if p.is_file()]
    return sorted(path.resolve() for path in seen)


def key_of(entry, source, base):
    digest = hashlib.sha256(base)
    digest.update(entry["command"].replace(str(ROOT), ".").encode())
    for path in closure(source):
        digest.update(f"{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def run(build, source):
    result = subprocess.run(
        [TIDY, "--quiet", "-p", str(build), str(source)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    noise = re.compile(r"^\d+ (warnings?|errors?)( and \d+ errors?)? (generated|treated as error)")
    return result.returncode, "\n".join(
        line for line in result.stdout.splitlines() if not noise.match(line)
    )


def main(build):
    start, cache, base = time.monotonic(), cache_dir(), toolchain()
    todo = []
    entries = json.loads((build / "compile_commands.json").read_text())
    for entry in entries:
        source = pathlib.Path(entry["directory"], entry["file"])
        if not source.is_relative_to(ROOT) or source.is_relative_to(ROOT / "build"):
            continue  # what the build made, such as the sources that check the headers
        passed = cache / key_of(entry, source, base)
        if passed.exists():
            passed.touch()
        else:
            todo.append((source, passed))

    failed = []
    # The largest first, so that no core is left with one at the end.
    todo.sort(key=lambda item: -item[0].stat().st_size)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = {pool.submit(run, build, source): (source, passed) for source, passed in todo}
        for job in concurrent.futures.as_completed(jobs):
            source, passed = jobs[job]
            code, output = job.result()
            if code == 0:
                passed.touch()
            else:
                failed.append(source)
                print(output, flush=True)
    print(f"clang-tidy: {len(todo)} sources in {time.monotonic() - start:.0f} s")
    for source in failed:
        print(f"clang-tidy: failed: {source.relative_to(ROOT)}")
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(pathlib.Path(sys.argv[1])))
