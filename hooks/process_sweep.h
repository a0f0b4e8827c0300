// What the guard and the hold script share: finding and ending the processes of a hook. Private to
// them.
#pragma once

#include <string_view>

namespace stillpoint::hooks {

// Functions for a shell script. They want: $c, the process that leads the hook; $m, the mark that
// its environment carries as STILLPOINT_HOOK; $born, since when it can have processes; $seen,
// empty.
//
// stat_of PID      Sets s(tate), p(arent), g (session), b(orn, in ticks since boot). The name of
//                  the process, in brackets, may hold spaces and brackets: all up to the last ") "
//                  goes.
// marked PID       Looks for the mark in the environment: it finds daemons, which have left the
//                  session and the tree. `read` drops the NULs between the variables, and fails for
//                  ever, with x as it was, when the process is gone meanwhile.
// ours PID         Born not before the script, no zombie, and: known, child of one known, of the
//                  hook's session, or marked. Seen once is known for good: parents die first.
// look             Collects in `found` all processes that are ours, until a pass adds none.
// finish           Ends them: TERM, 0.4 s, then KILL. Signal 0 only waits. It ignores TERM itself,
//                  as it must not be interrupted by the script's own clean-up. -$c is the hook's
//                  process group, for a container without /proc.
inline constexpr std::string_view kProcessSweep =
    R"(stat_of() { read -r x <"/proc/$1/stat" || return; set -- ${x##*) }; s=$1 p=$2 g=$4 b=${20}; }
marked() { while x=; read -r x || [ -n "$x" ]; do case $x in *"STILLPOINT_HOOK=$m"*) return 0; esac; done <"/proc/$1/environ"; return 1; }
ours() {
case $s in Z|X) return 1; esac
[ "$b" -lt "$born" ] && return 1
case " $c $seen" in *" $1 "*|*" $p "*) return 0; esac
[ "$g" = "$c" ] || marked "$1"
}
look() {
found= last=.
while [ "$found" != "$last" ]; do
last=$found
for d in /proc/[0-9]*; do
d=${d#/proc/}
case " $found" in *" $d "*) continue; esac
stat_of "$d" && ours "$d" && found="$found$d " seen="$seen$d "
done
done
}
finish() {
trap '' TERM
for k in TERM 0 0 0 0 9 9 9 9 9 9; do
look
[ -n "$found" ] || [ ! -r /proc/self/stat ] || return
kill "-$k" "-$c" ${found:-$c}
sleep 0.1 || sleep 1
done
}
)";

}  // namespace stillpoint::hooks
