#!/bin/bash
# sim_test.sh: the simulator's part of `make test`: the runs that are kept, every single fault in
# small scenarios, and as many seeds as a minute allows. The seeds are the same each time (SIM_SEED
# takes others), so that a red run is the fault of the change that it is red for, and can be run
# again. Seeds that nobody has seen are the matter of `make sim`: some still find what is open.
# Leaves build/test-results/sim*.xml.
set -euo pipefail
cd "$(dirname "$0")/.."
results=$PWD/build/test-results
mkdir -p "$results"
tools/build.sh release stillpoint-sim
sim=build/release/stillpoint-sim
status=0

"$sim" --corpus sim/corpus --junit "$results/sim-corpus.xml" || status=1
"$sim" --exhaust single --junit "$results/sim-single.xml" || status=1
seed=${SIM_SEED:-32000000}
echo "up to 12000 seeds from $seed on, for 60 s"
"$sim" --runs 12000 --seed "$seed" --time 60s --junit "$results/sim-seeds.xml" || status=1
exit "$status"
