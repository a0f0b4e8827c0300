// Settings: which API server is asked, and what there is to ask it with.
//
//   CONTRACT_KUBECONFIG      an administrator of the cluster; needed
//   CONTRACT_IMAGE           an image with /bin/sh and the usual tools (local/tools:1)
//   CONTRACT_STORAGE_CLASS   absent: the default class
//   CONTRACT_SNAPSHOT_CLASS  absent: the default class
#pragma once

#include "kube/clock.h"
#include "kube/config.h"

#include <string>

namespace stillpoint::contract {

struct Settings {
  std::string kubeconfig;
  std::string image;
  std::string storage_class;   // empty: the default one
  std::string snapshot_class;  // empty: the default one
};

// Throws std::runtime_error with a sentence that says what is missing.
[[nodiscard]] const Settings& GetSettings();
[[nodiscard]] kube::Config LoadServer(kube::Clock& clock);

}  // namespace stillpoint::contract
