#!/bin/bash
# image_rootfs.sh PROGRAM FOLDER: the image's root file system: the program, the shared libraries
# that it loads, the certificates of public authorities, a user. No shell, no package manager.
set -euo pipefail
umask 022
program=$1
root=$2
rm -rf "$root"
mkdir -p "$root"/{etc/ssl/certs,tmp,usr/lib/ssl}
chmod 1777 "$root/tmp"
install -m 755 "$program" "$root/stillpoint"

# ldd names the loader and every library, direct or not, by the path that it would load.
ldd "$program" | grep -oE '/[^ ]+' | while read -r library; do
  install -D -m 755 "$(readlink -f "$library")" "$root$library"
done
# Host names are looked up in /etc/hosts and by DNS: both are in the C library itself since 2.34.
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
install -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
ln -s /etc/ssl/certs/ca-certificates.crt "$root/usr/lib/ssl/cert.pem" # where OpenSSL looks
echo 'nonroot:x:65532:65532:nonroot:/:/sbin/nologin' >"$root/etc/passwd"
echo 'nonroot:x:65532:' >"$root/etc/group"
find "$root" -exec touch -h -d @0 {} +
