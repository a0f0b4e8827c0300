#!/bin/bash
# lint.sh: all that can be said about the sources without running them. Goes on after a failure and
# names every check that failed.
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${STILLPOINT_CACHE:-$HOME/.cache/stillpoint}/lint
mkdir -p "$cache"
failed=()

check() { # name, command...
  local name=$1
  shift
  "$@" || failed+=("$name")
}

sources() { git ls-files -co --exclude-standard --deduplicate -- "$@" | while read -r file; do
  [[ ! -e $file ]] || echo "$file"
done; }

format() { sources '*.h' '*.cc' | xargs -r -n 16 -P "$(nproc)" clang-format-19 --dry-run -Werror; }

pragma_once() {
  local bare
  bare=$(sources '*.h' | xargs -r grep -L '^#pragma once$' || true)
  [[ -z $bare ]] || { echo "no #pragma once: $bare" && return 1; }
}

shell() {
  {
    sources '*.sh'
    sources | xargs -r awk '/^#!.*sh$/ {print FILENAME} {nextfile}'
  } | sort -u | xargs -r shellcheck
}

# A reader that leaves early kills the writer, and with pipefail the pipe fails, once in some hundred
# times. Also `grep >/dev/null` leaves early.
early_readers() {
  local found
  found=$(sources '*.sh' .ci/run | xargs -r grep -nE '[|] *(grep (-[a-zA-Z]*q|.*>/dev/null)|head\b)' |
    grep -v 'found=' || true)
  [[ -z $found ]] || { echo "reads only the start of a pipe:" && echo "$found" && return 1; }
}

# The test of the checker takes seconds, so it runs only when one of the two has changed.
layers() {
  local passed
  passed=$cache/$(cat tools/check_layers.sh tools/check_layers_test.sh | sha256sum | cut -c1-16)
  tools/check_layers.sh || return 1
  [[ -e $passed ]] || { tools/check_layers_test.sh && touch "$passed"; }
}

check format format
check "pragma once" pragma_once
check shellcheck shell
check "early readers" early_readers
check layers layers
check "self-contained headers" tools/build.sh debug all_verify_interface_header_sets
# Without a configured build there are no compile commands, and the line above has said so.
[[ ! -e build/debug/compile_commands.json ]] || check clang-tidy tools/tidy.py build/debug

if ((${#failed[@]})); then
  echo "lint: failed: $(printf '%s; ' "${failed[@]}")"
  exit 1
fi
echo "lint: clean"
