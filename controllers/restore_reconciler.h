// RestoreReconciler: one pass over one VolumeRestore: observe, plan, act. It remembers nothing
// between passes, so that the next process goes on where this one was killed.
#pragma once

#include "api/error.h"
#include "api/meta.h"
#include "controllers/restore_action.h"
#include "controllers/restore_hooks_plan.h"
#include "controllers/restore_status.h"
#include "kube/client.h"
#include "kube/clock.h"
#include "kube/controller.h"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace stillpoint::controllers {

// Threads: call on the executor of the loop.
// Lifetime: what Dependencies refers to must outlive every pass.
// Errors: those of kube::Client that another try may overcome; what it cannot is in the status.
// Cancellation: throws operation_aborted; a later pass goes on.
class RestoreReconciler {
 public:
  struct Dependencies {
    kube::Client& client;
    kube::Clock& clock;

    // Runs one hook to its end; every failure is in the outcome.
    std::function<boost::asio::awaitable<restore::HookOutcome>(std::string ns, restore::PostHook)>
        run_hook;

    // Sends an Event on the restore. Must not block.
    std::function<void(const api::VolumeRestore&, const restore::Notice&)> notify;

    // Tells what is about to be done, for the log.
    std::function<void(const api::VolumeRestore&, const restore::Action&)> log;

    // Whether this process may change anything: its lease has not run out.
    std::function<bool()> may_act;
  };

  explicit RestoreReconciler(Dependencies dependencies);

  [[nodiscard]] boost::asio::awaitable<api::Result<kube::Requeue>> Reconcile(
      api::NamespacedName key);

 private:
  template <class T = void>
  using Async = boost::asio::awaitable<api::Result<T>>;

  // How a step of a pass ended: go on with a fresh look at the cluster, or stop with this.
  using Step = std::optional<kube::Requeue>;

  [[nodiscard]] Async<Step> Once(api::NamespacedName key);
  [[nodiscard]] Async<> Carry(restore::View view, restore::Plan plan);
  [[nodiscard]] Async<> Write(restore::View view, restore::Plan plan);
  [[nodiscard]] Async<> Do(restore::View view, restore::Action action);
  [[nodiscard]] Async<> RunPostHooks(restore::View view);
  void Notify(const api::VolumeRestore& restore, const std::vector<restore::Notice>& notices);

  const Dependencies deps_;
};

}  // namespace stillpoint::controllers
