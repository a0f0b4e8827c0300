// From the words of a kubeconfig to a Config: picks the context, reads the files it names, checks
// that it can be honoured as a whole.
#pragma once

#include "api/error.h"
#include "kube/clock.h"
#include "kube/config.h"
#include "kube/kubeconfig.h"
#include "kube/load_config.h"

#include <string>

namespace stillpoint::kube {

// `source` names the file or files in messages that concern no single one of them.
// Errors: as LoadConfig.
[[nodiscard]] api::Result<Config> ResolveKubeconfig(const Kubeconfig& kubeconfig,
                                                    const std::string& source,
                                                    const ConfigOptions& options, Clock& clock);

}  // namespace stillpoint::kube
