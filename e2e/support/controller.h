// Controller: `stillpoint controller` as a process of this machine.
#pragma once

#include "e2e/support/process.h"

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace stillpoint::e2e {

// Lifetime: killed by the destructor, and by the kernel when the test program dies.
class Controller {
 public:
  // `ns`: the only namespace that it serves; empty: all. `flags`: further ones. `kubeconfig`:
  // empty: that of deploy/'s ServiceAccount in the cluster.
  Controller(std::string ns, std::filesystem::path log, std::vector<std::string> flags = {},
             std::string kubeconfig = {});

  // Waits until it says that it is ready. Throws with its log when it does not become so.
  void Start();
  void StartUnready();  // does not wait: one that stands by for the lead, or cannot reach the API

  void Kill9();
  void Pause() const;     // SIGSTOP: it hangs, and its connections stay open
  void Continue() const;  // SIGCONT
  int Terminate(std::chrono::seconds grace = std::chrono::seconds(30));  // SIGTERM; its exit code

  [[nodiscard]] bool Running() { return process_ && process_->Running(); }
  [[nodiscard]] bool Ready() const;  // what /readyz says
  [[nodiscard]] std::string Metrics() const;
  [[nodiscard]] int pid() const { return process_->pid(); }

  // Of its memory, in bytes, since it was started.
  [[nodiscard]] std::size_t PeakMemory() const;

  // All that it has written, over all its lives.
  [[nodiscard]] std::string Log() const;
  [[nodiscard]] std::string LogTail(std::size_t lines) const;

 private:
  const std::string ns_;
  const std::filesystem::path log_;
  const std::vector<std::string> flags_;
  const std::string kubeconfig_;
  int health_port_ = 0;
  int metrics_port_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace stillpoint::e2e
