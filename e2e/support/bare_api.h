// BareApi: an API server of its own with nothing installed: no CRDs, no roles of ours, no node. For
// what cannot be taken away from the cluster that all tests share.
#pragma once

#include "e2e/support/kubectl.h"
#include "e2e/support/process.h"

#include <filesystem>
#include <memory>
#include <string>

namespace stillpoint::e2e {

// The programs and keys of the local cluster, at other ports and with an empty store. Some 5 s.
// REQUIRES: Cluster::Get().local().
// Errors: throws std::runtime_error with the end of its log.
class BareApi {
 public:
  explicit BareApi(std::filesystem::path scratch);

  [[nodiscard]] Kubectl Namespace(const std::string& ns) const { return {kubeconfig_, ns}; }
  [[nodiscard]] const std::string& kubeconfig() const { return kubeconfig_; }  // the administrator

  // A kubeconfig of this service account, which is made when it is not there.
  [[nodiscard]] std::string KubeconfigOf(const std::string& ns, const std::string& account) const;

 private:
  void StartStore();
  void StartServer();

  const std::filesystem::path scratch_;
  const std::filesystem::path state_;
  std::string kubeconfig_;
  int store_port_ = 0;
  std::unique_ptr<Process> store_;  // before the server, which writes to it to its end
  std::unique_ptr<Process> server_;
};

}  // namespace stillpoint::e2e
