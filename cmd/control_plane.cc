#include "cmd/control_plane.h"

#include "cmd/listen_address.h"
#include "cmd/wanted_rights.h"
#include "kube/access.h"
#include "kube/http_client.h"
#include "kube/lws_exec.h"
#include "kube/runtime_metrics.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace stillpoint::cmd {

using boost::asio::awaitable;

namespace {

constexpr std::string_view kNowhere = "0";  // as controller-runtime has it
constexpr char kDefaultLeaseNamespace[] = "stillpoint-system";

std::uint64_t Seed() {
  std::uint64_t seed = 0;
  if (getentropy(&seed, sizeof seed) != 0) seed = static_cast<std::uint64_t>(getpid());
  return seed;
}

std::string HostName() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.data();
}

std::optional<api::NamespacedName> LeaseOf(const ControllerFlags& flags,
                                           const kube::Config& config) {
  const bool in_cluster = config.context == "in-cluster";
  const bool elects = flags.leader_elect == "auto" ? in_cluster : flags.leader_elect == "true";
  if (!elects) return std::nullopt;
  std::string ns = flags.lease_namespace;
  if (ns.empty()) ns = in_cluster ? config.ns : kDefaultLeaseNamespace;
  return api::NamespacedName{std::move(ns), "stillpoint"};
}

}  // namespace

ControlPlane::ControlPlane(boost::asio::any_io_executor executor, kube::Config config,
                           kube::Clock& clock, ControllerFlags flags, kube::LogFn log)
    : executor_(executor),
      clock_(clock),
      flags_(std::move(flags)),
      config_(std::move(config)),
      log_(log),
      random_(Seed()),
      identity_(kube::LeaderIdentity(HostName(), random_)),
      client_(kube::MakeHttpClient(executor, config_, clock, log,
                                   {.observe = kube::RequestObserver(metrics_),
                                    .jitter_seed = static_cast<std::uint32_t>(random_.Next())})),
      exec_(kube::MakeExecClient(executor, *client_, config_, clock, log)),
      manager_(
          {.executor = executor, .client = *client_, .exec = *exec_, .clock = clock, .log = log},
          {.ns = flags_.ns,
           .identity = identity_,
           .lease = LeaseOf(flags_, config_),
           .workers = flags_.workers,
           .seed = random_.Next()}),
      tasks_(executor, log) {}

ControlPlane::~ControlPlane() = default;

// ---- start and end ----------------------------------------------------------------------------

awaitable<ControlPlane::End> ControlPlane::Run() {
  log_(kube::Severity::kInfo,
       fmt::format("stillpoint {} as {}, API server {}:{} ({})", STILLPOINT_VERSION, identity_,
                   config_.host, config_.port, config_.context));
  ExposeMetrics();
  const bool serves = StartServers();
  if (!serves) manager_.RequestStop();  // what the constructors have started keeps the loop alive
  tasks_.Spawn("check of our rights", NameMissingRights());
  const auto end = co_await manager_.Run();
  co_await tasks_.Stop();
  if (metrics_server_) co_await metrics_server_->Stop();
  if (health_) co_await health_->Stop();
  if (!serves) co_return End::kCannotServe;
  co_return end == controllers::Manager::End::kLeaseLost ? End::kLeaseLost : End::kStopped;
}

void ControlPlane::RequestStop() {
  manager_.RequestStop();
}

// ---- what it shows ----------------------------------------------------------------------------

void ControlPlane::ExposeMetrics() {
  kube::ExposeProcess(metrics_);
  kube::ExposeInformer(metrics_, manager_.backups());
  kube::ExposeInformer(metrics_, manager_.restores());
  kube::ExposeInformer(metrics_, manager_.snapshots());
  kube::ExposeController(metrics_, manager_.backup_controller().controller());
  kube::ExposeController(metrics_, manager_.restore_controller().controller());
  kube::ExposeEventRecorder(metrics_, manager_.events());
  if (const auto* elector = manager_.elector()) kube::ExposeLeaderElector(metrics_, *elector);
}

// Ready means that it would act if it had the lease: the caches are complete, and who leads is
// known.
kube::HttpAnswer ControlPlane::Ready() const {
  const std::string waits = manager_.WaitsFor();
  if (waits.empty()) return {.body = "ok\n"};
  return {.status = 503, .body = waits};
}

bool ControlPlane::StartServers() {
  return Serve(flags_.health_address, &health_,
               {{"/healthz", [] { return kube::HttpAnswer{.body = "ok\n"}; }},
                {"/readyz", [this] { return Ready(); }}}) &&
         Serve(flags_.metrics_address, &metrics_server_,
               {{"/metrics", [this] {
                   return kube::HttpAnswer{.body = metrics_.Text(),
                                           .content_type = kube::Metrics::kContentType};
                 }}});
}

bool ControlPlane::Serve(const std::string& where, std::unique_ptr<kube::HttpServer>* server,
                         const std::map<std::string, kube::HttpServer::Handler>& handlers) {
  if (where == kNowhere) return true;
  const auto address = ParseListenAddress(where);
  if (!address) {
    log_(kube::Severity::kError, address.error().message);
    return false;
  }
  *server = std::make_unique<kube::HttpServer>(
      executor_, clock_, log_,
      kube::HttpServer::Options{.address = address->host, .port = address->port});
  for (const auto& [path, handler] : handlers) (*server)->Handle(path, handler);
  const auto started = (*server)->Start();
  if (!started) {
    log_(kube::Severity::kError,
         fmt::format("cannot listen on {}: {}", where, started.error().message));
  }
  return started.has_value();
}

// One line for each right that is missing, so that nobody has to guess it from a 403 later.
awaitable<void> ControlPlane::NameMissingRights() {
  auto missing = co_await kube::MissingRights(*client_, WantedRights(flags_.ns));
  if (!missing) {
    log_(kube::Severity::kWarning, "our rights cannot be checked: " + missing.error().message);
    co_return;
  }
  for (const std::string& right : *missing) log_(kube::Severity::kError, right);
}

}  // namespace stillpoint::cmd
