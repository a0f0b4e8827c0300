#include "kube/controller.h"

#include <fmt/format.h>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <exception>
#include <utility>

namespace stillpoint::kube {

namespace asio = boost::asio;
using std::chrono::milliseconds;

namespace {

// A lost race is normal and the next view is on its way; more in a row means that the cache lags,
// and asking faster than it moves would only be noise.
constexpr int kConflictsAtOnce = 3;

std::string Describe(const api::NamespacedName& key) {
  return key.ns.empty() ? key.name : fmt::format("{}/{}", key.ns, key.name);
}

}  // namespace

// How a pass ended: with a result, or with the text of an exception.
struct Controller::Outcome {
  api::Result<Requeue> result = Requeue::None();
  std::optional<std::string> exception = std::nullopt;
};

Controller::Controller(asio::any_io_executor executor, Clock& clock, LogFn log, Options options,
                       ReconcileFn reconcile)
    : clock_(clock),
      log_(std::move(log)),
      options_(std::move(options)),
      reconcile_(std::move(reconcile)),
      queue_(executor, clock, options_.backoff),
      workers_(executor, log_) {}

void Controller::Start() {
  for (int i = 0; i < options_.workers; ++i) {
    workers_.Spawn(fmt::format("{} worker {}", options_.name, i), Work());
  }
}

asio::awaitable<void> Controller::Stop(milliseconds grace) {
  queue_.Shutdown();
  const bool finished = co_await RunWithin(clock_, grace, workers_.Join());
  if (!finished) {
    log_(Severity::kWarning, fmt::format("{}: cancelling {} passes that did not end within {} ms",
                                         options_.name, workers_.size(), grace.count()));
  }
  co_await workers_.Stop();
}

asio::awaitable<void> Controller::Work() {
  while (auto key = co_await queue_.Next()) {
    const auto start = clock_.SteadyNow();
    const Outcome outcome = co_await Pass(*key);
    stats_.time += clock_.SteadyNow() - start;
    ++stats_.passes;
    Conclude(*key, outcome);
    queue_.Done(*key);
  }
}

asio::awaitable<Controller::Outcome> Controller::Pass(api::NamespacedName key) {
  Outcome outcome;
  try {
    outcome.result = co_await reconcile_(std::move(key));
  } catch (const std::exception& e) {
    outcome.exception = e.what();
  } catch (...) {
    outcome.exception = "an exception of unknown type";
  }
  co_return outcome;
}

void Controller::Conclude(const api::NamespacedName& key, const Outcome& outcome) {
  if (outcome.exception) {
    ++stats_.exceptions;
    log_(Severity::kError, fmt::format("{}: {}: the pass ended with an exception: {}",
                                       options_.name, Describe(key), *outcome.exception));
    return queue_.AddRateLimited(key);
  }
  if (!outcome.result) return Retry(key, outcome.result.error());
  conflicts_.erase(key);
  const auto after = outcome.result->after;
  // Zero is a plan that would spin: the backoff holds it back until it is repaired.
  if (after && after->count() <= 0) return queue_.AddRateLimited(key);
  queue_.Forget(key);
  if (after) queue_.AddAfter(key, *after);
}

void Controller::Retry(const api::NamespacedName& key, const api::Error& error) {
  ++stats_.errors[error.code];
  if (error.code == api::Code::kConflict && ++conflicts_[key] <= kConflictsAtOnce) {
    return queue_.Add(key);
  }
  log_(Severity::kWarning, fmt::format("{}: {}: {}: {}", options_.name, Describe(key),
                                       api::ToString(error.code), error.message));
  queue_.AddRateLimited(key, error.retry_after.value_or(std::chrono::seconds(0)));
}

}  // namespace stillpoint::kube
