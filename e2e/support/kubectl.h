// The suite's hands on the cluster: kubectl, as a user has it.
#pragma once

#include "e2e/support/process.h"

#include <boost/json/value.hpp>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace stillpoint::e2e {

// Calls `condition` every 100 ms until it is true or `timeout` has passed.
[[nodiscard]] bool Eventually(const std::function<bool()>& condition,
                              std::chrono::seconds timeout = std::chrono::seconds(60));

class Kubectl {
 public:
  Kubectl(std::string kubeconfig, std::string ns);

  // Any command in our namespace. Never throws for a command that failed.
  CommandResult operator()(std::vector<std::string> arguments,
                           const std::string& stdin_text = {}) const;

  // The rest throw std::runtime_error with kubectl's own words when it fails.
  void Apply(const std::string& yaml) const;
  [[nodiscard]] boost::json::value Get(const std::string& what) const;  // "vb/nightly"

  // One JSONPath, without braces: Field("vb/nightly", ".status.phase"). Empty when absent or gone.
  [[nodiscard]] std::string Field(const std::string& what, const std::string& path) const;

  [[nodiscard]] bool Exists(const std::string& what) const;
  void Delete(const std::string& what) const;  // and waits; absent is fine

  // Waits until a workload's pods are ready: RolledOut("deployment/mysql").
  void RolledOut(const std::string& workload) const;

  // Names of the objects with these labels, sorted; all when empty.
  [[nodiscard]] std::vector<std::string> Names(const std::string& resource,
                                               const std::string& selector = {}) const;

  // A shell command in a container; its stdout. Throws when it exits non-zero.
  std::string Exec(const std::string& pod, const std::string& command,
                   const std::string& container = {}) const;

  [[nodiscard]] const std::string& ns() const { return ns_; }
  [[nodiscard]] const std::string& kubeconfig() const { return kubeconfig_; }

 private:
  std::string kubeconfig_;
  std::string ns_;
};

}  // namespace stillpoint::e2e
