#include "hooks/reap_script.h"

#include <fmt/format.h>

namespace stillpoint::hooks {
namespace {

// $0 the shell, $1 the key. What it does, part by part:
//
// carries          Whether the file of that process holds the text. `read` drops the NULs, and
//                  fails for ever, with x as it was, when the process is gone meanwhile.
// look             hold: the hold script, in all its parts. reader: the part of it that waits for
//                  the request to release; without it the command gets its end-of-file. rest: what
//                  is ended by signals: the guard and the processes of its hook, and those of a
//                  held one whose script has died. A zombie carries nothing.
//                  The own arguments hold the key too, but not after one of these words.
// The passes       Ten a second. The guard's way: TERM, and after 0.4 s KILL. A held hook has 5 s
//                  to let go and its script a moment to end it: after 6 s they are killed.
constexpr std::string_view kScript = R"(exec 2>/dev/null
[ -r /proc/self/stat ] || exit 123
carries() { while x=; read -r x || [ -n "$x" ]; do case $x in *"$2"*) return 0; esac; done <"/proc/$1/$3"; return 1; }
look() {
hold= reader= rest=
for d in /proc/[0-9]*; do
d=${d#/proc/}
if carries $d "hold:$1" cmdline; then hold="$hold $d"
elif carries $d "reader:$1" cmdline; then reader="$reader $d"
elif carries $d "guard:$1" cmdline || carries $d "STILLPOINT_HOOK=$1" environ; then rest="$rest $d"
fi
done
}
n=0
while [ $n -lt 75 ]; do
look "$1"
[ -n "$hold$reader$rest" ] || exit 0
if [ $n -gt 60 ]; then kill -9 $hold $reader $rest
elif [ -n "$hold$reader" ]; then kill -9 $reader
elif [ $n -lt 4 ]; then kill $rest
else kill -9 $rest
fi
n=$((n+1))
sleep 0.1 || sleep 1
done
exit 1)";

}  // namespace

std::string HookKey(std::string_view backup_uid, std::size_t target) {
  return fmt::format("{}.{};", backup_uid, target);
}

std::vector<std::string> ReapArgv(const std::string& shell, const std::string& key) {
  return {shell, "-c", std::string(kScript), shell, key, "reap"};
}

}  // namespace stillpoint::hooks
