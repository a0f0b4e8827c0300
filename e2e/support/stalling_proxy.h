// StallingProxy: a TCP connection to the API server that can swallow everything, as a network does
// that drops packets: nothing is closed, nothing arrives, and new connections get no answer.
#pragma once

#include <atomic>
#include <string>
#include <thread>

namespace stillpoint::e2e {

// Threads: forwards on a thread of its own; call its methods on any.
class StallingProxy {
 public:
  // Forwards what comes to a port of the loopback device. Throws std::system_error.
  StallingProxy(const std::string& address, int port);
  ~StallingProxy();
  StallingProxy(const StallingProxy&) = delete;
  StallingProxy& operator=(const StallingProxy&) = delete;

  [[nodiscard]] int port() const { return port_; }

  // From now on nothing passes, until Continue(). What was sent meanwhile then arrives, as TCP
  // repeats it.
  void Stall() { stalled_ = true; }
  void Continue() { stalled_ = false; }

 private:
  void Run(const std::stop_token& stop);

  const std::string address_;
  const int to_port_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stalled_ = false;
  std::jthread thread_;  // last: it uses all the others
};

}  // namespace stillpoint::e2e
