// Config: how to reach one API server and who we are there. Loaded by kube/load_config.h, used by
// the HTTP client and by exec.
#pragma once

#include "api/error.h"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace stillpoint::kube {

// A text that must not be shown: tokens, keys, passwords. Has no operator<< and no format.
class Sensitive {
 public:
  Sensitive() = default;
  explicit Sensitive(std::string value) : value_(std::move(value)) {}
  [[nodiscard]] const std::string& Reveal() const { return value_; }
  [[nodiscard]] bool empty() const { return value_.empty(); }

 private:
  std::string value_;
};

// What proves who we are, in one request. Either part may be empty.
struct Credential {
  Sensitive bearer_token;
  std::string client_certificate_pem;
  Sensitive client_key_pem;
};

// Where credentials come from. A file that the kubelet rotates, or an exec plugin, may give
// another one each time.
// Threads: call on the executor of the loop.
class CredentialSource {
 public:
  virtual ~CredentialSource() = default;

  // The credential to use now; cached until it expires or Invalidate() was called.
  [[nodiscard]] virtual boost::asio::awaitable<api::Result<Credential>> Current() = 0;

  // The server answered 401: do not use the cached one again.
  virtual void Invalidate() = 0;
};

struct Config {
  std::string host;  // DNS name or IP address, without brackets
  std::string port = "443";
  bool plain_http = false;      // no TLS: only for a loopback host, `kubectl proxy`
  std::string base_path;        // prefix of every URL, without a trailing slash; often empty
  std::string ca_pem;           // empty: the system's store
  std::string tls_server_name;  // empty: `host`
  bool insecure_skip_tls_verify = false;  // only when the person asked for it on the command line
  std::string proxy_url;                  // empty: none. http://[user:password@]host:port (CONNECT)
  std::string ns = "default";             // the context's namespace
  std::string context;                    // for messages: "kind-dev", "in-cluster"
  std::string user_agent = "stillpoint";
  std::shared_ptr<CredentialSource> credentials;  // never null
};

}  // namespace stillpoint::kube
