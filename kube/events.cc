#include "kube/events.h"

#include "api/codec.h"

#include <fmt/format.h>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <utility>

namespace stillpoint::kube {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using Write = EventCorrelator::Write;

namespace {

constexpr int kAttempts = 3;
constexpr milliseconds kFirstPause = std::chrono::seconds(2);  // doubles

bool IsTransient(api::Code code) {
  return code == api::Code::kUnavailable || code == api::Code::kTimeout ||
         code == api::Code::kTooManyRequests;
}

Request RequestFor(Verb verb, const api::Event& event) {
  return {.verb = verb,
          .resource = api::Event::kResource,
          .ns = event.metadata.ns,
          .name = verb == Verb::kCreate ? "" : event.metadata.name};
}

}  // namespace

EventRecorder::EventRecorder(asio::any_io_executor executor, Client& client, Clock& clock,
                             LogFn log, Options options)
    : client_(client),
      clock_(clock),
      log_(std::move(log)),
      options_(std::move(options)),
      correlator_(options_.identity),
      news_(executor),
      tasks_(executor, log_) {
  tasks_.Spawn("event recorder", Work());
}

void EventRecorder::Record(const Occurrence& occurrence) {
  if (stopping_) return;
  if (auto write = correlator_.Record(occurrence, clock_.Now(), clock_.SteadyNow())) {
    Push(std::move(*write));
  }
  news_.NotifyAll();  // a count that waits has a deadline
}

void EventRecorder::Push(Write write) {
  if (queue_.size() < options_.max_queue) {
    queue_.push_back(std::move(write));
    return;
  }
  if (++stats_.dropped == 1) log_(Severity::kWarning, "Events are dropped: too many wait");
}

asio::awaitable<void> EventRecorder::Stop(milliseconds grace) {
  stopping_ = true;
  for (auto& write : correlator_.Flush()) Push(std::move(write));
  news_.NotifyAll();
  co_await RunWithin(clock_, grace, tasks_.Join());
  if (!queue_.empty()) {
    log_(Severity::kWarning, fmt::format("{} Events were not written", queue_.size()));
  }
  co_await tasks_.Stop();
}

EventRecorder::Stats EventRecorder::stats() const {
  Stats stats = stats_;
  stats.suppressed = correlator_.suppressed();
  return stats;
}

// One at a time, in order: a count is not written before its Event.
asio::awaitable<void> EventRecorder::Work() {
  while (true) {
    for (auto& write : correlator_.Due(clock_.SteadyNow())) Push(std::move(write));
    if (!queue_.empty()) {
      Write write = std::move(queue_.front());
      queue_.pop_front();
      co_await Send(std::move(write));
    } else if (stopping_) {
      co_return;
    } else {
      co_await WaitForWork();
    }
  }
}

asio::awaitable<void> EventRecorder::WaitForWork() {
  const auto due = correlator_.NextDue();
  if (!due) {
    co_await news_.Wait();
  } else {
    const auto wait = std::chrono::ceil<milliseconds>(*due - clock_.SteadyNow());
    const auto executor = co_await asio::this_coro::executor;
    const auto alarm = clock_.SetAlarm(executor, wait, [this] { news_.NotifyAll(); });
    co_await news_.Wait();
  }
}

asio::awaitable<void> EventRecorder::Send(Write write) {
  milliseconds pause = kFirstPause;
  for (int attempt = 1;; ++attempt) {
    auto sent = co_await SendOnce(write);
    if (sent) {
      ++stats_.written;
      co_return;
    }
    if (attempt == kAttempts || !IsTransient(sent.error().code)) {
      ++stats_.failed;
      log_(Severity::kWarning, fmt::format("Event {} of {} {}/{} is lost: {}", write.event.reason,
                                           write.event.regarding.kind, write.event.metadata.ns,
                                           write.event.regarding.name, sent.error().message));
      co_return;
    }
    co_await clock_.Sleep(
        std::max<milliseconds>(pause, sent.error().retry_after.value_or(std::chrono::seconds(0))));
    pause *= 2;
  }
}

asio::awaitable<api::Result<void>> EventRecorder::SendOnce(Write write) {
  if (write.kind == Write::Kind::kSeries) {
    Request request = RequestFor(Verb::kMergePatch, write.event);
    request.body = {{"series", api::Encode(*write.event.series)}};
    auto patched = co_await client_.Do(std::move(request));
    if (patched) co_return api::Result<void>();
    // Events live for an hour: the series may be older. Then it begins anew, with its count.
    if (patched.error().code != api::Code::kNotFound) co_return patched.error();
  }
  Request request = RequestFor(Verb::kCreate, write.event);
  request.body = api::Encode(write.event);
  auto created = co_await client_.Do(std::move(request));
  // An attempt whose answer was lost had its effect.
  if (!created && created.error().code != api::Code::kAlreadyExists) co_return created.error();
  co_return api::Result<void>();
}

}  // namespace stillpoint::kube
