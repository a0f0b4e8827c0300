#!/bin/bash
# image.sh [NAME:TAG]: build/image/stillpoint.tar, a docker-archive of the container image. With
# docker, podman or buildah at hand it is built from the Dockerfile; else the same contents are
# packed without a daemon, by the same tools/image_rootfs.sh that the Dockerfile runs.
set -euo pipefail
cd "$(dirname "$0")/.."
# The name that deploy/ asks for.
name=${1:-$(sed -n 's/^ *image: //p' deploy/base/controller/deployment.yaml)}
out=build/image/stillpoint.tar
mkdir -p build/image
rm -f "$out"

engine() {
  local candidate
  for candidate in docker podman buildah; do
    # A client without its daemon is no engine.
    if "$candidate" info &>/dev/null; then echo "$candidate" && return; fi
  done
}

case ${STILLPOINT_IMAGE_ENGINE-$(engine)} in
  docker) docker build -q -t "$name" . >/dev/null && docker save -o "$out" "$name" ;;
  podman) podman build -q -t "$name" . >/dev/null && podman save -q -o "$out" "$name" ;;
  buildah)
    buildah build -q -t "$name" . >/dev/null
    buildah push -q "$name" "docker-archive:$out:$name"
    ;;
  *)
    tools/build.sh release stillpoint
    tools/image_rootfs.sh build/release/stillpoint build/image/rootfs
    e2e/cluster/mkimage.py --user 65532:65532 build/image/rootfs "$name" "$out" /stillpoint
    ;;
esac
echo "image: $name in $out," "$(numfmt --to=iec "$(stat -c %s "$out")")," \
  "compressed $(gzip -6 -c "$out" | wc -c | numfmt --to=iec)"
