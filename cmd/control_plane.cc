#include "cmd/control_plane.h"

#include "cmd/listen_address.h"
#include "cmd/wanted_rights.h"
#include "controllers/backup_names.h"
#include "kube/access.h"
#include "kube/http_client.h"
#include "kube/lws_exec.h"
#include "kube/runtime_metrics.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>

namespace stillpoint::cmd {

using boost::asio::awaitable;
using namespace std::chrono_literals;

namespace {

// Longer than any thaw of our own that can succeed at all; the Pod is given 60 s.
constexpr auto kStopGrace = 45s;

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

std::string LeaseNamespace(const ControllerFlags& flags, const kube::Config& config) {
  if (!flags.lease_namespace.empty()) return flags.lease_namespace;
  return config.context == "in-cluster" ? config.ns : kDefaultLeaseNamespace;
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
      backups_(executor, *client_, clock, log, {.ns = flags_.ns, .seed = random_.Next()}),
      restores_(executor, *client_, clock, log, {.ns = flags_.ns, .seed = random_.Next()}),
      snapshots_(executor, *client_, clock, log,
                 {.ns = flags_.ns,
                  .label_selector = fmt::format("{}={}", controllers::kManagedByLabel,
                                                controllers::kManagedByValue),
                  .seed = random_.Next()}),
      events_(executor, *client_, clock, log, {.identity = identity_}),
      backup_controller_({.executor = executor,
                          .client = *client_,
                          .exec = *exec_,
                          .clock = clock,
                          .events = events_,
                          .backups = backups_,
                          .restores = restores_,
                          .snapshots = snapshots_,
                          .may_act = [this] { return MayAct(); },
                          .log = log},
                         {.identity = identity_, .workers = flags_.workers}),
      restore_controller_({.executor = executor,
                           .client = *client_,
                           .exec = *exec_,
                           .clock = clock,
                           .events = events_,
                           .restores = restores_,
                           .may_act = [this] { return MayAct(); },
                           .log = log},
                          flags_.workers),
      stop_(executor),
      lead_(executor, log),
      caches_(executor, log) {
  if (!Elects()) return;
  elector_ = std::make_unique<kube::LeaderElector>(
      *client_, clock_, log_,
      kube::LeaderElector::Options{.lease = {LeaseNamespace(flags_, config_), "stillpoint"},
                                   .identity = identity_,
                                   .seed = random_.Next()},
      kube::LeaderElector::Callbacks{.on_started = [this] { StartControllers(); },
                                     .on_stopped = [this] { LoseLead(); }});
}

ControlPlane::~ControlPlane() = default;

bool ControlPlane::Elects() const {
  if (flags_.leader_elect != "auto") return flags_.leader_elect == "true";
  return config_.context == "in-cluster";
}

bool ControlPlane::MayAct() const {
  return !stop_requested_ && (!elector_ || elector_->MayAct());
}

// ---- start and end ----------------------------------------------------------------------------

awaitable<ControlPlane::End> ControlPlane::Run() {
  log_(kube::Severity::kInfo,
       fmt::format("stillpoint {} as {}, API server {}:{} ({})", STILLPOINT_VERSION, identity_,
                   config_.host, config_.port, config_.context));
  ExposeMetrics();
  if (!StartServers()) {
    co_await StopAll();  // what the constructors have started keeps the loop alive
    co_return End::kCannotServe;
  }
  caches_.Spawn("check of our rights", NameMissingRights());
  caches_.Spawn("informer of VolumeBackups", backups_.Run());
  caches_.Spawn("informer of VolumeRestores", restores_.Run());
  caches_.Spawn("informer of VolumeSnapshots", snapshots_.Run());
  lead_.Spawn("lead", Lead());
  while (!stop_requested_ && !lease_lost_) co_await stop_.Wait();
  co_await StopAll();
  co_return lease_lost_ ? End::kLeaseLost : End::kStopped;
}

void ControlPlane::RequestStop() {
  stop_requested_ = true;
  stop_.NotifyAll();
}

void ControlPlane::LoseLead() {
  if (stop_requested_) return;
  log_(kube::Severity::kError, "the lease is lost: thawing what is frozen, then ending");
  lease_lost_ = true;
  stop_.NotifyAll();
}

// The snapshot API may be absent: its informer then never syncs, and backups are refused with the
// reason. So only our own kinds are waited for.
awaitable<void> ControlPlane::Lead() {
  co_await backups_.WaitSynced();
  co_await restores_.WaitSynced();
  if (elector_) {
    co_await elector_->Run();
  } else {
    StartControllers();
  }
}

void ControlPlane::StartControllers() {
  if (controllers_started_) return;
  controllers_started_ = true;
  backup_controller_.Start();
  restore_controller_.Start();
  log_(kube::Severity::kInfo, "controllers started");
}

// First the thaw, last the lease: while something of ours is frozen, nobody else should begin.
awaitable<void> ControlPlane::StopAll() {
  co_await backup_controller_.Stop(kStopGrace);
  co_await restore_controller_.Stop(5s);
  co_await events_.Stop(2s);
  co_await lead_.Stop();
  co_await caches_.Stop();
  if (metrics_server_) co_await metrics_server_->Stop();
  if (health_) co_await health_->Stop();
}

// ---- what it shows ----------------------------------------------------------------------------

void ControlPlane::ExposeMetrics() {
  kube::ExposeProcess(metrics_);
  kube::ExposeInformer(metrics_, backups_);
  kube::ExposeInformer(metrics_, restores_);
  kube::ExposeInformer(metrics_, snapshots_);
  kube::ExposeController(metrics_, backup_controller_.controller());
  kube::ExposeController(metrics_, restore_controller_.controller());
  kube::ExposeEventRecorder(metrics_, events_);
  if (elector_) kube::ExposeLeaderElector(metrics_, *elector_);
}

// Ready means that it would act if it had the lease: the caches are complete, and who leads is
// known.
kube::HttpAnswer ControlPlane::Ready() const {
  std::string waits;
  if (!backups_.Synced()) waits += "volumebackups are not listed yet\n";
  if (!restores_.Synced()) waits += "volumerestores are not listed yet\n";
  if (elector_ && !elector_->LeaseKnown()) waits += "the lease is not known yet\n";
  if (stop_requested_) waits += "ending\n";
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
