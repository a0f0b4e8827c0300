#!/bin/bash
# build.sh: the programs and images of the test cluster, into a cache outside the checkout.
# About 8 minutes and 3 GB the first time on two cores, a second when nothing changed.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

case ${1:-} in
  '' | --path) ;;
  *) die "usage: build.sh [--path]   (--path: only print the folders that hold the programs)" ;;
esac

kubernetes_version=1.36.3
parts=(etcd kubernetes snapshotter provisioner driver)
packages=(containerd runc containernetworking-plugins iptables conntrack iproute2 kmod
  btrfs-progs busybox-static openssl python3 mmdebstrap)

export CGO_ENABLED=0 GOWORK=off GOFLAGS="-mod=readonly -trimpath -buildvcs=false"
ldflags="-s -w
  -X k8s.io/component-base/version.gitVersion=v$kubernetes_version
  -X k8s.io/component-base/version.gitMajor=${kubernetes_version%%.*}
  -X k8s.io/component-base/version.gitMinor=$(cut -d. -f2 <<<"$kubernetes_version")"

source_of() { case $1 in driver) echo driver ;; *) echo "modules/$1" ;; esac; }

folder_of() { echo "$cache/$1-$(hash_of "$(source_of "$1")" "@$ldflags $GOFLAGS")"; }

install_packages() {
  local missing=() package
  for package in "${packages[@]}"; do
    [[ $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) == *"ok installed" ]] || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  need_root
  say "installing ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

need_go() {
  command -v go >/dev/null ||
    die "go is missing: Go 1.26 or newer is needed (https://go.dev/dl); Debian 12's package is too old"
  local version
  version=$(cd "$here/modules/etcd" && go version 2>&1) ||
    die "Go 1.26 or newer is needed (https://go.dev/dl): $version"
}

build_part() { # NAME FOLDER
  local work=$2.tmp.$$ source
  source=$here/$(source_of "$1")
  rm -rf "$2".tmp.*
  mkdir -p "$work/bin"
  case $1 in
    driver) (cd "$source" && nice go build -ldflags "$ldflags" -o "$work/bin/btrfs-csi" .) ;;
    *) (cd "$source" && GOBIN=$work/bin nice go install -ldflags "$ldflags" tool) ;;
  esac
  case $1 in
    etcd) mv "$work/bin/server" "$work/bin/etcd" ;;
    snapshotter)
      local client
      client=$(cd "$source" && go list -m -f '{{.Dir}}' github.com/kubernetes-csi/external-snapshotter/client/v8)
      mkdir "$work/crd"
      install -m 644 "$client"/config/crd/*snapshot.storage.k8s.io_*.yaml "$work/crd/"
      ;;
  esac
  mv "$work" "$2"
}

if [[ ${1:-} == --path ]]; then
  for part in "${parts[@]}"; do folder_of "$part"; done
  exit
fi

lock
install_packages
for part in "${parts[@]}"; do
  folder=$(folder_of "$part")
  if [[ -d $folder ]]; then
    touch "$folder"
    say "$part: built"
    continue
  fi
  need_go
  say "$part: building"
  start=$SECONDS
  build_part "$part" "$folder"
  say "$part: built in $((SECONDS - start)) s"
done
"$here/images.sh" build
find "$cache" -mindepth 1 -maxdepth 1 -mtime +14 -exec rm -rf {} + # not used for two weeks
say "everything is in $cache"
