#!/bin/bash
# sim.sh RUNS: the long campaign of the simulator on all cores. First everything that can be
# enumerated (each single fault and each pair of kills in small scenarios), then RUNS fresh
# seeds, some of them twice to see that they repeat. The canary, a build with a planted bug, must be
# caught: a simulator that finds nothing in it has gone blind.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-100000}
pairs_one_in=${SIM_PAIRS_ONE_IN:-1}
seed=${SIM_SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
tools/build.sh release stillpoint-sim stillpoint-sim-canary
sim=build/release/stillpoint-sim
canary=build/release/stillpoint-sim-canary

echo "== corpus"
"$sim" --corpus sim/corpus
echo "== every single fault"
"$sim" --exhaust single
echo "== every pair of kills"
"$sim" --exhaust pairs --one-in "$pairs_one_in"
echo "== $runs seeds from $seed"
"$sim" --runs "$runs" --seed "$seed"
echo "== the same seeds in two processes"
"$sim" --verify-determinism --runs 400 --seed "$seed"
echo "== canary"
"$canary" --runs 3000 --seed "$seed" --no-shrink >build/release/canary.log 2>&1 || true
if ! grep -m 1 '^I1 violated by' build/release/canary.log; then
  echo "the canary was not caught: the simulator has gone blind"
  exit 1
fi
