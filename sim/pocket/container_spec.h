// ContainerSpec: what a container of a pod is to run, read from the pod: command, environment,
// mounts, probe. Pure.
#pragma once

#include "api/error.h"
#include "sim/cluster/container_runtime.h"

#include <boost/json/object.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace stillpoint::sim::pocket {

struct ContainerSpec {
  std::string name;
  std::vector<std::string> argv;
  std::map<std::string, std::string> environment;  // without that of this process
  std::string working_directory;
  std::map<std::string, std::string> mounts;  // volume handle by path
  std::vector<std::string> probe;             // readinessProbe.exec; empty: ready once it runs
  std::chrono::milliseconds probe_period{};
};

// The texts in a Secret or a ConfigMap of the pod's namespace; empty when there is none.
using TextSource = std::function<std::map<std::string, std::string>(const std::string& kind,
                                                                    const std::string& name)>;

// Errors: kInvalid: no such container, one without a command (there are no images here), or a text
// that its environment refers to and that is not there.
[[nodiscard]] api::Result<ContainerSpec> ReadContainerSpec(const PodSandbox& sandbox,
                                                           const std::string& container,
                                                           const TextSource& texts);

}  // namespace stillpoint::sim::pocket
