// LoadConfig: which API server we talk to and who we are there, found as kubectl and client-go do.
#pragma once

#include "api/error.h"
#include "kube/clock.h"
#include "kube/config.h"
#include "kube/environment.h"

#include <string>

namespace stillpoint::kube {

struct ConfigOptions {
  std::string kubeconfig;       // --kubeconfig: this file and no other; empty: not given
  std::string context;          // --context: instead of current-context; empty: not given
  bool allow_insecure = false;  // --insecure-skip-tls-verify: the kubeconfig may ask for it
  Environment environment = ProcessEnvironment();
  std::string service_account_dir = "/var/run/secrets/kubernetes.io/serviceaccount";
};

// The first that there is of:
// 1. the file that the options name;
// 2. the Pod's own cluster, when KUBERNETES_SERVICE_HOST and _PORT are set and no context is named;
// 3. the files of KUBECONFIG (separated by ':', merged: the first that has a name wins);
// 4. ~/.kube/config.
// Reads files; certificates are read once, tokens again and again.
// Lifetime: `clock` must outlive the Config's credentials.
// Errors: kInvalid; names the file and the field and says what to do.
[[nodiscard]] api::Result<Config> LoadConfig(const ConfigOptions& options, Clock& clock);

}  // namespace stillpoint::kube
