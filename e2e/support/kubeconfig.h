// Kubeconfigs made of others: another server, another user.
#pragma once

#include <string>

namespace stillpoint::e2e {

struct Endpoint {
  std::string host;
  int port = 443;
};

// Of the current context's cluster.
[[nodiscard]] Endpoint ServerOf(const std::string& kubeconfig);

// What is empty stays as it is.
struct KubeconfigChanges {
  std::string server;           // URL
  std::string tls_server_name;  // that the certificate must be for
  std::string token;            // and no certificate
};

// Writes the current context of `from` with these changes to `file`, all in one file.
void WriteKubeconfig(const std::string& from, const std::string& file,
                     const KubeconfigChanges& changes);

}  // namespace stillpoint::e2e
