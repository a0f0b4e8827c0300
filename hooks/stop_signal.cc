#include "hooks/stop_signal.h"

namespace stillpoint::hooks {

StopSignal::StopSignal(boost::asio::any_io_executor executor) : waiters_(executor) {}

void StopSignal::Ask() {
  asked_ = true;
  waiters_.NotifyAll();
}

boost::asio::awaitable<void> StopSignal::Wait() {
  while (!asked_) co_await waiters_.Wait();
}

}  // namespace stillpoint::hooks
