// fsfreeze: the file system itself. Needs CAP_SYS_ADMIN.
//
// Only a mount point of its own is frozen: on the file system that the container runs from, or from
// which the node gives it its hosts file, nothing could run any more to thaw it. To unfreeze what
// is not frozen is an error, and so the release vouches for the freeze. The freeze outlives its
// holder: hence the thaw, which proves that nothing is frozen: to create a file waits while it is,
// before it can fail for any other reason (mnt_want_write in fs/namespace.c of Linux), so that any
// answer will do.
#include "hooks/hold_script.h"
#include "hooks/profiles/all.h"

#include <fmt/format.h>

namespace stillpoint::hooks::profiles {
namespace {

constexpr std::string_view kHold = R"(d= own=
while read -r id parent dev root at rest; do
[ "$at" != "$p" ] || d=$dev
case $at in
/|/etc/hosts|/etc/hostname|/etc/resolv.conf|/dev/termination-log) own="$own $dev ";;
esac
done </proc/self/mountinfo
[ -n "$d" ] || { echo "$p is no mount point in this container" >&2; exit 1; }
case $own in *" $d "*) echo "$p is on a file system that the container or its node runs from" >&2; exit 1; esac
fsfreeze --freeze "$p" || exit
echo STILLPOINT HELD
while read -r x; do :; done
exec fsfreeze --unfreeze "$p")";

constexpr std::string_view kThaw = R"(fsfreeze --unfreeze "$p" 2>/dev/null && exit
f=$p/.stillpoint-thaw.$$
{ : >"$f"; } 2>/dev/null
rm -f "$f" 2>/dev/null
exit 0)";

}  // namespace

ProfileCommands Fsfreeze(const ProfileInput& input) {
  const std::string path = fmt::format("p={}\n", ShellQuoted({input.path}));
  return {.hold = path + std::string(kHold), .thaw = path + std::string(kThaw)};
}

}  // namespace stillpoint::hooks::profiles
