#!/usr/bin/env python3
"""tidy.py BUILD_DIR: clang-tidy over every source of the build, one process per core.

Most of the time goes into the headers of Boost and GoogleTest, so sources with the same compile
flags are looked at a dozen together, as one source that includes them all. Two that cannot share a
source (both name a helper alike) are put apart, and what fails together is looked at alone: the
verdict on a failure is always that on the source itself.

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
import shlex
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TIDY = "clang-tidy-19"
INCLUDE = re.compile(rb'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
# What a source may name for itself alone: constants, types, functions and tests at the start of a
# line. Missing one costs a second look, no more.
OWN_NAME = re.compile(
    rb"^(?:(?:struct|class|enum class) (\w+)"
    rb"|TEST\w*\((\w+, \w+)\)"
    rb"|[\w:].*?[ *&](k[A-Z]\w*)(?:\[\w*\])?[ ={(;]"
    rb"|[\w:][^=(]*[ *&](\w+)\()",
    re.MULTILINE,
)
ERROR = re.compile(r"^(/[^:]+):\d+:\d+: error: .*\[clang-diagnostic-error\]$", re.MULTILINE)
FINDING = re.compile(r"^(/[^:]+):\d+:\d+: (?:error|warning): ", re.MULTILINE)
NOISE = re.compile(r"^\d+ (warnings?|errors?)( and \d+ errors?)? (generated|treated as error)")
TOGETHER = 12
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


def tidy(*arguments):
    """What clang-tidy has to say; None if all is well."""
    result = subprocess.run(
        [TIDY, "--quiet", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode == 0:
        return None
    return "\n".join(line for line in result.stdout.splitlines() if not NOISE.match(line))


def flags_of(entry):
    """What of the compile command changes the meaning of a source: no warnings, no code."""
    words = shlex.split(entry["command"])
    return tuple(
        word for word in words[1 : words.index("-o")] if not re.match("-W|-O|-g$|-f", word)
    )


def tidy_together(flags, sources):
    with tempfile.NamedTemporaryFile("w", suffix=".cc") as all_of_them:
        all_of_them.writelines(f'#include "{source}"\n' for source in sources)
        all_of_them.flush()
        # No warnings: the build of each source gives them; here, names would shadow each other.
        return tidy(
            f"--config-file={ROOT / '.clang-tidy'}",
            f"--header-filter=^{ROOT}/.*\\.(h|cc)$",
            all_of_them.name,
            "--",
            *flags,
            "-w",
            "-ferror-limit=0",
        )


def look(build, flags, sources):
    """Gives each source and what is wrong with it, or None."""
    if len(sources) == 1:
        return [(sources[0], tidy("-p", build, sources[0]))]
    output = tidy_together(flags, sources)
    if output is None:
        return [(source, None) for source in sources]
    # Sources that do not go together: the later one is named. Else, a finding: its source is.
    named = {pathlib.Path(name) for name in (ERROR.findall(output) or FINDING.findall(output))}
    apart = [source for source in sources if source in named]
    if not apart or len(apart) == len(sources):
        apart = sources[: len(sources) // 2]
    rest = [source for source in sources if source not in apart]
    return look(build, flags, rest) + look(build, flags, apart)


def batches_of(todo):
    """Sources that have a chance to go together: the same flags, no name twice."""
    batches = []
    for source, flags in todo:
        names = {b"".join(groups) for groups in OWN_NAME.findall(source.read_bytes())}
        for batch_flags, sources, taken in batches:
            if batch_flags == flags and len(sources) < TOGETHER and not taken & names:
                sources.append(source)
                taken |= names
                break
        else:
            batches.append((flags, [source], names))
    return [(flags, sources) for flags, sources, _ in batches]


def not_yet_passed(build):
    """Each source to look at: its flags, and the file that will remember that it passed."""
    cache, base = cache_dir(), toolchain()
    todo = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = pathlib.Path(entry["directory"], entry["file"])
        if not source.is_relative_to(ROOT) or source.is_relative_to(ROOT / "build"):
            continue  # what the build made, such as the sources that check the headers
        passed = cache / key_of(entry, source, base)
        if passed.exists():
            passed.touch()
        else:
            todo[source] = (flags_of(entry), passed)
    return todo


def main(build):
    start, todo, failed = time.monotonic(), not_yet_passed(build), []
    batches = batches_of((source, todo[source][0]) for source in sorted(todo))
    # The largest first, so that no core is left with one at the end.
    batches.sort(key=lambda batch: -len(batch[1]))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(look, build, *batch) for batch in batches]
        for job in concurrent.futures.as_completed(jobs):
            for source, output in job.result():
                if output is None:
                    todo[source][1].touch()
                else:
                    failed.append(source)
                    print(output, flush=True)
    seconds = time.monotonic() - start
    print(f"clang-tidy: {len(todo)} sources in {len(batches)} batches, {seconds:.0f} s")
    for source in failed:
        print(f"clang-tidy: failed: {source.relative_to(ROOT)}")
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(pathlib.Path(sys.argv[1])))
