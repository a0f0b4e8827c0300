// The cluster under test, and what the whole suite needs installed there.
//
// Environment, as tools/e2e.sh sets it:
//   E2E_KUBECONFIG     an administrator of the cluster; absent: the local one of e2e/cluster
//   E2E_CLUSTER_STATE  the folder of the local cluster; empty or absent beside E2E_KUBECONFIG: a
//                      foreign cluster, whose driver and services the suite cannot disturb
//   E2E_CONTROLLER     the program; absent: `stillpoint` beside the test program
#pragma once

#include "e2e/support/kubectl.h"

#include <filesystem>
#include <string>

namespace stillpoint::e2e {

// Lifetime: one per process, made by the first Get(), which installs deploy/ without its
// Deployment: what the tests run as the controller is theirs.
// Errors: throws std::runtime_error with a sentence that says what is missing.
class Cluster {
 public:
  static const Cluster& Get();

  [[nodiscard]] Kubectl Namespace(const std::string& ns) const { return {kubeconfig_, ns}; }
  [[nodiscard]] const std::string& kubeconfig() const { return kubeconfig_; }

  // With the rights of deploy/'s ServiceAccount and no others: what the controller runs with.
  [[nodiscard]] const std::string& controller_kubeconfig() const { return controller_kubeconfig_; }
  static constexpr char kControllerUser[] =
      "system:serviceaccount:stillpoint-system:stillpoint-controller";

  [[nodiscard]] const std::string& program() const { return program_; }

  // The top of the checkout.
  [[nodiscard]] const std::filesystem::path& source() const { return source_; }

  // Files of this run: logs, kubeconfigs. Removed at the end.
  [[nodiscard]] const std::filesystem::path& scratch() const { return scratch_; }

  // Whether its driver can be told to fail and its services can be killed.
  [[nodiscard]] bool local() const { return !state_.empty(); }
  [[nodiscard]] const std::filesystem::path& state() const { return state_; }

  // e2e/cluster/service.sh VERB NAME: Service("kill", "apiserver").
  void Service(const std::string& verb, const std::string& name) const;

  // Waits until the API server answers: after it was killed.
  void WaitForApi() const;

  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

 private:
  Cluster();
  ~Cluster();
  void Install() const;
  void WriteControllerKubeconfig() const;

  std::filesystem::path source_;
  std::filesystem::path state_;
  std::filesystem::path scratch_;
  std::string kubeconfig_;
  std::string controller_kubeconfig_;
  std::string program_;
};

}  // namespace stillpoint::e2e
