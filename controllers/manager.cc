#include "controllers/manager.h"

#include "controllers/backup_names.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

namespace stillpoint::controllers {

using boost::asio::awaitable;
using namespace std::chrono_literals;

namespace {

// Longer than any thaw of our own that can succeed at all; the Pod is given 60 s.
constexpr auto kStopGrace = 45s;

}  // namespace

Manager::Manager(Dependencies deps, ManagerOptions options)
    : log_(deps.log),
      random_(options.seed),
      backups_(deps.executor, deps.client, deps.clock, deps.log,
               {.ns = options.ns, .seed = random_.Next()}),
      restores_(deps.executor, deps.client, deps.clock, deps.log,
                {.ns = options.ns, .seed = random_.Next()}),
      snapshots_(deps.executor, deps.client, deps.clock, deps.log,
                 {.ns = options.ns,
                  .label_selector = fmt::format("{}={}", kManagedByLabel, kManagedByValue),
                  .seed = random_.Next()}),
      events_(deps.executor, deps.client, deps.clock, deps.log, {.identity = options.identity}),
      backup_controller_({.executor = deps.executor,
                          .client = deps.client,
                          .exec = deps.exec,
                          .clock = deps.clock,
                          .events = events_,
                          .backups = backups_,
                          .restores = restores_,
                          .snapshots = snapshots_,
                          .leads = [this] { return Leads(); },
                          .may_act = [this] { return MayAct(); },
                          .log = deps.log},
                         {.identity = options.identity, .workers = options.workers}),
      restore_controller_({.executor = deps.executor,
                           .client = deps.client,
                           .exec = deps.exec,
                           .clock = deps.clock,
                           .events = events_,
                           .restores = restores_,
                           .may_act = [this] { return MayAct(); },
                           .log = deps.log},
                          options.workers),
      stop_(deps.executor),
      lead_(deps.executor, deps.log),
      caches_(deps.executor, deps.log) {
  if (!options.lease) return;
  elector_ = std::make_unique<kube::LeaderElector>(
      deps.client, deps.clock, deps.log,
      kube::LeaderElector::Options{
          .lease = *options.lease, .identity = options.identity, .seed = random_.Next()},
      kube::LeaderElector::Callbacks{.on_started = [this] { StartControllers(); },
                                     .on_stopped = [this] { LoseLead(); }});
}

Manager::~Manager() = default;

bool Manager::Leads() const {
  return !elector_ || elector_->MayAct();
}

bool Manager::MayAct() const {
  return !stop_requested_ && Leads();
}

awaitable<Manager::End> Manager::Run() {
  caches_.Spawn("informer of VolumeBackups", backups_.Run());
  caches_.Spawn("informer of VolumeRestores", restores_.Run());
  caches_.Spawn("informer of VolumeSnapshots", snapshots_.Run());
  lead_.Spawn("lead", Lead());
  while (!stop_requested_ && !lease_lost_) co_await stop_.Wait();
  co_await StopAll();
  co_return lease_lost_ ? End::kLeaseLost : End::kStopped;
}

void Manager::RequestStop() {
  stop_requested_ = true;
  stop_.NotifyAll();
}

void Manager::LoseLead() {
  if (stop_requested_) return;
  log_(kube::Severity::kError, "the lease is lost: thawing what is frozen, then ending");
  lease_lost_ = true;
  stop_.NotifyAll();
}

// A thaw needs the journals and nothing else, so that only they are waited for.
awaitable<void> Manager::Lead() {
  co_await backups_.WaitSynced();
  if (elector_) {
    co_await elector_->Run();
  } else {
    log_(kube::Severity::kInfo, "no Lease is taken: see that no other controller runs beside this");
    StartControllers();
  }
}

void Manager::StartControllers() {
  if (controllers_started_) return;
  controllers_started_ = true;
  backup_controller_.Start();
  restore_controller_.Start();
  log_(kube::Severity::kInfo, "controllers started");
}

// First the thaw, last the lease: while something of ours is frozen, nobody else should begin.
awaitable<void> Manager::StopAll() {
  co_await backup_controller_.Stop(kStopGrace);
  co_await restore_controller_.Stop(5s);
  co_await events_.Stop(2s);
  co_await lead_.Stop();
  co_await caches_.Stop();
}

std::string Manager::WaitsFor() const {
  std::string waits;
  if (!backups_.Synced()) waits += "volumebackups are not listed yet\n";
  if (!restores_.Synced()) waits += "volumerestores are not listed yet\n";
  if (elector_ && !elector_->LeaseKnown()) waits += "the lease is not known yet\n";
  if (stop_requested_) waits += "ending\n";
  return waits;
}

}  // namespace stillpoint::controllers
