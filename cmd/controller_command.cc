#include "cmd/controller_command.h"

#include "cmd/control_plane.h"
#include "kube/clock.h"
#include "kube/load_config.h"

#include <glog/logging.h>
#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <csignal>
#include <exception>
#include <string>
#include <string_view>

namespace stillpoint::cmd {
namespace {

void Log(kube::Severity severity, std::string_view text) {
  switch (severity) {
    case kube::Severity::kInfo:
      LOG(INFO) << text;
      return;
    case kube::Severity::kWarning:
      LOG(WARNING) << text;
      return;
    case kube::Severity::kError:
      LOG(ERROR) << text;
      return;
  }
}

void StartLog() {
  FLAGS_logtostderr = true;  // glog's default is files in the temporary directory
  google::InitGoogleLogging("stillpoint");
}

// Runs until a signal or the end of the lead; the exit code.
boost::asio::awaitable<int> Run(ControlPlane& plane, boost::asio::signal_set& signals) {
  auto on_signal = [&plane](const boost::system::error_code& error, int signal) {
    if (error) return;
    LOG(INFO) << "signal " << signal << ": thawing what is frozen, then ending";
    plane.RequestStop();
  };
  signals.async_wait(on_signal);
  const ControlPlane::End end = co_await plane.Run();
  signals.cancel();
  switch (end) {
    case ControlPlane::End::kStopped:
      co_return 0;
    case ControlPlane::End::kLeaseLost:
      co_return 1;
    case ControlPlane::End::kCannotServe:
      co_return 2;
  }
  co_return 1;
}

}  // namespace

void AddControllerFlags(CLI::App& command, ControllerFlags& flags) {
  command.add_option("--kubeconfig", flags.kubeconfig,
                     "This kubeconfig; else the Pod's own cluster, else KUBECONFIG");
  command.add_option("--context", flags.context, "This context of the kubeconfig");
  command.add_option("-n,--namespace", flags.ns, "Serve this namespace only; else all");
  command.add_flag("--insecure-skip-tls-verify", flags.insecure_skip_tls_verify,
                   "Obey a kubeconfig that asks not to verify the API server");
  command
      .add_option("--leader-elect", flags.leader_elect,
                  "Take a Lease before acting: true, false, or auto (in a cluster)")
      ->check(CLI::IsMember({"true", "false", "auto"}))
      ->capture_default_str();
  command.add_option("--lease-namespace", flags.lease_namespace,
                     "Namespace of the Lease; else the Pod's own, else stillpoint-system");
  command
      .add_option("--metrics-address", flags.metrics_address, "Where to serve /metrics; 0: nowhere")
      ->capture_default_str();
  command
      .add_option("--health-address", flags.health_address,
                  "Where to serve /healthz and /readyz; 0: nowhere")
      ->capture_default_str();
  command.add_option("--workers", flags.workers, "Objects of a kind worked on at once")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
}

int RunController(const ControllerFlags& flags) {
  StartLog();
  const auto clock = kube::MakeSystemClock();
  auto config = kube::LoadConfig({.kubeconfig = flags.kubeconfig,
                                  .context = flags.context,
                                  .allow_insecure = flags.insecure_skip_tls_verify},
                                 *clock);
  if (!config) {
    LOG(ERROR) << config.error().message;
    return 2;
  }
  boost::asio::io_context io(1);
  int exit_code = 1;
  try {
    ControlPlane plane(io.get_executor(), *config, *clock, flags, &Log);
    boost::asio::signal_set signals(io, SIGTERM, SIGINT);
    boost::asio::co_spawn(io, Run(plane, signals),
                          [&exit_code](std::exception_ptr error, int code) {
                            if (error) std::rethrow_exception(error);
                            exit_code = code;
                          });
    io.run();
  } catch (const std::exception& error) {
    LOG(ERROR) << "unexpected: " << error.what();
    return 1;
  }
  return exit_code;
}

}  // namespace stillpoint::cmd
