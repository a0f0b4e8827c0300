#include "kube/http_pool.h"

#include <utility>

namespace stillpoint::kube {

std::unique_ptr<HttpConnection> HttpPool::Take() {
  CloseExpired();
  while (!idle_.empty()) {
    auto connection = std::move(idle_.back().connection);
    idle_.pop_back();
    if (connection->IsReusable()) return connection;
  }
  return nullptr;
}

void HttpPool::Put(std::unique_ptr<HttpConnection> connection) {
  CloseExpired();
  if (!connection->IsReusable()) return;
  if (idle_.size() == kMaxIdle) idle_.erase(idle_.begin());
  idle_.push_back({std::move(connection), clock_.SteadyNow()});
}

void HttpPool::CloseExpired() {
  const auto oldest = clock_.SteadyNow() - kIdleTimeout;
  std::erase_if(idle_, [oldest](const Idle& idle) { return idle.since < oldest; });
}

}  // namespace stillpoint::kube
