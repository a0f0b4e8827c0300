#include "sim/pocket/pod_target.h"

#include "api/core.h"
#include "sim/pocket/json_path.h"

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include <algorithm>
#include <utility>

namespace stillpoint::sim::pocket {

api::Result<PodTarget> FindPodTarget(const ApiServer& server, const std::string& ns,
                                     const std::string& pod, std::string container) {
  const auto object = server.objects().Peek(api::Pod::kResource, {ns, pod});
  if (!object) {
    return api::Error{api::Code::kNotFound, fmt::format("pods \"{}\" not found", pod)};
  }
  std::vector<std::string> names;
  for (const auto* name : FindAll(*object, ".spec.containers[*].name")) {
    names.emplace_back(name->as_string());
  }
  if (container.empty()) {
    container =
        TextAt(*object, R"(.metadata.annotations.kubectl\.kubernetes\.io/default-container)");
  }
  if (container.empty() && !names.empty()) container = names.front();
  if (std::ranges::find(names, container) == names.end()) {
    return api::Error{api::Code::kInvalid,
                      fmt::format("container {} is not valid for pod {}", container, pod)};
  }
  return PodTarget{TextAt(*object, ".metadata.uid"), std::move(container)};
}

}  // namespace stillpoint::sim::pocket
