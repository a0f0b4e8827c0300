// RunProcess: a helper program, run to its end without blocking the loop.
#pragma once

#include "api/error.h"
#include "kube/clock.h"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace stillpoint::kube {

struct ProcessRequest {
  std::string command;  // a path, or a name that is looked for in PATH
  std::vector<std::string> args;
  std::map<std::string, std::string> env;  // beside, and over, the variables of this process
  std::chrono::milliseconds timeout{std::chrono::seconds(30)};
};

struct ProcessOutcome {
  int exit_code = 0;  // 128 + signal when a signal ended it
  std::string output;
  std::string errors;
};

// Each of the two outputs is read up to 1 MiB; the program is killed when it writes more. It gets
// no standard input, and a process group of its own, which is killed as a whole.
// Lifetime: `clock` must outlive the coroutine.
// Errors: kNotFound (no such program), kTimeout, kUnavailable.
// Cancellation: kills the program and throws operation_aborted.
[[nodiscard]] boost::asio::awaitable<api::Result<ProcessOutcome>> RunProcess(
    Clock& clock, ProcessRequest request);

}  // namespace stillpoint::kube
