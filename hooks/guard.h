// The guard: runs a shell-form hook so that it cannot outlive its exec stream.
//
// Closing an exec stream does not end the command: a pre-hook that has timed out would freeze the
// application later, when nobody thaws it any more. The one thing that always reaches the container
// is end-of-file on the command's stdin. So the hook runs as the child of a small script that reads
// stdin, and ends the hook and all its children when stdin ends.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace stillpoint::hooks {

// What the guard does when its stdin ends before the command does.
enum class OnStreamLoss {
  kEndCommand,    // a pre-hook: it must not freeze when nobody waits for it any more
  kFinishCommand  // a post-hook: a thaw that has begun goes on, whatever became of us
};

// Whether `argv` is a shell and a command text, [/bin/sh, -c, text], and so can be guarded.
[[nodiscard]] bool IsShellForm(const std::vector<std::string>& argv);

// The argv that runs `shell_form` under the guard. Run it with stdin open and without a TTY, and
// write kBeginRequest (begin_request.h) to its stdin, for which it waits.
//  - Output goes through untouched; the exit code is the command's (128 + n: ended by signal n).
//  - The command's own stdin is /dev/null.
//  - In the end, and after `bound` from its begin in any case, its processes get SIGTERM, and 0.5 s
//    later SIGKILL: its session, its descendants, and all that carry its mark in their environment.
//    The guard exits when none is left, so that a seen exit status says that nothing runs any more.
//  - What a command that ends by itself leaves in the background is left alone, but holds the exec
//    open for as long as it holds stdout or stderr.
//  - With a key the reap script finds it (reap_script.h).
// Works with busybox, dash and bash. Uses setsid and sleep where the image has them: without setsid
// it ends the same processes by walking /proc; without sleep there is no `bound` and no pause
// between SIGTERM and SIGKILL; without /proc it ends the session only.
// REQUIRES: IsShellForm(shell_form).
[[nodiscard]] std::vector<std::string> GuardedArgv(const std::vector<std::string>& shell_form,
                                                   std::chrono::milliseconds bound,
                                                   OnStreamLoss on_stream_loss,
                                                   const std::string& key = {});

}  // namespace stillpoint::hooks
