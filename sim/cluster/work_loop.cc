#include "sim/cluster/work_loop.h"

#include <algorithm>
#include <utility>

namespace stillpoint::sim {

WorkLoop::WorkLoop(Timeline& timeline, Options options, Work work)
    : timeline_(timeline), options_(options), work_(std::move(work)) {}

void WorkLoop::Add(const api::NamespacedName& key) {
  if (busy_.contains(key)) {
    dirty_.insert(key);
    return;
  }
  if (!waiting_.insert(key).second) return;
  timeline_.After(options_.latency, [this, key] { MakeReady(key); });
}

void WorkLoop::AddAfter(const api::NamespacedName& key, std::chrono::milliseconds delay) {
  timeline_.After(delay, [this, key] { Add(key); });
}

void WorkLoop::MakeReady(const api::NamespacedName& key) {
  ready_.push_back(key);
  Start();
}

void WorkLoop::Start() {
  while (!ready_.empty() && static_cast<int>(busy_.size()) < options_.workers) {
    const api::NamespacedName key = ready_.front();
    ready_.pop_front();
    waiting_.erase(key);
    busy_.insert(key);
    work_(key, [this, key](After after) { Finish(key, after); });
  }
}

void WorkLoop::Finish(const api::NamespacedName& key, After after) {
  busy_.erase(key);
  if (after == After::kBackoff) {
    const int failures = std::min(failures_[key]++, 30);
    const auto backoff = options_.backoff * (std::int64_t{1} << failures);
    AddAfter(key, std::min<std::chrono::milliseconds>(backoff, options_.max_backoff));
  } else {
    failures_.erase(key);
  }
  if (dirty_.erase(key) > 0 && waiting_.insert(key).second) ready_.push_back(key);
  // Whoever waits for a worker; not from within Start(), which goes on by itself.
  if (!ready_.empty()) timeline_.After(std::chrono::milliseconds(0), [this] { Start(); });
}

RateLimit::RateLimit(Timeline& timeline, double qps, int burst, std::chrono::milliseconds call)
    : timeline_(timeline),
      per_token_(qps > 0 ? static_cast<std::int64_t>(1'000'000 / qps) : 0),
      depth_(per_token_ * burst),
      call_(call) {}

void RateLimit::Call(int calls, std::function<void()> then) {
  const api::Time now = timeline_.Now();
  api::Time at = now;
  for (int i = 0; i < calls; ++i) {
    full_at_ = std::max(full_at_, at) + per_token_;
    at = std::max(at, full_at_ - depth_) + call_;
  }
  timeline_.After(std::chrono::ceil<std::chrono::milliseconds>(at - now), std::move(then));
}

}  // namespace stillpoint::sim
