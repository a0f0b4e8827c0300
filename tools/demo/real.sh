#!/bin/bash
# real.sh: the main job, in front of you: a database that is written to without pause is backed up,
# loses its data, and gets it back. On the local cluster, which stays up for the next time
# (`make cluster-down` ends it).
set -euo pipefail
cd "$(dirname "$0")/../.."
state=${STILLPOINT_CLUSTER_STATE:-/tmp/stillpoint-cluster}
namespace=demo
log=build/demo-controller.log
controller=

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
show() { # prints a command, then runs it
  printf '  $ %s\n' "$*"
  "$@" | sed 's/^/    /'
}
k() { kubectl --kubeconfig "$state/admin.kubeconfig" -n "$namespace" "$@"; }
kubectl_shown() { # as a user would type it, without our kubeconfig
  printf '  $ kubectl %s\n' "$*"
  k "$@" | sed 's/^/    /'
}
sql() { k exec deploy/shop -c mariadb -- mariadb -N -B shop -e "$1"; }
counts() {
  sql "SELECT CONCAT(COUNT(*), ' orders, ', (SELECT COUNT(*) FROM ledger), ' ledger lines, ',
       (SELECT COUNT(*) FROM orders LEFT JOIN ledger ON order_id = id WHERE order_id IS NULL),
       ' orders without a line') FROM orders"
}

finish() {
  local status=$?
  [[ -z $controller ]] || kill "$controller" 2>/dev/null || true
  ((status == 0)) || {
    echo "demo: failed; the controller's last words ($log):" >&2
    tail -n 20 "$log" >&2 || true
  }
}
trap finish EXIT

say "1. Build"
tools/build.sh release stillpoint

say "2. A real Kubernetes on this machine, with a CSI driver that makes true snapshots"
e2e/cluster/up.sh
PATH=$state/bin:$PATH
k delete namespace "$namespace" --ignore-not-found --timeout=120s >/dev/null
k apply -k deploy/crd | sed 's/^/    /'
k create namespace "$namespace" >/dev/null

say "3. The controller"
: >"$log"
build/release/stillpoint controller --kubeconfig "$state/admin.kubeconfig" --namespace "$namespace" \
  --metrics-address=127.0.0.1:18080 --health-address=127.0.0.1:18081 2>>"$log" &
controller=$!
echo "  build/release/stillpoint controller --kubeconfig ... (pid $controller, log in $log)"

say "4. A shop: MariaDB, and a writer that never stops (examples/shop.yaml)"
kubectl_shown apply -f examples/shop.yaml
k rollout status deployment/shop --timeout=120s | sed 's/^/    /'
for _ in $(seq 100); do [[ $(sql 'SELECT COUNT(*) FROM orders' 2>/dev/null) -gt 100 ]] && break; sleep 0.2; done
echo "  now: $(counts)"

say "5. Back it up while it is written to (examples/backup.yaml)"
kubectl_shown apply -f examples/backup.yaml
k wait volumebackup/shop-1 --for=condition=Finished --timeout=120s >/dev/null
kubectl_shown get volumebackup shop-1
kubectl_shown get volumesnapshot
gap=$(sql "SELECT ROUND(MAX(gap)) FROM (SELECT TIMESTAMPDIFF(MICROSECOND, LAG(at) OVER (ORDER BY id), at) / 1000 AS gap FROM orders) g")
cat <<T
  timeline  asked to freeze  $(k get vb shop-1 -o 'jsonpath={.status.freeze.intendedAt}')
            stood still from $(k get vb shop-1 -o 'jsonpath={.status.freeze.targets[0].frozenAt}')
            cut seen at      $(k get vb shop-1 -o 'jsonpath={.status.volumes[0].cutAt}')
            thawed at        $(k get vb shop-1 -o 'jsonpath={.status.freeze.targets[0].thawedAt}')
            usable at        $(k get vb shop-1 -o 'jsonpath={.status.volumes[0].readyAt}')
  frozen for $(k get vb shop-1 -o 'jsonpath={.status.freezeDuration}') by the controller's clock;
  the longest pause between two orders, by the database's own: ${gap} ms
T

say "6. Disaster"
sleep 1
echo "  before: $(counts)"
sql 'SET FOREIGN_KEY_CHECKS = 0; DROP TABLE orders; DROP TABLE ledger;'
echo "  DROP TABLE orders; DROP TABLE ledger;"
echo "  now:    $(counts 2>&1 | grep -o "ERROR 1146.*" | sed -n 1p)"

say "7. Bring it back (examples/restore.yaml)"
kubectl_shown apply -f examples/restore.yaml
k wait volumerestore/shop-1-back --for=condition=Finished --timeout=300s >/dev/null
kubectl_shown get volumerestore shop-1-back
[[ $(k get vr shop-1-back -o 'jsonpath={.status.phase}') == Completed ]]
echo "  now: $(counts)"
kubectl_shown get events --field-selector involvedObject.name=shop-1-back \
  -o custom-columns=REASON:.reason,NOTE:.message

say "8. The proof"
cut=$(k get vb shop-1 -o 'jsonpath={.status.volumes[0].cutAt}')
last=$(sql "SELECT CONCAT('no. ', MAX(id), ' of ', MAX(at)) FROM orders WHERE at <= '$(tr 'TZ' '  ' <<<"$cut")'")
orphans=$(sql 'SELECT COUNT(*) FROM orders LEFT JOIN ledger ON order_id = id WHERE order_id IS NULL')
echo "  the volume was cut at $cut; the last order that came back is $last"
echo "  orders without their ledger line: $orphans; the writer has gone on since"
[[ $orphans == 0 ]]
say "Done. The cluster stays up: make cluster-down ends it."
