#!/bin/bash
# up.sh [STATE_DIR]: a real Kubernetes of one node with CSI snapshots, as processes of this machine.
# Nothing happens if it is up already; a broken one is cleared first. build.sh is run before.
#
#   SNAPSHOTTER_FLAGS   more flags for csi-snapshotter and snapshot-controller, for example
#                       "--kube-api-qps=200 --kube-api-burst=400" (their own limits are 5 and 10)
set -euo pipefail
[[ ${1:-} ]] && export STILLPOINT_CLUSTER_STATE=$1
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

read -ra snapshotter_flags <<<"${SNAPSHOTTER_FLAGS:-}"
api=https://$node_ip:6443
export KUBECONFIG=$state/admin.kubeconfig
export PATH=$state/bin:$PATH
kubectl() { "$state/bin/kubectl" --request-timeout=10s "$@"; }
ctr() { command ctr -a "$state/containerd.sock" -n k8s.io "$@"; }

# --- is there one already? ---------------------------------------------------------------------------

node_ready() {
  [[ $(kubectl get node "$node" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}') == True ]]
}
driver_registered() {
  [[ " $(kubectl get csinode "$node" -o 'jsonpath={.spec.drivers[*].name}') " == *" btrfs.csi.test "* ]]
}
healthy() {
  [[ -e $state/is-up && $(link_owner) == "$state" ]] || return 1
  local service
  for service in "$state"/service/*/; do
    "$here/service.sh" start "$(basename "$service")" || return 1
  done
  wait_for 20 kubectl get --raw /readyz && wait_for 20 node_ready && wait_for 20 driver_registered
}

say_where() {
  say "$1"
  echo "export KUBECONFIG=$KUBECONFIG PATH=$state/bin:\$PATH"
}

refuse_other_clusters() {
  local owner comm name
  owner=$(link_owner)
  [[ ! $owner || $owner == "$state" ]] ||
    die "a cluster is up in $owner, and this machine can hold only one: $here/down.sh $owner"
  while read -r comm; do
    name=$(readlink "${comm%/comm}/exe") || continue # a zombie
    die "$name is running: this machine is a node of another Kubernetes, which this one would disturb"
  done < <(grep -lxE 'kubelet|kube-proxy' /proc/[0-9]*/comm 2>/dev/null)
}

# --- parts -------------------------------------------------------------------------------------------

folders() {
  mkdir -p "$state"/{bin,crd,pki,log/pods,service,etcd,kubelet,cni,containerd,btrfs}
  touch "$state/.stillpoint-cluster" # down.sh removes only a folder that has this
  "$here/build.sh" --path >"$state/programs"
  local part
  while read -r part; do
    ln -s "$part"/bin/* "$state/bin/"
    [[ ! -d $part/crd ]] || cp "$part"/crd/* "$state/crd/"
  done <"$state/programs"
}

network() {
  # The kubelet and kube-proxy change these; down.sh puts them back.
  sysctl net.ipv4.ip_forward vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops \
    >"$state/sysctl.before"
  sysctl -qw net.ipv4.ip_forward=1
  # A bridge without ports, as not every kernel has dummy links.
  ip link add "$link" type bridge
  ip link set "$link" alias "$state"
  ip address add "$node_ip/32" dev "$link"
  ip link set "$link" up
  # A service address that kube-proxy does not know must not be looked for outside.
  ip route add "$service_net" dev "$link"
}

certificates() (
  cd "$state/pki"
  key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
  openssl req -x509 "${key[@]}" -days 3650 -subj /CN=stillpoint-test-ca -keyout ca.key -out ca.crt 2>/dev/null
  openssl ecparam -name prime256v1 -genkey -noout -out sa.key
  certificate() { # NAME SUBJECT SUBJECT_ALT_NAME
    openssl req "${key[@]}" -subj "$2" -keyout "$1.key" -out "$1.csr" 2>/dev/null
    openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 -out "$1.crt" \
      -extfile <(echo "subjectAltName=$3") 2>/dev/null
  }
  certificate apiserver /CN=kube-apiserver "IP:$node_ip,IP:${service_net%.0/*}.1,DNS:kubernetes.default.svc"
  certificate kubelet "/O=system:nodes/CN=system:node:$node" "IP:$node_ip,DNS:$node"
  certificate admin /O=system:masters/CN=admin DNS:admin
  certificate csi /O=system:masters/CN=csi DNS:csi
  certificate kcm /CN=system:kube-controller-manager DNS:kcm
  certificate scheduler /CN=system:kube-scheduler DNS:scheduler
  certificate proxy /CN=system:kube-proxy DNS:proxy
  for user in admin csi kcm scheduler kubelet proxy; do
    (umask 077 && cat >"$state/$user.kubeconfig") <<K
apiVersion: v1
kind: Config
clusters:
- name: stillpoint-test
  cluster:
    server: $api
    certificate-authority-data: $(base64 -w0 ca.crt)
users:
- name: $user
  user:
    client-certificate-data: $(base64 -w0 $user.crt)
    client-key-data: $(base64 -w0 $user.key)
contexts:
- name: stillpoint-test
  context: {cluster: stillpoint-test, user: $user}
current-context: stillpoint-test
K
  done
)

configuration() {
  # What everybody but Kubernetes itself asks of the API server: $state/log/audit.log, one JSON per line.
  cat >"$state/audit-policy.yaml" <<'Y'
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  userGroups: [system:nodes, system:serviceaccounts:kube-system]
- level: None
  users: [system:apiserver, system:kube-controller-manager, system:kube-scheduler, system:kube-proxy]
- level: None
  nonResourceURLs: ["/readyz*", "/livez*", "/healthz*", "/openapi*", "/api*", "/version"]
- level: Metadata
Y
  cat >"$state/cni/10-stillpoint.conflist" <<J
{
  "cniVersion": "1.0.0",
  "name": "stillpoint",
  "plugins": [{
    "type": "ptp",
    "ipam": {
      "type": "host-local",
      "dataDir": "$state/cni/addresses",
      "ranges": [[{"subnet": "${node_ip%.*}.0/24", "rangeStart": "${node_ip%.*}.10", "gateway": "$node_ip"}]],
      "routes": [{"dst": "0.0.0.0/0"}]
    }
  }]
}
J
  cat >"$state/containerd.toml" <<T
version = 2
root = "$state/containerd/root"
state = "$state/containerd/state"
[grpc]
  address = "$state/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "$state/containerd/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$tools_image"
  netns_mounts_under_state_dir = true
  disable_apparmor = true
  restrict_oom_score_adj = true # in a container or small VM a negative value may be refused
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$state/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      Root = "$state/containerd/runc"
T
  cat >"$state/kubelet.yaml" <<Y
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $node_ip
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: false}
  x509: {clientCAFile: $state/pki/ca.crt}
authorization: {mode: AlwaysAllow}
tlsCertFile: $state/pki/kubelet.crt
tlsPrivateKeyFile: $state/pki/kubelet.key
containerRuntimeEndpoint: unix://$state/containerd.sock
podLogsDir: $state/log/pods
volumePluginDir: $state/kubelet/volume-plugins
resolvConf: ""
clusterDNS: [${service_net%.0/*}.10]
cgroupDriver: cgroupfs
cgroupsPerQOS: false
enforceNodeAllocatable: [none]
failCgroupV1: false
failSwapOn: false
localStorageCapacityIsolation: false
evictionHard: {memory.available: 50Mi, nodefs.available: 1%, imagefs.available: 1%, nodefs.inodesFree: 1%}
imageGCHighThresholdPercent: 100
syncFrequency: 10s
Y
}

service() { # NAME COMMAND...
  local dir=$state/service/$1 program
  program=$(readlink -f "$(command -v "$2")")
  mkdir -p "$dir"
  printf '%s\0' "$program" "${@:3}" >"$dir/argv"
  "$here/service.sh" start "$1"
}

control_plane() {
  local pki=$state/pki
  service etcd etcd --data-dir "$state/etcd" --unsafe-no-fsync \
    --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
    --listen-peer-urls http://127.0.0.1:2380
  service apiserver kube-apiserver --etcd-servers http://127.0.0.1:2379 \
    --bind-address "$node_ip" --advertise-address "$node_ip" --secure-port 6443 \
    --tls-cert-file "$pki/apiserver.crt" --tls-private-key-file "$pki/apiserver.key" --client-ca-file "$pki/ca.crt" \
    --kubelet-client-certificate "$pki/admin.crt" --kubelet-client-key "$pki/admin.key" \
    --kubelet-certificate-authority "$pki/ca.crt" --kubelet-preferred-address-types InternalIP \
    --service-account-key-file "$pki/sa.key" --service-account-signing-key-file "$pki/sa.key" \
    --service-account-issuer https://kubernetes.default.svc --service-cluster-ip-range "$service_net" \
    --authorization-mode Node,RBAC --allow-privileged \
    --audit-policy-file "$state/audit-policy.yaml" --audit-log-path "$state/log/audit.log" --audit-log-maxsize 200
}

node_services() {
  service containerd "$(command -v containerd)" --config "$state/containerd.toml"
  wait_for 20 ctr version || die "containerd does not answer: see $state/log/containerd.log"
  "$here/images.sh" import
  service kubelet kubelet --config "$state/kubelet.yaml" --kubeconfig "$state/kubelet.kubeconfig" \
    --hostname-override "$node" --node-ip "$node_ip" --root-dir "$state/kubelet" --cert-dir "$state/kubelet/pki"
}

controllers() {
  local pki=$state/pki
  service kcm kube-controller-manager --kubeconfig "$state/kcm.kubeconfig" --bind-address 127.0.0.1 \
    --use-service-account-credentials --service-account-private-key-file "$pki/sa.key" \
    --root-ca-file "$pki/ca.crt" --flex-volume-plugin-dir "$state/kubelet/volume-plugins" --leader-elect=false
  service scheduler kube-scheduler --kubeconfig "$state/scheduler.kubeconfig" --bind-address 127.0.0.1 \
    --leader-elect=false
  # What it would set by itself in the kernel outlives it, so it is told not to.
  service proxy kube-proxy --kubeconfig "$state/proxy.kubeconfig" --hostname-override "$node" \
    --proxy-mode iptables --cluster-cidr "${node_ip%.*}.0/24" --healthz-bind-address 127.0.0.1:10256 \
    --iptables-localhost-nodeports=false --conntrack-max-per-core 0 \
    --conntrack-tcp-timeout-established 0s --conntrack-tcp-timeout-close-wait 0s
}

volumes() {
  truncate -s 16G "$state/btrfs.img" # sparse
  mkfs.btrfs -q "$state/btrfs.img" >/dev/null
  mount -o loop "$state/btrfs.img" "$state/btrfs"
}

storage() {
  local socket=$state/kubelet/plugins/btrfs/csi.sock
  service driver btrfs-csi -root "$state/btrfs" -node "$node" -endpoint "$socket" \
    -registration "$state/kubelet/plugins_registry/btrfs-reg.sock"
  wait_for 10 test -S "$socket" || die "the CSI driver does not listen: see $state/log/driver.log"
  service csi-provisioner csi-provisioner --csi-address "$socket" --kubeconfig "$state/csi.kubeconfig" \
    --default-fstype "" --extra-create-metadata --kube-api-qps 100 --kube-api-burst 100
  service csi-snapshotter csi-snapshotter --csi-address "$socket" --kubeconfig "$state/csi.kubeconfig" \
    --extra-create-metadata --feature-gates=CSIVolumeGroupSnapshot=true "${snapshotter_flags[@]}"
  service snapshot-controller snapshot-controller --kubeconfig "$state/csi.kubeconfig" \
    --feature-gates=CSIVolumeGroupSnapshot=true "${snapshotter_flags[@]}"
}

# --- the order ---------------------------------------------------------------------------------------

need_root
"$here/build.sh"
lock
if healthy 2>/dev/null; then
  say_where "is up in $state"
  "$here/build.sh" --path | cmp -s - "$state/programs" ||
    say "its programs are older than this checkout; for new ones: $here/down.sh, then up.sh"
  exit
fi
start=$SECONDS
if [[ -e $state/.stillpoint-cluster || $(link_owner) == "$state" ]]; then
  say "clearing what is left of an earlier one in $state"
  "$here/down.sh" --locked "$state"
fi
[[ ! $(ls -A "$state" 2>/dev/null) ]] || die "$state is not empty, and not a cluster's: choose another folder"
refuse_other_clusters

say "starting in $state"
folders
network
certificates
configuration
control_plane
node_services &
node_services=$!
volumes
wait_for 60 kubectl get --raw /readyz || die "the API server is not ready: see $state/log/apiserver.log"
controllers
kubectl create -f "$state/crd" >/dev/null
kubectl wait --for=condition=Established --timeout=30s -f "$state/crd" >/dev/null
wait "$node_services" || die "the node does not start"
storage
wait_for 20 kubectl apply -f "$here/manifests" || die "the objects in $here/manifests cannot be made"
wait_for 60 node_ready || die "the node is not ready: see $state/log/kubelet.log"
wait_for 60 driver_registered || die "the driver is not registered: see $state/log/driver.log"
wait_for 60 kubectl get serviceaccount default || die "the controller manager does not work: see $state/log/kcm.log"
touch "$state/is-up"
say_where "up in $((SECONDS - start)) s"
