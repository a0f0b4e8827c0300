// StopSignal: tells hooks that run that the freeze is over, for whatever reason. A pre-hook under
// way is ended, a held one is asked to release.
#pragma once

#include "kube/waiters.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace stillpoint::hooks {

// Threads: call every method on the executor given to the constructor.
// Lifetime: shared by those who ask and those who wait.
class StopSignal {
 public:
  explicit StopSignal(boost::asio::any_io_executor executor);

  // For good: there is no way back.
  void Ask();
  [[nodiscard]] bool asked() const { return asked_; }

  // Suspends until asked. Cancellation: throws operation_aborted.
  [[nodiscard]] boost::asio::awaitable<void> Wait();

 private:
  bool asked_ = false;
  kube::Waiters waiters_;
};

}  // namespace stillpoint::hooks
