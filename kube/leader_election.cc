#include "kube/leader_election.h"

#include "api/codec.h"
#include "kube/aborted.h"

#include <fmt/format.h>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace stillpoint::kube {

namespace asio = boost::asio;
using api::Lease;
using api::LeaseSpec;
using std::chrono::milliseconds;

namespace {

// client-go's JitterFactor: candidates that wait for one lease do not ask in step.
constexpr double kRetryJitter = 1.2;

constexpr milliseconds kReleaseTimeout = std::chrono::seconds(3);

}  // namespace

std::string LeaderIdentity(std::string_view hostname, Random& random) {
  return fmt::format("{}_{:016x}", hostname, random.Next());
}

LeaderElector::LeaderElector(Client& client, Clock& clock, LogFn log, Options options,
                             Callbacks callbacks)
    : client_(client),
      clock_(clock),
      log_(std::move(log)),
      options_(std::move(options)),
      callbacks_(std::move(callbacks)),
      random_(options_.seed) {}

bool LeaderElector::MayAct() const {
  if (!leading_) return false;
  const auto valid = options_.lease_duration - options_.margin;
  // The monotonic clock stands still while a virtual machine is suspended. The wall clock does
  // not, but it may jump: then this is false until the next renewal, which is on the safe side.
  return clock_.SteadyNow() - renewed_ < valid && clock_.Now() - renewed_wall_ < valid;
}

asio::awaitable<void> LeaderElector::Run() {
  std::exception_ptr failure;
  try {
    co_await Acquire();
    co_await Renew();
  } catch (...) {
    failure = std::current_exception();
  }
  const bool led = leading_;
  StopLeading();
  if (led && IsAborted(failure)) {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    if (options_.release_on_cancel) co_await Release();
    co_return;
  }
  if (failure) std::rethrow_exception(failure);
}

asio::awaitable<void> LeaderElector::Acquire() {
  while (true) {
    auto acquired =
        co_await WithTimeout(clock_, options_.renew_deadline, "no answer", TryAcquireOrRenew());
    if (!acquired) {
      Complain(acquired.error());
    } else if (*acquired) {
      break;
    }
    co_await clock_.Sleep(random_.Jitter(options_.retry_period, kRetryJitter));
  }
  log_(Severity::kInfo, fmt::format("leading as {}", options_.identity));
  leading_ = true;
  callbacks_.on_started();
}

// Returns when the lead is lost.
asio::awaitable<void> LeaderElector::Renew() {
  const auto left = [this] {
    return std::chrono::ceil<milliseconds>(renewed_ + options_.renew_deadline - clock_.SteadyNow());
  };
  while (true) {
    co_await clock_.Sleep(std::min(options_.retry_period, left()));
    if (left().count() <= 0) {
      log_(Severity::kError, fmt::format("the lead is lost: the lease was not renewed for {} s",
                                         options_.renew_deadline / std::chrono::seconds(1)));
      co_return;
    }
    auto renewed = co_await WithTimeout(clock_, left(), "no answer", TryAcquireOrRenew());
    if (!renewed) {
      Complain(renewed.error());
    } else if (!*renewed) {
      log_(Severity::kError, fmt::format("the lead is lost to {}", Holder()));
      co_return;
    }
  }
}

void LeaderElector::StopLeading() {
  if (!std::exchange(leading_, false)) return;
  callbacks_.on_stopped();
}

// An empty holder, as client-go leaves it; a short duration for candidates that look only at that.
asio::awaitable<void> LeaderElector::Release() {
  LeaseSpec spec = seen_;
  spec.holder_identity = "";
  spec.lease_duration_seconds = 1;
  spec.renew_time = api::MicroTime{clock_.Now()};
  auto released = co_await WithTimeout(clock_, kReleaseTimeout, "no answer", Write(spec));
  if (!released) Complain(released.error());
}

// ---- one attempt ------------------------------------------------------------------------------

asio::awaitable<api::Result<bool>> LeaderElector::TryAcquireOrRenew() {
  // A leader writes on top of what it wrote last: one request, and proof that nobody else has held
  // the lease meanwhile.
  if (leading_ && lease_known_) {
    auto written = co_await Write(Claim());
    if (written) co_return true;
    const auto code = written.error().code;
    if (code != api::Code::kConflict && code != api::Code::kNotFound) co_return written.error();
  }
  auto lease = co_await DoAs<Lease>(client_, RequestFor(Verb::kGet));
  if (!lease && lease.error().code == api::Code::kNotFound) {
    auto created = co_await Create();
    if (!created) co_return created.error();
    co_return true;
  }
  if (!lease) co_return lease.error();
  See(*lease);
  if (HeldByAnother()) co_return false;
  auto written = co_await Write(Claim());
  if (!written) co_return written.error();
  co_return true;
}

asio::awaitable<api::Result<void>> LeaderElector::Create() {
  Lease lease;
  lease.metadata.name = options_.lease.name;
  lease.metadata.ns = options_.lease.ns;
  seen_ = {};
  lease.spec = Claim();
  lease.spec.lease_transitions = 0;
  Request request = RequestFor(Verb::kCreate);
  request.name.clear();
  request.body = api::Encode(lease);
  const auto sent = clock_.SteadyNow();
  const auto sent_wall = clock_.Now();
  auto created = co_await DoAs<Lease>(client_, std::move(request));
  if (!created) co_return created.error();
  Held(*created, sent, sent_wall);
  co_return api::Result<void>();
}

// To the version that was seen, so that of two who want it one gets kConflict.
asio::awaitable<api::Result<void>> LeaderElector::Write(LeaseSpec spec) {
  Request request = RequestFor(Verb::kMergePatch);
  request.body = {{"metadata", {{"resourceVersion", seen_version_}}}, {"spec", api::Encode(spec)}};
  const auto sent = clock_.SteadyNow();
  const auto sent_wall = clock_.Now();
  auto written = co_await DoAs<Lease>(client_, std::move(request));
  if (!written) co_return written.error();
  Held(*written, sent, sent_wall);
  co_return api::Result<void>();
}

// Others count from when they saw the write, which was after it was sent.
void LeaderElector::Held(const Lease& lease, Clock::Steady sent, api::Time sent_wall) {
  renewed_ = sent;
  renewed_wall_ = sent_wall;
  complaint_.clear();
  See(lease);
}

void LeaderElector::See(const Lease& lease) {
  seen_version_ = lease.metadata.resource_version;
  if (lease_known_ && lease.spec == seen_) return;
  const std::string before = Holder();
  seen_ = lease.spec;
  seen_since_ = clock_.SteadyNow();
  lease_known_ = true;
  if (Holder() != before && !Holder().empty() && Holder() != options_.identity) {
    log_(Severity::kInfo, fmt::format("{} leads", Holder()));
  }
}

bool LeaderElector::HeldByAnother() const {
  if (Holder().empty() || Holder() == options_.identity) return false;
  const milliseconds duration =
      seen_.lease_duration_seconds.value_or(0) > 0
          ? milliseconds(std::chrono::seconds(*seen_.lease_duration_seconds))
          : options_.lease_duration;
  return clock_.SteadyNow() - seen_since_ < duration;
}

// The lease as it is when it is ours.
LeaseSpec LeaderElector::Claim() const {
  LeaseSpec spec = seen_;
  const api::MicroTime now{clock_.Now()};
  if (Holder() != options_.identity) {
    spec.acquire_time = now;
    spec.lease_transitions = seen_.lease_transitions.value_or(0) + 1;
  }
  spec.holder_identity = options_.identity;
  spec.lease_duration_seconds =
      static_cast<std::int32_t>(options_.lease_duration / std::chrono::seconds(1));
  spec.renew_time = now;
  return spec;
}

Request LeaderElector::RequestFor(Verb verb) const {
  return {.verb = verb,
          .ns = options_.lease.ns,
          .name = options_.lease.name,
          .timeout = options_.renew_deadline / 2};
}

void LeaderElector::Complain(const api::Error& error) {
  if (error.message == complaint_) return;
  complaint_ = error.message;
  log_(Severity::kWarning,
       fmt::format("lease {}/{}: {}", options_.lease.ns, options_.lease.name, error.message));
}

}  // namespace stillpoint::kube
