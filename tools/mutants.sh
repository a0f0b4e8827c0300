#!/bin/bash
# mutants.sh [RUNS] [NAME...]: does the simulator find the mistakes that are planted in
# sim/mutants? For each: after how many runs, and which invariant caught it. Exits with 1 when one
# survives, or is caught though it is masked by design (a line `Masked:` in its patch).
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-20000}
shift || true
folder=build/release
log=$folder/mutants.log
mkdir -p "$folder"
: >"$log"
if (($# > 0)); then
  names=("$@")
else
  mapfile -t names < <(basename -as .patch sim/mutants/*.patch)
fi
survivors=0

# Prints what has caught it, and nothing if it lives.
caught() { # program, what it is to run...
  "$@" --no-shrink --failures 1 2>&1 | tee -a "$log" | grep -m 1 'violated by' || true
}

for name in "${names[@]}"; do
  echo "== $name" >>"$log"
  if ! tools/build.sh release "stillpoint-sim-$name" >>"$log" 2>&1; then
    printf '%-34s does not build\n' "$name"
    survivors=$((survivors + 1))
    continue
  fi
  mutant=$folder/stillpoint-sim-$name
  found=$(caught "$mutant" --exhaust single)
  how="single faults"
  if [[ ! $found ]]; then
    found=$("$mutant" --corpus sim/corpus 2>&1 | tee -a "$log" | grep -m 1 '\.run: ' || true)
    how="corpus"
  fi
  if [[ ! $found ]]; then
    found=$(caught "$mutant" --seed 5000000 --runs "$runs")
    how="seeds"
  fi
  if grep -q '^Masked: ' "sim/mutants/$name.patch"; then
    printf '%-34s %s\n' "$name" "${found:-lives, masked by design}"
    [[ ! $found ]] || survivors=$((survivors + 1))
  elif [[ $found ]]; then
    printf '%-34s %s (%s)\n' "$name" "$found" "$how"
  else
    printf '%-34s SURVIVES\n' "$name"
    survivors=$((survivors + 1))
  fi
done
((survivors == 0))
