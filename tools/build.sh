#!/bin/bash
# build.sh PRESET [TARGET...]: configures once, then builds. On a terminal ninja's own progress
# line; elsewhere one line at the end, or the compiler's words if it fails.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
shift
folder=build/$preset
start=$SECONDS

if [[ ! -e $folder/build.ninja ]]; then
  mkdir -p "$folder"
  if ! cmake --preset "$preset" >"$folder/configure.log" 2>&1; then
    tail -n 40 "$folder/configure.log" >&2
    exit 1
  fi
fi
quiet=()
[[ -t 1 ]] || quiet=(--quiet)
# Keep going: one run should name every broken file.
ninja -C "$folder" "${quiet[@]}" -k 20 "$@"
echo "build: $preset ${*:-all} in $((SECONDS - start)) s"
