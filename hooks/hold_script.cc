#include "hooks/hold_script.h"

#include "hooks/begin_request.h"
#include "hooks/process_sweep.h"

#include <fmt/format.h>

namespace stillpoint::hooks {
namespace {

// $0 the shell, $1 the command's text, $2 the bound in seconds, $4 "hold:" and its key. As the
// guard it travels in the URL of an exec, so it is short; what it does, part by part:
//
// exec 3<&0        The stream is kept for the reader alone.
// case $2          Not every `sleep` knows fractions: then the next whole second.
// A | B            A's stdout is the command's stdin: A ends it by closing it, and nobody else
//                  holds it. B runs the command. What both have to tell goes through fd 5 to C,
//                  which so learns the order in which it happened.
// A, the reader    Exits with 0 at the request and with 1 at the end of the stream. Neither has the
//                  last word when the timer kills it first, or the reap script: its exit status
//                  says what was first. A shell of its own, so that the latter can find it.
// A, the timer     Leaves no `sleep` and no zombie behind; see the guard. C may be gone when A
// tells
//                  its last word: hence the trap.
// B                The session of the command is its own, so that it can be ended. The shell's own
//                  words (bash: "Terminated") are no output of the hook.
// C                The first word that is not about a process is what the command gets its
//                  end-of-file for; from then on it has the grace. An end before that ends the
//                  reader, and with it A. Codes as in the header.
// stdout, stderr   stay open in the script: containerd closes stdin as soon as one has ended.
constexpr std::string_view kBegin = R"(exec 3<&0 </dev/null 4>&1
k=${4#*:}
sleep 0 || exit 123
case $2 in *.*) sleep 0.01 2>/dev/null || set -- "$1" $((${2%.*}+1)); esac
)";
constexpr std::string_view kPrepare = R"(seen= b=0
stat_of $$
born=$b m="$k$$.$b;"
set -- "$1" "$2"
command -v setsid >/dev/null && set -- "$@" setsid
)";
constexpr std::string_view kRest = R"({ {
"$0" -c 'while read -r x; do [ "$x" = release ] && exit; done; exit 1' "$0" "reader:$k" <&3 >/dev/null 2>&1 4>&- 5>&- &
r=$!
(trap 'kill -9 $!; wait $!; exit' TERM; sleep "$2" & wait $! && kill -9 $r) >/dev/null 2>&1 3<&- 4>&- 5>&- &
t=$!
trap '' PIPE
exec 2>/dev/null 3<&- 4>&-
echo "reader $r" >&5
wait $r
case $? in 0) x=release;; 1) x=stream;; *) x=bound; esac
echo $x >&5
exec >/dev/null
kill $t
wait $t
} | {
exec 6<&0 </dev/null
STILLPOINT_HOOK=$m $3 "$0" -c "$1" <&6 >&4 3<&- 4>&- 5>&- 6<&- &
c=$!
exec 2>/dev/null 3<&- 4>&- 6<&-
echo "command $c" >&5
wait $c
echo "end $?" >&5
}; } 5>&1 | {
exec 2>/dev/null 3<&- 4>&-
n= r= a= e=
while [ -z "$n" ] || [ -z "$r" ]; do
read -r x y || break
case $x in
reader) r=$y;;
command) c=$y;;
end) n=$y;;
*) a=$x
(trap 'kill -9 $!; wait $!; exit' TERM; sleep 5 & wait $! && finish) &
e=$!
esac
done
[ -n "$a" ] || kill -9 $r
[ "$n" = 0 ] || finish
kill $e
wait $e
[ "$n" = 0 ] || exit "${n:-137}"
case $a in release) exit 0;; stream) exit 120;; bound) exit 121; esac
exit 122
})";

}  // namespace

std::vector<std::string> HeldArgv(const std::string& shell, const std::string& command,
                                  std::chrono::milliseconds bound, const std::string& key) {
  static const std::string script =
      fmt::format("{}{}{}{}{}", kBegin, kProcessSweep, kPrepare, kAwaitBegin, kRest);
  const auto millis = bound.count();
  std::string seconds = millis % 1000 == 0 ? fmt::format("{}", millis / 1000)
                                           : fmt::format("{}.{:03}", millis / 1000, millis % 1000);
  return {shell, "-c", script, shell, command, std::move(seconds), "hold", "hold:" + key};
}

std::string ShellQuoted(const std::vector<std::string>& argv) {
  std::string text;
  for (const std::string& word : argv) {
    if (!text.empty()) text += ' ';
    text += '\'';
    for (const char c : word) {
      if (c == '\'') {
        text += "'\\''";
      } else {
        text += c;
      }
    }
    text += '\'';
  }
  return text;
}

}  // namespace stillpoint::hooks
