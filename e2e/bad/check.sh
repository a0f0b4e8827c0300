#!/bin/sh
# Asks a real API server what it says to bad objects.
#   check.sh KUBECONFIG
# For every NAME.yaml here, `kubectl apply --dry-run=server` must fail with the text that stands in
# NAME.yaml.err. NAME.yaml.old, where there is one, is applied first: what an update may not change.
# Every file of ../good must be accepted, also as such an update. The CRDs must be installed.
set -u
export KUBECONFIG="${1:?usage: check.sh KUBECONFIG}"
here=$(cd "$(dirname "$0")" && pwd)
namespace=stillpoint-bad-$$
answer=$(mktemp)
failures=0
checked=0

fail() {
  failures=$((failures + 1))
  printf 'FAIL %s\n' "$1"
  sed 's/^/     /' "$answer"
}

try() {
  checked=$((checked + 1))
  if [ -f "$1.old" ]; then
    kubectl --namespace "$namespace" apply --filename "$1.old" >"$answer" 2>&1 ||
      fail "$1.old was refused"
  fi
  kubectl --namespace "$namespace" apply --dry-run=server --filename "$1" >"$answer" 2>&1
}

finish() {
  kubectl delete namespace "$namespace" --wait=false >/dev/null
  rm -f "$answer"
}

kubectl create namespace "$namespace" >/dev/null || exit 1
trap finish EXIT

for file in "$here"/*.yaml; do
  if try "$file"; then
    fail "$file was accepted"
  elif ! grep --quiet --fixed-strings --file "$file.err" "$answer"; then
    fail "$file: the answer is not $(cat "$file.err")"
  fi
done
for file in "$here"/../good/*.yaml; do
  try "$file" || fail "$file was refused"
done
printf '%d files, %d failures\n' "$checked" "$failures"
[ "$failures" -eq 0 ]
