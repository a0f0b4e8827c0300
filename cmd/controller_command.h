// `stillpoint controller`: wires the parts together and runs them until told to stop.
#pragma once

#include <CLI/App.hpp>

#include <string>

namespace stillpoint::cmd {

struct ControllerFlags {
  std::string kubeconfig;
  std::string context;
  std::string ns;  // empty: all namespaces
  bool insecure_skip_tls_verify = false;
  std::string leader_elect = "auto";  // true, false, auto: in a cluster yes, else no
  std::string lease_namespace;        // empty: our own, else stillpoint-system
  std::string metrics_address = ":8080";
  std::string health_address = ":8081";
  int workers = 4;
};

void AddControllerFlags(CLI::App& command, ControllerFlags& flags);

// Returns the exit code: 0 after SIGTERM or SIGINT, 1 when the lease was lost, 2 for flags or a
// configuration that cannot work.
int RunController(const ControllerFlags& flags);

}  // namespace stillpoint::cmd
