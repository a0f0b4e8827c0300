// PodTarget: which container of which pod an exec or a log means.
#pragma once

#include "api/error.h"
#include "sim/cluster/api_server.h"

#include <string>

namespace stillpoint::sim::pocket {

struct PodTarget {
  std::string pod_uid;
  std::string container;
};

// `container` empty: the annotated default one, else the first.
// Errors: kNotFound (no such pod), kInvalid (no such container).
[[nodiscard]] api::Result<PodTarget> FindPodTarget(const ApiServer& server, const std::string& ns,
                                                   const std::string& pod, std::string container);

}  // namespace stillpoint::sim::pocket
