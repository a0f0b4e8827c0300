// RestoreController: carries out VolumeRestores: the informer's keys, the reconciler's passes,
// hooks and Events.
#pragma once

#include "api/volume_restore.h"
#include "controllers/restore_reconciler.h"
#include "hooks/hook_runner.h"
#include "kube/client.h"
#include "kube/clock.h"
#include "kube/controller.h"
#include "kube/events.h"
#include "kube/exec.h"
#include "kube/informer.h"
#include "kube/log.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <string>

namespace stillpoint::controllers {

// Threads: call every method on the executor given to the constructor.
// Lifetime: everything in Dependencies must outlive it; Stop() before destruction.
class RestoreController {
 public:
  struct Dependencies {
    boost::asio::any_io_executor executor;
    kube::Client& client;
    kube::ExecClient& exec;
    kube::Clock& clock;
    kube::EventRecorder& events;
    kube::Informer<api::VolumeRestore>& restores;

    // Whether this process may change anything: its lease has not run out.
    std::function<bool()> may_act;
    kube::LogFn log;
  };

  RestoreController(Dependencies dependencies, int workers);

  // Works on what its informer lists, as soon as it does.
  void Start() { controller_.Start(); }

  // A restore that is under way is left as its status records it: the next process goes on.
  [[nodiscard]] boost::asio::awaitable<void> Stop(std::chrono::milliseconds grace) {
    return controller_.Stop(grace);
  }

  [[nodiscard]] const kube::Controller& controller() const { return controller_; }

 private:
  [[nodiscard]] RestoreReconciler MakeReconciler();
  [[nodiscard]] boost::asio::awaitable<restore::HookOutcome> RunHook(std::string ns,
                                                                     restore::PostHook hook);
  void Notify(const api::VolumeRestore& restore, const restore::Notice& notice);
  void Log(const api::VolumeRestore& restore, const restore::Action& action);

  const Dependencies deps_;
  hooks::HookRunner hooks_;
  RestoreReconciler reconciler_;
  kube::Controller controller_;
};

}  // namespace stillpoint::controllers
