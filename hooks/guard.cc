#include "hooks/guard.h"

#include "hooks/begin_request.h"
#include "hooks/process_sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace stillpoint::hooks {
namespace {

// $0 the shell, $1 the hook's text, $2 its bound in seconds, $3 "stream" to end it with the stream,
// $4 "guard:" and its key. It travels in the URL of every exec, so it is short; what it does, part
// by part:
//
// exec 3<&0        A shell without job control gives background jobs an empty stdin: the stream is
//                  kept as fd 3 for the watcher alone, the hook gets /dev/null.
// kProcessSweep    process_sweep.h.
// kAwaitBegin      begin_request.h. What can be done before is done before: it costs no time then.
// exec 4>&2        What the guard's own shell says (bash: "Terminated") is not output of the hook.
//                  But stderr stays open, as stdout does: containerd closes stdin as soon as one of
//                  them has ended, and a hook that redirects its own would be taken for a lost
//                  stream.
// The trap on 0    A shell that can fork no more exits: not without the hook that it was to bound.
//                  Not in a subshell: when a TERM comes to a bash that was just forked, it has the
//                  trap still, and would end what a finished hook has left in the background.
//                  `case`, as bash misreads the result of `[` at that moment.
// The timer        Must leave no `sleep` behind when the hook ends first, nor a zombie of it: not
//                  every container's first process reaps. `wait` is interrupted by the trap. KILL,
//                  as a shell that was just forked loses a TERM. It is started before the watcher,
//                  so that its $! can never name the watcher.
// The end          A TERM ends the idle watcher and timer; one that is in `finish` is waited for.
constexpr std::string_view kBegin = R"(exec 3<&0 </dev/null
)";
constexpr std::string_view kPrepare = R"(seen= w= b=0
stat_of $$
born=$b m="${4#*:}$$.$b;"
command -v setsid >/dev/null && set -- "$@" setsid
)";
constexpr std::string_view kRest = R"(STILLPOINT_HOOK=$m $5 "$0" -c "$1" 3<&- &
c=$!
trap 'case ${BASHPID:-$$} in $$) finish; esac' 0
exec 4>&2 2>/dev/null
(trap 'kill -9 $!; wait $!; exit' TERM; sleep "$2" & wait $! && finish) >/dev/null 3<&- 4>&- &
t=$!
[ "$3" = stream ] && { (while read -r x <&3; do :; done; finish) >/dev/null 4>&- & w=$!; }
wait $c
code=$?
kill $t $w
wait $t $w
trap - 0
exit $code)";

std::string_view BaseName(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace

bool IsShellForm(const std::vector<std::string>& argv) {
  constexpr std::array<std::string_view, 4> kShells{"sh", "ash", "dash", "bash"};
  return argv.size() == 3 && argv[1] == "-c" &&
         std::ranges::find(kShells, BaseName(argv[0])) != kShells.end();
}

std::vector<std::string> GuardedArgv(const std::vector<std::string>& shell_form,
                                     std::chrono::milliseconds bound, OnStreamLoss on_stream_loss,
                                     const std::string& key) {
  static const std::string script =
      fmt::format("{}{}{}{}{}", kBegin, kProcessSweep, kPrepare, kAwaitBegin, kRest);
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(bound);
  return {shell_form[0],
          "-c",
          script,
          shell_form[0],
          shell_form[2],
          std::to_string(seconds.count()),
          on_stream_loss == OnStreamLoss::kEndCommand ? "stream" : "bound",
          "guard:" + key};
}

}  // namespace stillpoint::hooks
