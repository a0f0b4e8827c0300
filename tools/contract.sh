#!/bin/bash
# contract.sh [KUBECONFIG | --pocket]: what the product relies on in the Kubernetes API, asked of
# that server. Without a KUBECONFIG: of the local test cluster (e2e/cluster), which must be up.
# --pocket: of an embedded cluster (`stillpoint pocket`), which is started and ended here; what is known to be
# missing in it is in contract/not_modelled.txt, and a test named there that passes is an error, so
# that the list shrinks. Every suite of the program runs by itself, several at once, as they mostly
# wait. Closes with `N passed, N failed`.
#
#   CONTRACT_IMAGE, CONTRACT_STORAGE_CLASS, CONTRACT_SNAPSHOT_CLASS: contract/support/settings.h
#   CONTRACT_PROGRAM   the program (built, when not given)
#   CONTRACT_JOBS      how many suites at once (6)
#   CONTRACT_SUITES    which of them, as a regular expression ('.')
#   CONTRACT_TIMEOUT   for each suite (10m)
#   CONTRACT_RESULTS   what the names of the JUnit files begin with, as a path (they are not kept)
#   STILLPOINT         the program of --pocket (built, when not given)
set -euo pipefail
cd "$(dirname "$0")/.."
state=${STILLPOINT_CLUSTER_STATE:-/tmp/stillpoint-cluster}
program=${CONTRACT_PROGRAM:-build/release/contract_test}
[[ ${CONTRACT_PROGRAM:-} ]] || tools/build.sh release contract_test
work=$(mktemp -d "${TMPDIR:-/tmp}/stillpoint-contract-XXXXXX")
results=${CONTRACT_RESULTS:-$work/}
mkdir -p "${results%/*}"
pocket=
missing=

leave() {
  [[ ! $pocket ]] || kill "$pocket" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap leave EXIT
trap 'exit 130' INT TERM

start_pocket() {
  local stillpoint=${STILLPOINT:-build/release/stillpoint}
  [[ ${STILLPOINT:-} ]] || tools/build.sh release stillpoint
  missing=contract/not_modelled.txt
  CONTRACT_KUBECONFIG=$work/kubeconfig
  "$stillpoint" pocket --kubeconfig "$CONTRACT_KUBECONFIG" --directory "$work/cluster" \
    >/dev/null 2>"$work/pocket.log" &
  pocket=$!
  for _ in $(seq 200); do
    [[ -s $CONTRACT_KUBECONFIG ]] && return
    sleep 0.05
  done
  cat "$work/pocket.log" >&2
  echo "contract: the embedded cluster does not start" >&2
  exit 1
}

if [[ ${1:-} == --pocket ]]; then
  start_pocket
else
  CONTRACT_KUBECONFIG=$(realpath "${1:-${CONTRACT_KUBECONFIG:-$state/admin.kubeconfig}}")
fi
[[ -r $CONTRACT_KUBECONFIG ]] || {
  echo "contract: there is no $CONTRACT_KUBECONFIG: name one, or run \`make cluster\`" >&2
  exit 2
}
export CONTRACT_KUBECONFIG
export PATH=$state/bin:$PATH
if [[ ! $pocket ]] && command -v kubectl >/dev/null; then
  kubectl --kubeconfig "$CONTRACT_KUBECONFIG" apply -f deploy/crd/stillpoint.yaml >/dev/null
fi

# The name of each test in the list is the first word of its line; its reason is the rest.
listed() { [[ ! $missing ]] || sed -n 's/^\([A-Za-z]*\.[A-Za-z]*\) .*/\1/p' "$missing"; }

run_suite() { # SUITE
  local started=$SECONDS code=0 filter
  filter="$1.*-$(grep "^$1\." "$work/listed" | paste -sd: || true)"
  timeout "${CONTRACT_TIMEOUT:-10m}" "$program" --gtest_filter="${filter%-}" --gtest_brief=1 \
    --gtest_color=no --gtest_output="xml:${results}contract-$1.xml" >"$work/$1" 2>&1 || code=$?
  if ((code == 0)); then
    printf 'ok    %-15s %3d tests %4d s\n' "$1" \
      "$(sed -n 's/^\[==========\] \([0-9]*\) tests\? from.*ran.*/\1/p' "$work/$1")" \
      $((SECONDS - started))
  else
    printf 'WRONG %-15s exit %d after %d s\n' "$1" "$code" $((SECONDS - started))
    grep -v '^Running main' "$work/$1"
  fi
  return "$code"
}
run_listed() { # TEST: must fail
  local code=0
  timeout "${CONTRACT_TIMEOUT:-2m}" "$program" --gtest_filter="$1" --gtest_brief=1 \
    >/dev/null 2>&1 || code=$?
  ((code == 0)) || return 0
  echo "$1 passes: take it out of $missing"
  return 1
}
export -f run_suite run_listed
export program results work missing
listed >"$work/listed"

# Those with pods first: they take the longest.
"$program" --gtest_list_tests >"$work/all"
mapfile -t suites < <(sed -n 's/^\([A-Za-z]*\)\.$/\1/p' "$work/all" |
  grep -E "${CONTRACT_SUITES:-.}" | awk '{print ($0 ~ /Snapshot|Rollout|Volume|Exec/) ? 0 : 1, $0}' |
  sort -s -n -k 1,1 | cut -d' ' -f2)
files=()
for suite in "${suites[@]}"; do files+=("${results}contract-$suite.xml"); done
rm -f "${files[@]}"
status=0
printf '%s\n' "${suites[@]}" |
  xargs -P "${CONTRACT_JOBS:-6}" -I{} bash -c 'run_suite {} || exit 1' || status=1

extra=0
if [[ -s $work/listed ]]; then
  awk '/^[^ ]/ { suite = $1 } /^ / { print suite $1 }' "$work/all" | sort >"$work/names"
  while read -r gone; do
    echo "$gone is in $missing, and there is no such test"
    extra=$((extra + 1))
  done < <(sort "$work/listed" | comm -23 - "$work/names")
  mapfile -t known < <(sort "$work/listed" | comm -12 - "$work/names" |
    grep -E "${CONTRACT_SUITES:-.}" || true)
  printf '%s\n' "${known[@]}" |
    xargs -r -P "${CONTRACT_JOBS:-6}" -I{} bash -c 'run_listed {} || exit 1' >"$work/passing" || true
  cat "$work/passing"
  extra=$((extra + $(wc -l <"$work/passing")))
  echo "contract: ${#known[@]} tests of what is not modelled, see $missing"
fi
if [[ $pocket ]] && ! kill -0 "$pocket" 2>/dev/null; then
  code=0
  wait "$pocket" || code=$?
  pocket=
  echo "contract: the embedded cluster has ended with $code:"
  cat "$work/pocket.log"
  extra=$((extra + 1))
fi
echo "contract: ${#suites[@]} suites in $SECONDS s"
counts=$(tools/count_tests.py "${files[@]}") || status=1
read -r passed _ failed _ <<<"$counts"
echo "$passed passed, $((failed + extra)) failed"
((status == 0 && extra == 0))
