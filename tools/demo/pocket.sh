#!/bin/bash
# pocket.sh: the main job on the embedded cluster: an application that keeps two books on two
# volumes, without pause, is backed up, loses its data and gets it back; then the same without its
# hooks; then the controller is killed while the application stands still.
#
#   APP   mariadb or sqlite: what the shop keeps its orders in (mariadb where this machine has one)
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tools/demo/kubectl.sh
. tools/demo/kubectl.sh
# shellcheck source=tools/demo/shop.sh
. tools/demo/shop.sh
kubectl=
find_kubectl
stillpoint=${STILLPOINT:-build/release/stillpoint}
work=$(mktemp -d "${TMPDIR:-/tmp}/stillpoint-demo-XXXXXX")
export KUBECONFIG=$work/kubeconfig
started=()

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
note() { printf '  %s\n' "$*"; }
k() { "$kubectl" "$@"; }
shown() { # as a user would type it
  printf '  $ kubectl %s\n' "$*"
  k "$@" | sed 's/^/    /'
}

finish() {
  local status=$? pid
  ((status == 0)) || {
    echo "demo: failed; the controller's last words:" >&2
    tail -n 20 "$work/controller.log" >&2 || true
  }
  # Not SIGTERM: a controller that owes a thaw would stay to give it.
  for pid in "${started[@]}"; do kill -9 "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

wait_until() { # seconds, command...
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < end)) || {
      echo "demo: gave up waiting for: $*" >&2
      return 1
    }
    sleep 0.05
  done
}

start_controller() {
  "$stillpoint" controller --kubeconfig "$KUBECONFIG" --metrics-address=0 --health-address=0 \
    2>>"$work/controller.log" &
  controller=$!
  started+=("$controller")
}

goes_on_after() { (($(orders) > $1)); }

back_up() { # name, further lines of the spec
  k create -f - >/dev/null <<YAML
apiVersion: backups.example.com/v1alpha1
kind: VolumeBackup
metadata: {name: $1}
spec:
  applicationRef: shop
$2
YAML
  k wait "volumebackup/$1" --for=condition=Finished --timeout=60s >/dev/null
}

bring_back() { # name of the backup; afterwards `opened` is what the shop found in its books
  k create -f - >/dev/null <<YAML
apiVersion: backups.example.com/v1alpha1
kind: VolumeRestore
metadata: {name: $1-back}
spec:
  backupRef: $1
YAML
  k wait "volumerestore/$1-back" --for=condition=Finished --timeout=60s >/dev/null
  [[ $(k get "vr/$1-back" -o 'jsonpath={.status.phase}') == Completed ]]
  opened=$(k logs deploy/shop | sed -n 1p)
}

choose_shop

say "1. A cluster in one process: pods are processes, volumes are directories"
"$stillpoint" pocket --kubeconfig "$KUBECONFIG" --directory "$work/cluster" >"$work/pocket.log" &
started+=("$!")
wait_until 10 k get --raw /readyz
note "stillpoint pocket --kubeconfig ...   (pid $!)"
start_controller
note "stillpoint controller --kubeconfig ...   (pid $controller)"
shown get storageclass,volumesnapshotclass,crd

say "2. A shop with two books on two volumes, written to without pause ($shop)"
note "orders in $kept_in"
shown apply -f "$shop"
k rollout status deployment/shop --timeout=60s >/dev/null
wait_until 20 goes_on_after 200
shown get pods,pvc
note "orders so far: $(orders)"

say "3. Back it up while it is written to (examples/pocket/backup.yaml)"
k apply -f examples/pocket/backup.yaml >/dev/null
k wait volumebackup/shop-1 --for=condition=Finished --timeout=60s >/dev/null
shown get volumebackup shop-1
frozen=$(k get vb shop-1 -o 'jsonpath={.status.freezeDuration}')
note "asked to freeze   $(k get vb shop-1 -o 'jsonpath={.status.freeze.intendedAt}')"
note "stood still from  $(k get vb shop-1 -o 'jsonpath={.status.freeze.targets[0].frozenAt}')"
note "last cut seen at  $(k get vb shop-1 -o 'jsonpath={.status.volumes[*].cutAt}')"
note "thawed at         $(k get vb shop-1 -o 'jsonpath={.status.freeze.targets[0].thawedAt}')"
note "frozen for $frozen by the controller's clock; longest pause between two orders: $(longest_pause) ms"

say "4. Disaster, and back (examples/pocket/restore.yaml)"
lose_all
bring_back shop-1
shown get volumerestore shop-1-back
note "the shop $opened"
[[ $opened == *": 0 of them without a ledger line, 0 ledger lines without an order" ]]
note "the books add up, to the last order before the cut"

say "5. The same without the hooks: what is lost"
for attempt in 1 2 3 4 5; do
  k patch deployment/shop --type=json -p '[{"op": "remove", "path": "/spec/template/metadata/annotations"}]' >/dev/null 2>&1 || true
  k rollout status deployment/shop --timeout=60s >/dev/null
  wait_until 20 goes_on_after 300
  back_up "unprotected-$attempt" "  onInconsistent: Keep"
  note "consistency: $(k get "vb/unprotected-$attempt" -o 'jsonpath={.status.consistency} ({.status.consistencyReason})')"
  bring_back "unprotected-$attempt"
  note "the shop $opened"
  [[ $opened == *": 0 of them without a ledger line, 0 ledger lines without an order" ]] || break
  note "(lucky: both cuts fell between two orders; once more)"
done

say "6. The controller is killed while the application stands still"
k apply -f "$shop" >/dev/null
k rollout status deployment/shop --timeout=60s >/dev/null
wait_until 20 goes_on_after 300
k create -f - >/dev/null <<YAML
apiVersion: backups.example.com/v1alpha1
kind: VolumeBackup
metadata: {name: killed}
spec:
  applicationRef: shop
  hooks:
  - name: slow  # holds, and does not say so
    mode: Held
    shell: |
      ${silent_hold//$'\n'/$'\n'      }
YAML
stands_still() { k exec deploy/shop -- sh -c "[ -e \"/tmp/\$HOSTNAME.held\" ]"; }
wait_until 20 stands_still
still=$(orders)
sleep 0.5
note "it stands still: $still orders; half a second later: $(orders)"
killed_at=$(date +%s.%N)
{ kill -9 "$controller" && wait "$controller"; } 2>/dev/null || true # bash would tell of its death
wait_until 20 goes_on_after "$still"
note "kill -9 of the controller; the next order came $(first_order_after "$killed_at") ms later, without any controller"
start_controller
wait_until 10 k wait volumebackup/killed --for=jsonpath='{.status.reason}'=ThawedAfterRestart --timeout=10s
note "the next controller finds what was begun, and says so"
shown get volumebackup killed

say "Done in $SECONDS s. Nothing of it is left on this machine."
