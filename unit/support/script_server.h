// ScriptServer: an HTTP server on the loopback device that says, octet by octet, what a script
// tells it. With TLS or without, on the loop of the test.
#pragma once

#include "unit/support/test_certificate.h"

#include <boost/asio/io_context.hpp>

#include <memory>
#include <string>
#include <vector>

namespace stillpoint::unit {

// What the server does next on one connection. After the last one it waits for the client to close.
struct ScriptStep {
  enum class Kind { kRead, kWrite, kCloseTls, kCut, kReset, kTunnel };
  Kind kind;
  std::string text;  // kWrite: what; kTunnel: the port on the loopback device
};
// One request, head and body. The script ends here when the client closes instead.
[[nodiscard]] ScriptStep Read();
[[nodiscard]] ScriptStep Write(std::string bytes);
[[nodiscard]] ScriptStep CloseTls();  // in good order, with a close_notify
[[nodiscard]] ScriptStep Cut();       // closes the TCP connection alone
[[nodiscard]] ScriptStep Reset();
[[nodiscard]] ScriptStep Tunnel(std::string port);  // copies, as a CONNECT proxy does

// The octets of an answer with a Content-Length.
[[nodiscard]] std::string HttpAnswer(int status, const std::string& body,
                                     const std::string& more_headers = "");

// Threads: everything runs on `io`.
// Lifetime: destroy it before `io`. Whoever is connected then stays so until `io` goes.
class ScriptServer {
 public:
  // The steps of each connection, in the order in which they are accepted. The last entry serves
  // all that come after it too.
  using Script = std::vector<std::vector<ScriptStep>>;

  struct Options {
    bool tls = true;
    std::string names = "DNS:localhost,IP:127.0.0.1";  // that the certificate is for
    bool require_client_certificate = false;           // of the server's own authority
  };

  ScriptServer(boost::asio::io_context& io, Options options, Script script);
  ~ScriptServer();
  ScriptServer(const ScriptServer&) = delete;
  ScriptServer& operator=(const ScriptServer&) = delete;

  [[nodiscard]] std::string port() const;
  [[nodiscard]] const TestCertificate& authority() const;
  [[nodiscard]] const std::vector<std::string>& requests() const;      // all, as they came
  [[nodiscard]] const std::vector<std::string>& client_names() const;  // of their certificates
  [[nodiscard]] int connections() const;                               // accepted so far
  [[nodiscard]] int open() const;                                      // not closed yet

 private:
  class Impl;
  const std::shared_ptr<Impl> impl_;
};

}  // namespace stillpoint::unit
