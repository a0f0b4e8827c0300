// Process: one life of a controller, from its start to its end or its death. What it runs is given
// by a factory, so that nothing here knows of controllers.
#pragma once

#include "kube/client.h"
#include "kube/clock.h"
#include "kube/exec.h"
#include "kube/log.h"
#include "sim/world/network.h"
#include "sim/world/world.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace stillpoint::sim {

// What a program may use. Lives until its destructor has returned.
struct Surroundings {
  boost::asio::any_io_executor executor;
  kube::Client& client;
  kube::ExecClient& exec;
  kube::Clock& clock;
  kube::LogFn log;
  int life = 0;
  std::uint64_t seed = 0;  // of every jitter of this life
};

// A program: the coroutines of Run() are its life. When it is killed they are destroyed first,
// wherever they are suspended, then it is: without Run() having returned. Its destructor and theirs
// must ask nothing of the world; a request or an exec then aborts the run.
class Program {
 public:
  virtual ~Program() = default;
  [[nodiscard]] virtual boost::asio::awaitable<void> Run() = 0;
  // SIGTERM.
  virtual void RequestStop() = 0;
};

struct ProcessOptions {
  std::chrono::milliseconds wall_clock_skew{0};  // how far its wall clock is ahead of the cluster's
  kube::LogFn log;                               // may be empty
};

// Threads: one.
// Lifetime: world and network outlive it. Destroying it while it lives kills it, without a word.
class Process final : public Actor {
 public:
  using Factory = std::function<std::unique_ptr<Program>(const Surroundings&)>;
  enum class End { kKilled, kReturned, kThrew };

  // Starts at once; the first coroutine runs with the next event. `on_end` is called by an event of
  // its own, when nothing of the life is left.
  Process(World& world, Network& network, ProcessOptions options, const Factory& factory,
          std::function<void(End)> on_end);
  ~Process() override;

  [[nodiscard]] int life() const { return life_; }
  [[nodiscard]] bool alive() const;

  // SIGKILL: what was sent stays on its way.
  void Kill() { world_.Kill(life_); }
  // SIGTERM.
  void RequestStop();

  void RunDry() override;
  void Interrupt() override;
  void Bury() override;

 private:
  struct Body;

  World& world_;
  std::function<void(End)> on_end_;
  End end_ = End::kKilled;
  int life_ = 0;
  std::unique_ptr<Body> body_;  // null: dead
};

}  // namespace stillpoint::sim
