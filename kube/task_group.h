// TaskGroup: the only way to start a coroutine that nobody awaits. Its owner can stop it and wait,
// and an exception in it never vanishes.
#pragma once

#include "kube/log.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <string>

namespace stillpoint::kube {

// Threads: call every method on the executor given to the constructor.
// Lifetime: the last member of its owner, so that tasks die before what they use. The destructor
// destroys nothing that still runs: it asserts that the group is empty or its loop is dead.
class TaskGroup {
 public:
  TaskGroup(boost::asio::any_io_executor executor, LogFn log);
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // Starts `task`. Its exception is logged with `name` and counted; operation_aborted is silent.
  // After Stop() new tasks are not started.
  void Spawn(std::string name, boost::asio::awaitable<void> task);

  // Cancels every task and suspends until all have ended. REQUIRES: not called by one of them.
  [[nodiscard]] boost::asio::awaitable<void> Stop();

  // Suspends until every task has ended by itself. REQUIRES: not called by one of them.
  [[nodiscard]] boost::asio::awaitable<void> Join();

  // How many tasks run, and how many have ended with an exception.
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::size_t failures() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace stillpoint::kube
