// Child processes of the embedded cluster, watched by its loop.
#pragma once

#include <boost/asio/any_io_executor.hpp>

#include <functional>

#include <sys/types.h>

namespace stillpoint::sim::pocket {

// Runs `body` in a child process that ends with what it returns, and dies with this process. The
// child has a process group of its own and no descriptors but 0, 1, 2 and `kept`.
// REQUIRES: this process has one thread. Returns -1 when the system has no room for it.
[[nodiscard]] pid_t StartChild(const std::function<int()>& body, std::initializer_list<int> kept);

// Calls `ended` from the loop once the child has ended, with its exit code or 128 + its signal.
void AwaitChild(const boost::asio::any_io_executor& executor, pid_t child,
                std::function<void(int)> ended);

// As a shell counts: the exit code, or 128 + the signal.
[[nodiscard]] int ExitCodeOf(int wait_status);

}  // namespace stillpoint::sim::pocket
