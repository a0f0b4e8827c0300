// The hold script: keeps a held hook's command in a container for as long as somebody holds on to
// the other end of its stdin, and not longer than a bound.
//
// A held hook is one exec. Its command brings the application to a still point, prints the marker
// on a line of its own, waits for end-of-file on its stdin, lets the application go on, and exits
// with 0. That 0 is its word that the application was still until the end-of-file: a command that
// cannot be sure of it must exit with another code.
//
// The script stands between the exec stream and the command. It gives the command its end-of-file
// when the first of these happens, and remembers which it was:
//   - the line kReleaseRequest came from the stream: somebody has seen what he wanted to see;
//   - the stream ended: the controller died, or the network did, or somebody closed it;
//   - the bound ran out: a network that swallows everything keeps nobody frozen.
// So the exit code 0 of the script says: asked to release by a line that a dying connection cannot
// write, within the bound, and the command itself says that it had held until then. No clock of
// another machine is in that proof.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace stillpoint::hooks {

// The line of stdout that says: the application stands still. Blanks around it do not matter.
inline constexpr std::string_view kHeldMarker = "STILLPOINT HELD";

// What to write to stdin to be released with exit code 0.
inline constexpr std::string_view kReleaseRequest = "release\n";

// The script's exit codes. Any other code is the command's own, or 128 + n for the signal n that
// ended it, whatever came before.
inline constexpr int kHoldReleased = 0;       // asked to; held until then
inline constexpr int kHoldStreamEnded = 120;  // released, because the stream ended
inline constexpr int kHoldExpired = 121;      // released, because the bound ran out
inline constexpr int kHoldEndedEarly = 122;   // the command exited with 0 before anything of that
inline constexpr int kHoldNoTimer = 123;      // the image has no `sleep`: the command was not run

// From the end-of-file to SIGTERM for a command that does not care; 0.5 s later SIGKILL.
inline constexpr std::chrono::seconds kHoldReleaseGrace{5};

// The argv that runs `command`, a text for the shell of `shell`, as a held hook:
//   {shell, "-c", <the script>, shell, <command>, "<bound in seconds>", "hold", "hold:<key>"}
// Run it with stdin open and without a TTY, and write kBeginRequest (begin_request.h) to its stdin,
// for which it waits. The bound may have a fraction: "1.5"; it counts from that word on, before the
// command has frozen anything.
//  - Output goes through untouched, as it comes.
//  - A command that ends with another code than 0 takes its processes along: its session, its
//    descendants, and all that carry its mark in their environment, as in guard.h.
//  - With a key the reap script finds it (reap_script.h), which counts as its bound.
//  - The exit status comes when the command has ended. Writing kReleaseRequest and closing stdin
//    afterwards is the same as writing it.
// Works with busybox, dash and bash, in a container whose file system is read-only.
[[nodiscard]] std::vector<std::string> HeldArgv(const std::string& shell,
                                                const std::string& command,
                                                std::chrono::milliseconds bound,
                                                const std::string& key = {});

// `argv` as a text for a shell, each word quoted.
[[nodiscard]] std::string ShellQuoted(const std::vector<std::string>& argv);

}  // namespace stillpoint::hooks
