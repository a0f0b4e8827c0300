// ExecStream: the two ways of one exec between a life and a command, each in order, each with its
// own faults. The command lives as long as the far end has not noticed that the near one is gone.
//
// Its points: "answer stdout|stderr|exit pods/exec <ns>/<pod>" before a frame is delivered;
// "send|effect stdin|eof pods/exec ..." of the other way; "effect hangup pods/exec ..." when the
// far end notices that the stream is lost or closed.
#pragma once

#include "api/error.h"
#include "kube/exec.h"
#include "kube/waiters.h"
#include "sim/cluster/container_runtime.h"
#include "sim/world/network.h"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace stillpoint::sim {

// Lifetime: shared by the session of the client and by what is on its way. `network` outlives it.
class ExecStream : public std::enable_shared_from_this<ExecStream> {
 public:
  // `session` is the executor on which its reader waits; none for a life that is dead.
  ExecStream(Network& network, int life, std::optional<boost::asio::any_io_executor> session,
             std::string ns, std::string pod);
  ExecStream(const ExecStream&) = delete;
  ExecStream& operator=(const ExecStream&) = delete;

  // Starts the command. Call once after construction. Errors: as ContainerRuntime::StartCommand.
  [[nodiscard]] api::Result<void> Start(const CommandRequest& request);

  // ---- the near end ----

  // The next event that has arrived; empty: nothing yet. After the last: kUnavailable.
  [[nodiscard]] std::optional<api::Result<kube::ExecEvent>> Take();
  [[nodiscard]] kube::Waiters& news() { return *news_; }

  void WriteStdin(std::string data) { Up("stdin", std::move(data)); }
  void CloseStdin();
  // The session is destroyed, or its life is.
  void HangUp();

  // The connection breaks.
  void Break();
  [[nodiscard]] int life() const { return life_; }

 private:
  struct Sent {
    std::string_view verb;
    std::string data;
  };

  void Down(api::Result<kube::ExecEvent> event);
  void WakeDown(World::Duration delay);
  void HandDown();
  void Up(std::string_view verb, std::string data);
  void WakeUp(World::Duration delay);
  void LandUp();
  void Lose();
  [[nodiscard]] World::Disturbance Meet(Stage stage, std::string_view verb);
  [[nodiscard]] std::optional<World::Duration> Cut() const;

  Network& network_;
  const int life_;
  const std::string ns_;
  const std::string pod_;
  std::unique_ptr<Command> command_;  // null: the far end has hung up

  std::deque<api::Result<kube::ExecEvent>> down_;
  api::Time down_due_{};  // nothing overtakes
  api::Time blocked_until_{};
  std::deque<api::Result<kube::ExecEvent>> arrived_;
  bool over_ = false;  // nothing arrives any more
  std::optional<kube::Waiters> news_;

  std::deque<Sent> up_;
  api::Time up_due_{};
  bool stdin_closed_ = false;
  bool hung_up_ = false;
  bool late_ = false;  // what a dead life has sent has been put off
};

}  // namespace stillpoint::sim
