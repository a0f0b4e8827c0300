// Programs that the suite runs: kubectl, the cluster's scripts, the controller.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace stillpoint::e2e {

struct CommandResult {
  int exit_code = -1;  // 128 + n: ended by signal n, 124: by the time-out
  std::string out;
  std::string err;
};

// Runs a program to its end. Throws std::system_error when it cannot be started.
CommandResult Run(const std::vector<std::string>& argv, const std::string& stdin_text = {},
                  std::chrono::seconds timeout = std::chrono::seconds(60));

// A program in the background, killed by its own pid when this object goes.
class Process {
 public:
  // stdout and stderr are appended to `log_file`.
  Process(const std::vector<std::string>& argv, const std::string& log_file,
          const std::map<std::string, std::string>& environment = {});
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void Signal(int signal) const;

  // SIGKILL, and waits until it is gone.
  void Kill();

  // SIGTERM, and waits; its exit code, or 124 when it had to be killed after `grace`.
  int Terminate(std::chrono::seconds grace = std::chrono::seconds(30));

  [[nodiscard]] bool Running();
  [[nodiscard]] int pid() const { return pid_; }

 private:
  bool Reap(bool block);

  int pid_ = -1;
  int status_ = 0;
  bool reaped_ = false;
};

}  // namespace stillpoint::e2e
