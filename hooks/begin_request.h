// The word to begin: the scripts that run a hook in a container (guard.h, hold_script.h) wait for
// it on their stdin, and run nothing without it.
//
// The request for an exec can lie in the network or with a proxy for longer than anybody waits for
// it. When it arrives at last it would freeze an application that nobody thaws any more, or that of
// a namesake, as an exec names its pod and not the pod's UID. Nobody says the word on such a
// stream: it is written when the stream is open, and known to lead into the pod that is meant.
//
// A stream that was opened before it is wanted (prepared_run.h) gets the word later, and with it
// for how long it has been open by then. So both clocks count from the same moment, and the word is
// as fresh as one that is said at once: nothing that lies on the way, and no line before it that
// was late already, can make it older.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace stillpoint::hooks {

inline constexpr std::string_view kBeginRequest = "begin\n";

// The same on a stream that has been open for `open`. It is answered.
[[nodiscard]] inline std::string LaterBeginRequest(std::chrono::seconds open) {
  return "begin " + std::to_string(open.count()) + "\n";
}

// The first line of stdout of a script that was so told: its command runs from now on.
inline constexpr std::string_view kBegunAnswer = "STILLPOINT BEGUN\n";

// From the start of the script to the word, by the clock of its own machine, beyond what the word
// itself says. One that comes later has lain in the network itself.
inline constexpr std::chrono::seconds kBeginWithin{5};

// When a word that was said and not answered can no longer be taken. Both clocks count in whole
// seconds. 4 s: a slow node, that has started the script so long after the stream was open.
inline constexpr std::chrono::seconds kBeginForgotten = kBeginWithin + std::chrono::seconds(1 + 4);

// The exit code of a script that was not told to begin in time; its command was not run.
inline constexpr int kNotBegun = 119;

// The part of the scripts that does it. It wants the stream as fd 3, reads from it no further than
// to the end of the line, and starts no process: the application may stand still meanwhile.
inline constexpr std::string_view kAwaitBegin = R"(u=0
now() { { read -r u x; } 2>/dev/null </proc/uptime; u=${u%%.*}; }
now
a=$u y=
read -r y n <&3 || y=
now
[ "$y" = begin ] && [ $((u-a)) -le $((${n:-0}+5)) ] || exit 119
[ -z "$n" ] || echo STILLPOINT BEGUN
)";
// As it stands there.
static_assert(kBeginWithin == std::chrono::seconds(5) && kNotBegun == 119 &&
              kBegunAnswer == "STILLPOINT BEGUN\n");

}  // namespace stillpoint::hooks
