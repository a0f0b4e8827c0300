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

// What stands at a mount path: the volume of a claim, or an emptyDir of the pod.
struct ContainerMount {
  std::string handle;    // of the claim's volume; empty: an emptyDir
  std::string volume;    // its name in spec.volumes
  std::string sub_path;  // a directory in it; empty: all of it
  bool operator==(const ContainerMount&) const = default;
};

struct ContainerSpec {
  std::string name;
  std::vector<std::string> argv;
  std::map<std::string, std::string> environment;  // without that of this process
  std::string working_directory;
  std::map<std::string, ContainerMount> mounts;  // by path
  std::vector<std::string> probe;                // readinessProbe.exec; empty: ready once it runs
  std::chrono::milliseconds probe_period{};
};

// The texts in a Secret or a ConfigMap of the pod's namespace; empty when there is none.
using TextSource = std::function<std::map<std::string, std::string>(const std::string& kind,
                                                                    const std::string& name)>;

// Volumes of other kinds than claims and emptyDir are left out.
// Errors: kInvalid: no such container, one without a command (there are no images here), a text
// that its environment refers to and that is not there, or a subPath that leads out of its volume.
[[nodiscard]] api::Result<ContainerSpec> ReadContainerSpec(const PodSandbox& sandbox,
                                                           const std::string& container,
                                                           const TextSource& texts);

// The names of the pod's emptyDir volumes.
[[nodiscard]] std::vector<std::string> EmptyDirs(const boost::json::object& pod);

}  // namespace stillpoint::sim::pocket
