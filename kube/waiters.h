// Waiters: coroutines that wait until another one on the same loop calls them. It is the house's
// condition variable: no time, no value, no lock.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>

namespace stillpoint::kube {

// Threads: call every method on the executor given to the constructor.
// Lifetime: must outlive every coroutine suspended in Wait(). When the io_context dies first, as in
// a simulated crash, it takes the suspended coroutines with it, and this object may die later.
class Waiters {
 public:
  explicit Waiters(boost::asio::any_io_executor executor);
  ~Waiters();
  Waiters(const Waiters&) = delete;
  Waiters& operator=(const Waiters&) = delete;

  // Suspends until notified. As with a condition variable, test the condition again afterwards.
  // Cancellation: throws boost::system::system_error(operation_aborted).
  [[nodiscard]] boost::asio::awaitable<void> Wait();

  // Wakes the one that has waited longest, or all in the order in which they came. Nobody runs
  // before this call returns.
  void NotifyOne();
  void NotifyAll();

  [[nodiscard]] std::size_t size() const;

  class State;  // for the .cc only

 private:
  const std::shared_ptr<State> state_;
};

}  // namespace stillpoint::kube
