// The word to begin: the scripts that run a hook in a container (guard.h, hold_script.h) wait for
// it on their stdin, and run nothing without it.
//
// The request for an exec can lie in the network or with a proxy for longer than anybody waits for
// it. When it arrives at last it would freeze an application that nobody thaws any more, or that of
// a namesake, as an exec names its pod and not the pod's UID. Nobody says the word on such a
// stream: it is written when the stream is open, and known to lead into the pod that is meant.
#pragma once

#include <chrono>
#include <string_view>

namespace stillpoint::hooks {

inline constexpr std::string_view kBeginRequest = "begin\n";

// From the start of the script to the word, by the clock of its own machine. One that comes later
// has lain in the network itself.
inline constexpr std::chrono::seconds kBeginWithin{5};

// The exit code of a script that was not told to begin in time; its command was not run.
inline constexpr int kNotBegun = 119;

// The part of the scripts that does it. It wants the stream as fd 3, reads from it no further than
// to the end of the line, and starts no process: the application may stand still meanwhile.
inline constexpr std::string_view kAwaitBegin = R"(u=0
now() { { read -r u x; } 2>/dev/null </proc/uptime; u=${u%%.*}; }
now
a=$u y=
read -r y <&3 || y=
now
[ "$y" = begin ] && [ $((u-a)) -le 5 ] || exit 119
)";
static_assert(kBeginWithin == std::chrono::seconds(5) && kNotBegun == 119);  // as it stands there

}  // namespace stillpoint::hooks
