// Certificates of the embedded cluster: an authority of its own, made anew at each start, the
// server's certificate and its one client's.
#pragma once

#include <string>

namespace stillpoint::sim::pocket {

struct KeyPair {
  std::string certificate_pem;
  std::string key_pem;
};

// Throws std::runtime_error when OpenSSL cannot.
[[nodiscard]] KeyPair MakeAuthority();

// For the server: `alternative_names` as OpenSSL has them, "DNS:localhost,IP:127.0.0.1". For a
// client: empty; Kubernetes reads the user from `common_name`, the group from `organization`.
[[nodiscard]] KeyPair MakeCertificate(const KeyPair& authority, const std::string& common_name,
                                      const std::string& organization,
                                      const std::string& alternative_names);

}  // namespace stillpoint::sim::pocket
