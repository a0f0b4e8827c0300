#!/bin/bash
# import.sh ROOTFS_OR_TAR NAME:TAG [ENTRYPOINT...]: an image, into the cluster's containerd.
# The first argument is a root file system (a folder, or a tar of it), or an image archive as docker
# or podman save it. Pods then name it NAME:TAG, with imagePullPolicy: Never or IfNotPresent.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

(($# >= 2)) || die "usage: import.sh ROOTFS_OR_TAR NAME:TAG [ENTRYPOINT...]"
need_root
rootfs=$1
name=$2
[[ -e $rootfs ]] || die "$rootfs does not exist"
[[ -S $state/containerd.sock ]] || die "no cluster is up in $state"
case $name in # containerd knows an image only by its full name
  *.*/* | *:*/* | localhost/*) ;;
  */*) name=docker.io/$name ;;
  *) name=docker.io/library/$name ;;
esac
[[ ${name##*/} == *:* ]] || name+=:latest

ctr() { command ctr -a "$state/containerd.sock" -n k8s.io "$@"; }

if [[ -f $rootfs ]] && (($(tar -tf "$rootfs" | grep -cxE '(\./)?(manifest|index)\.json') > 0)); then
  imported=$(ctr images import "$rootfs" | sed -n 's/^unpacking \([^ ]*\) .*/\1/p' | sed -n 1p)
  [[ $imported ]] || die "$rootfs: no image in it"
  [[ $imported == "$name" ]] || ctr images tag --force "$imported" "$name" >/dev/null
else
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  "$here/mkimage.py" "$rootfs" "$name" "$work/image.tar" "${@:3}"
  ctr images import "$work/image.tar" >/dev/null
fi
say "imported $name"
