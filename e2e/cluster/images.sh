#!/bin/bash
# images.sh build: the container images of the tests, into the cache.
# images.sh import: those, into the cluster's containerd.
#
#   docker.io/local/tools:1       busybox; sleeps unless told otherwise
#   docker.io/local/mariadb:1     Debian's MariaDB server
#   docker.io/local/scratchpad:1  one program that sleeps: no shell, no tools
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

images=(tools mariadb scratchpad)

archive_of() {
  local inputs=(mkimage.py "@$(declare -f "rootfs_$1")")
  [[ $1 == tools ]] && inputs+=("@$(dpkg-query -W -f '${Version}' busybox-static)")
  [[ -d $here/images/$1 ]] && inputs+=("images/$1")
  echo "$cache/image-$1-$(hash_of "${inputs[@]}").tar"
}

# rootfs_NAME WORK prints the root file system (a folder or a tar in WORK) and the entry point.
rootfs_tools() {
  local root=$1/root
  mkdir -p "$root"/{bin,etc,tmp,root}
  chmod 1777 "$root/tmp"
  cp /bin/busybox "$root/bin/busybox"
  chroot "$root" /bin/busybox --install -s /bin
  echo "root:x:0:0:root:/root:/bin/sh" >"$root/etc/passwd"
  echo "$root /bin/sleep infinity"
}

rootfs_mariadb() {
  local from=$here/images/mariadb
  # shellcheck disable=SC2016 # the hooks' own "$1" is the root file system
  SOURCE_DATE_EPOCH=0 nice mmdebstrap --quiet --mode=root --variant=minbase \
    --include=mariadb-server,procps \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    --customize-hook='rm -rf "$1"/var/lib/mysql "$1"/var/log/mysql/* "$1"/usr/share/mysql/mysql-test' \
    --customize-hook='mkdir -p "$1"/var/lib/mysql' \
    --customize-hook='chroot "$1" chown mysql:mysql /var/lib/mysql' \
    --customize-hook="copy-in '$from/test.cnf' /etc/mysql/mariadb.conf.d" \
    --customize-hook="copy-in '$from/entrypoint.sh' /usr/local/bin" \
    --customize-hook='mv "$1"/etc/mysql/mariadb.conf.d/test.cnf "$1"/etc/mysql/mariadb.conf.d/99-test.cnf' \
    --customize-hook='chmod 755 "$1"/usr/local/bin/entrypoint.sh' \
    --customize-hook='rm -rf "$1"/var/cache/* "$1"/var/lib/apt/lists/* "$1"/var/log/*.log' \
    bookworm "$1/root.tar" >&2
  echo "$1/root.tar /usr/local/bin/entrypoint.sh"
}

rootfs_scratchpad() {
  local root=$1/root
  mkdir -p "$root/tmp"
  chmod 1777 "$root/tmp"
  CGO_ENABLED=0 GOWORK=off go build -trimpath -ldflags='-s -w' -o "$root/scratchpad" \
    "$here/images/scratchpad/main.go"
  echo "$root /scratchpad"
}

build() { # NAME
  local archive start=$SECONDS made
  archive=$(archive_of "$1")
  if [[ -f $archive ]]; then
    touch "$archive"
    say "image $1: built"
    return
  fi
  need_root
  say "image $1: building"
  mkdir -p "$cache"
  work=$(mktemp -d)
  trap 'rm -rf --one-file-system "$work"' EXIT
  made=$("rootfs_$1" "$work")
  # shellcheck disable=SC2086 # the words of the entry point
  set -- "$1" $made
  "$here/mkimage.py" "$2" "docker.io/local/$1:1" "$archive.tmp" "${@:3}"
  mv "$archive.tmp" "$archive"
  rm -rf --one-file-system "$work"
  say "image $1: built in $((SECONDS - start)) s, $(du -h "$archive" | cut -f1)"
}

for image in "${images[@]}"; do
  case ${1:-} in
    build) build "$image" ;;
    import) ctr -a "$state/containerd.sock" -n k8s.io images import "$(archive_of "$image")" >/dev/null ;;
    *) die "usage: images.sh build|import" ;;
  esac
done
