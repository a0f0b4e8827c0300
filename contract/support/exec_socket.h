// ExecSocket: the WebSocket of a pods/exec, frame by frame, for what kube::ExecClient hides.
//
// Contract: KEP-4006, k8s.io/apimachinery/pkg/util/remotecommand: v5.channel.k8s.io.
#pragma once

#include "contract/support/session.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stillpoint::contract {

struct ExecFrame {
  int channel = 0;  // 0 stdin, 1 stdout, 2 stderr, 3 status
  std::string data;
};

struct ExecOptions {
  std::string container = "main";
  std::string protocols = "v5.channel.k8s.io";
  bool stdin_open = false;
};

// What the server said to the request for an upgrade.
struct Upgrade {
  int status = 0;  // 101
  std::string protocol;
  std::string text;
};

// Threads: one. Each call has a deadline.
// Errors: throws what Beast throws, a boost::system::system_error.
// Lifetime: the session must outlive it.
class ExecSocket {
 public:
  ExecSocket(Session& session, const std::string& pod, const std::vector<std::string>& command,
             const ExecOptions& options = {});
  ~ExecSocket();
  ExecSocket(const ExecSocket&) = delete;
  ExecSocket& operator=(const ExecSocket&) = delete;

  [[nodiscard]] const Upgrade& upgrade() const { return upgrade_; }

  // The next message; empty once the server has closed the stream.
  [[nodiscard]] std::optional<ExecFrame> Read();
  // All messages to the end, put together by channel: "1" has the standard output.
  [[nodiscard]] std::vector<std::string> ReadAll();
  // Reads on until the standard output holds `text`.
  void ReadUntil(const std::string& text);

  void Write(const std::string& bytes);  // to stdin
  void CloseStdin();                     // v5: 0xFF and the channel

  // The three ways to go: a closing handshake, a connection that just ends, and a reset (RST).
  void Close();
  void Drop();
  void Reset();

 private:
  class Impl;
  Session& session_;
  std::unique_ptr<Impl> impl_;
  Upgrade upgrade_;
};

}  // namespace stillpoint::contract
