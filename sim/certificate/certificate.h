// Certificates made on the spot, so that none is in the source and none expires: for the embedded
// cluster and for tests.
#pragma once

#include <string>

namespace stillpoint::sim {

struct KeyPair {
  std::string certificate_pem;
  std::string key_pem;
};

// Both throw std::runtime_error when OpenSSL cannot.
// An authority that nobody else has. Two that one process trusts have two names.
[[nodiscard]] KeyPair MakeAuthority(const std::string& common_name);

// For the server: `alternative_names` as OpenSSL has them, "DNS:localhost,IP:127.0.0.1". For a
// client: empty; Kubernetes reads the user from `common_name`, the group from `organization`.
[[nodiscard]] KeyPair MakeCertificate(const KeyPair& authority, const std::string& common_name,
                                      const std::string& organization,
                                      const std::string& alternative_names);

}  // namespace stillpoint::sim
