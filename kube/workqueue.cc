#include "kube/workqueue.h"

#include "kube/waiters.h"

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <utility>

namespace stillpoint::kube {

namespace asio = boost::asio;
using std::chrono::milliseconds;

class WorkQueue::Impl {
 public:
  Impl(asio::any_io_executor executor, Clock& clock, Backoff backoff)
      : executor_(executor), clock_(clock), backoff_(backoff), ready_(std::move(executor)) {}

  void Add(api::NamespacedName key) {
    if (shut_down_ || !dirty_.insert(key).second) return;
    ++stats_.adds;
    if (in_work_.contains(key)) return;  // Done() brings it back
    Push(std::move(key));
  }

  void AddAfter(api::NamespacedName key, milliseconds delay) {
    if (shut_down_) return;
    if (delay.count() <= 0) return Add(std::move(key));
    const Clock::Steady due = clock_.SteadyNow() + delay;
    if (auto known = delayed_.find(key); known != delayed_.end()) {
      if (known->second.first <= due) return;
      timetable_.erase(known->second);
      delayed_.erase(known);
    }
    const Slot slot{due, ++last_slot_};
    delayed_.emplace(key, slot);
    timetable_.emplace(slot, std::move(key));
    if (timetable_.begin()->first == slot) WakeForFirst();
  }

  void AddRateLimited(api::NamespacedName key, milliseconds at_least) {
    ++stats_.retries;
    const milliseconds delay = std::max(NextBackoff(failures_[key]++), at_least);
    AddAfter(std::move(key), delay);
  }

  asio::awaitable<std::optional<api::NamespacedName>> Next() {
    while (!shut_down_) {
      AddDue();
      if (!queue_.empty()) co_return Pop();
      co_await ready_.Wait();
    }
    co_return std::nullopt;
  }

  void Done(const api::NamespacedName& key) {
    auto work = in_work_.extract(key);
    if (work) stats_.worked += clock_.SteadyNow() - work.mapped();
    if (dirty_.contains(key)) Push(key);
  }

  void Forget(const api::NamespacedName& key) { failures_.erase(key); }

  void Shutdown() {
    shut_down_ = true;
    alarm_.reset();
    ready_.NotifyAll();
  }

  [[nodiscard]] Stats GetStats() const {
    Stats stats = stats_;
    stats.depth = queue_.size();
    stats.delayed = delayed_.size();
    stats.in_work = in_work_.size();
    for (const auto& [key, since] : in_work_) {
      stats.longest_work =
          std::max<std::chrono::nanoseconds>(stats.longest_work, clock_.SteadyNow() - since);
    }
    return stats;
  }

 private:
  using Slot = std::pair<Clock::Steady, std::uint64_t>;  // when, and who came first

  struct Entry {
    api::NamespacedName key;
    Clock::Steady since;
  };

  void Push(api::NamespacedName key) {
    queue_.push_back({std::move(key), clock_.SteadyNow()});
    ready_.NotifyOne();
  }

  api::NamespacedName Pop() {
    Entry entry = std::move(queue_.front());
    queue_.pop_front();
    const Clock::Steady now = clock_.SteadyNow();
    stats_.waited += now - entry.since;
    ++stats_.handed_out;
    dirty_.erase(entry.key);
    in_work_.emplace(entry.key, now);
    // The call that was meant for the next key may have been taken by a worker that is now dead.
    if (!queue_.empty()) ready_.NotifyOne();
    return std::move(entry.key);
  }

  void AddDue() {
    const Clock::Steady now = clock_.SteadyNow();
    while (!timetable_.empty() && timetable_.begin()->first.first <= now) {
      auto due = timetable_.extract(timetable_.begin());
      delayed_.erase(due.mapped());
      Add(std::move(due.mapped()));
    }
  }

  // At the first deadline, which moves what is due to the queue and itself to the next one.
  void WakeForFirst() {
    alarm_.reset();
    if (timetable_.empty()) return;
    const auto wait = timetable_.begin()->first.first - clock_.SteadyNow();
    alarm_ = clock_.SetAlarm(executor_, std::chrono::ceil<milliseconds>(wait), [this] {
      AddDue();
      WakeForFirst();
    });
  }

  [[nodiscard]] milliseconds NextBackoff(int failures) const {
    milliseconds delay = backoff_.base;
    for (int i = 0; i < failures && delay < backoff_.max; ++i) delay *= 2;
    return std::min(delay, backoff_.max);
  }

  const asio::any_io_executor executor_;
  Clock& clock_;
  const Backoff backoff_;
  bool shut_down_ = false;
  std::deque<Entry> queue_;
  std::set<api::NamespacedName> dirty_;  // in queue_, or in work and added again
  std::map<api::NamespacedName, Clock::Steady> in_work_;
  std::map<api::NamespacedName, Slot> delayed_;
  std::map<Slot, api::NamespacedName> timetable_;  // the same, by time
  std::uint64_t last_slot_ = 0;
  std::map<api::NamespacedName, int> failures_;
  Stats stats_;
  Waiters ready_;
  std::unique_ptr<Clock::Alarm> alarm_;  // for the first of the timetable
};

WorkQueue::WorkQueue(asio::any_io_executor executor, Clock& clock, Backoff backoff)
    : impl_(std::make_unique<Impl>(std::move(executor), clock, backoff)) {}

WorkQueue::~WorkQueue() = default;

void WorkQueue::Add(api::NamespacedName key) {
  impl_->Add(std::move(key));
}

void WorkQueue::AddAfter(api::NamespacedName key, milliseconds delay) {
  impl_->AddAfter(std::move(key), delay);
}

void WorkQueue::AddRateLimited(api::NamespacedName key, milliseconds at_least) {
  impl_->AddRateLimited(std::move(key), at_least);
}

asio::awaitable<std::optional<api::NamespacedName>> WorkQueue::Next() {
  return impl_->Next();
}

void WorkQueue::Done(const api::NamespacedName& key) {
  impl_->Done(key);
}

void WorkQueue::Forget(const api::NamespacedName& key) {
  impl_->Forget(key);
}

void WorkQueue::Shutdown() {
  impl_->Shutdown();
}

WorkQueue::Stats WorkQueue::stats() const {
  return impl_->GetStats();
}

}  // namespace stillpoint::kube
