// ExecClient: run a command in a container (the pods/exec subresource).
//
// Contract: KEP-4006 (WebSockets), k8s.io/apimachinery/pkg/util/remotecommand: subprotocols
// v5.channel.k8s.io, then v4.channel.k8s.io; each binary message starts with a channel byte
// (0 stdin, 1 stdout, 2 stderr, 3 status, 255 close of a channel in v5).
#pragma once

#include "api/error.h"
#include "api/meta.h"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace stillpoint::kube {

struct ExecRequest {
  std::string ns;
  std::string pod;

  // Checked before the connection, and again once it is open: that the name did not change hands in
  // between is known then, and not before. An exec names no UID, so a request that arrives late can
  // start the command in a namesake; one that waits for a word on its stdin does nothing there.
  std::string pod_uid;

  std::string container;
  std::vector<std::string> command;
  bool stdin_open = false;  // attach stdin and keep it open until CloseStdin()

  // From the call to the confirmed upgrade of the connection.
  std::chrono::milliseconds connect_timeout{std::chrono::seconds(10)};
};

struct ExecEvent {
  enum class Type { kStdout, kStderr, kExit };
  Type type = Type::kExit;
  std::string data;   // kStdout, kStderr
  int exit_code = 0;  // kExit

  // Bytes of output that are missing just before this: nobody took them in time.
  std::size_t dropped = 0;
};

// A command that runs. Destroying it closes the stream, which gives the command end-of-file on its
// stdin but does not end it.
class ExecSession {
 public:
  virtual ~ExecSession() = default;

  // Suspends until there is output or the command has ended; kExit is the last event. A command is
  // not held up by a slow reader, who then misses the oldest of what waited (ExecEvent::dropped).
  // Errors: kUnavailable (the stream was lost: the command may still run), kInvalid (the runtime
  // could not start the command, for example because the image has no such program).
  // Cancellation: throws operation_aborted; the session can still be used.
  [[nodiscard]] virtual boost::asio::awaitable<api::Result<ExecEvent>> Next() = 0;

  // Sends `data` to the command's stdin. No effect once it is closed, without `stdin_open`, or when
  // the stream is lost, which Next() tells. Meant for a few bytes: nothing holds back the sender.
  virtual void WriteStdin(std::string data) = 0;

  // Gives the command end-of-file, after all that was written. v5: the stream stays open for output
  // and the exit status. v4 has no half-close: there it closes the stream, what was just written
  // may be lost, and Next() gives kUnavailable.
  virtual void CloseStdin() = 0;

  // The container that the command was started in, as its status named it just before the start and
  // just after: two sessions with one container ID ran in the same life of the container.
  [[nodiscard]] virtual const std::string& ContainerId() const = 0;
};

// Threads: call on the executor of the loop; sessions too.
// Lifetime: must outlive its sessions.
class ExecClient {
 public:
  virtual ~ExecClient() = default;

  // Errors, before the command has started: kNotFound (no such pod, it has another UID now, or
  // the pod has ended), kInvalid (no such container, or it does not run), kForbidden, kUnavailable
  // and kTimeout (connection, or the container was replaced meanwhile; the command may have started
  // nevertheless).
  // Cancellation: throws operation_aborted; the command may have started.
  [[nodiscard]] virtual boost::asio::awaitable<api::Result<std::unique_ptr<ExecSession>>> Start(
      ExecRequest request) = 0;
};

}  // namespace stillpoint::kube
