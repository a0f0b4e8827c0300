#include "controllers/restore_controller.h"

#include "controllers/restore_act.h"

#include <fmt/format.h>

#include <utility>

namespace stillpoint::controllers {

using boost::asio::awaitable;

RestoreController::RestoreController(Dependencies dependencies, int workers)
    : deps_(std::move(dependencies)),
      hooks_(deps_.exec, deps_.clock),
      reconciler_(MakeReconciler()),
      controller_(
          deps_.executor, deps_.clock, deps_.log, {.name = "volumerestore", .workers = workers},
          [this](api::NamespacedName key) { return reconciler_.Reconcile(std::move(key)); }) {
  deps_.restores.OnChange([this](const api::NamespacedName& key, const api::VolumeRestore*,
                                 const api::VolumeRestore*) { controller_.queue().Add(key); });
}

RestoreReconciler RestoreController::MakeReconciler() {
  return RestoreReconciler(
      {.client = deps_.client,
       .clock = deps_.clock,
       .run_hook = [this](
                       std::string ns,
                       restore::PostHook hook) { return RunHook(std::move(ns), std::move(hook)); },
       .notify = [this](const api::VolumeRestore& restore,
                        const restore::Notice& notice) { Notify(restore, notice); },
       .log = [this](const api::VolumeRestore& restore,
                     const restore::Action& action) { Log(restore, action); },
       .may_act = deps_.may_act});
}

awaitable<restore::HookOutcome> RestoreController::RunHook(std::string ns, restore::PostHook hook) {
  const hooks::FinishedRun run = co_await hooks_.Run({.ns = std::move(ns),
                                                      .pod = hook.pod,
                                                      .pod_uid = hook.pod_uid,
                                                      .container = hook.container,
                                                      .argv = hook.argv,
                                                      .phase = api::HookPhase::kPost,
                                                      .timeout = hook.timeout});
  const hooks::HookResult& result = run.result;
  co_return restore::HookOutcome{
      .status = {.pod = hook.pod,
                 .pod_uid = hook.pod_uid,
                 .container = hook.container,
                 .phase = api::HookPhase::kPost,
                 .exit_code = result.exit_code,
                 .duration = result.duration,
                 .output_tail = result.output_tail,
                 .error = result.Succeeded() ? std::string() : result.Sentence()},
      .on_error = hook.on_error,
      .succeeded = result.Succeeded()};
}

void RestoreController::Notify(const api::VolumeRestore& restore, const restore::Notice& notice) {
  deps_.events.Record({.type = notice.type == restore::Notice::Type::kWarning
                                   ? kube::EventType::kWarning
                                   : kube::EventType::kNormal,
                       .regarding = kube::ReferenceTo(restore),
                       .reason = notice.reason,
                       .action = "Restore",
                       .note = notice.message});
}

void RestoreController::Log(const api::VolumeRestore& restore, const restore::Action& action) {
  deps_.log(kube::Severity::kInfo, fmt::format("restore={}/{} {}", restore.metadata.ns,
                                               restore.metadata.name, restore::Describe(action)));
}

}  // namespace stillpoint::controllers
