#include "sim/cluster/pod_status.h"

#include "sim/cluster/fields.h"

#include <utility>

namespace stillpoint::sim {

namespace json = boost::json;

namespace {

std::string PhaseOf(const PodRecord& pod) {
  if (!pod.reason.empty()) return "Failed";
  if (pod.step == PodRecord::Step::kWaiting) return "Pending";
  bool all_ended = true;
  bool failed = false;
  bool any_started = false;
  for (const auto& [name, container] : pod.containers) {
    all_ended = all_ended && container.ended;
    any_started = any_started || !container.id.empty();
    failed = failed || (container.ended && Int(container.state, {"terminated", "exitCode"}) != 0);
  }
  if (all_ended) return failed ? "Failed" : "Succeeded";
  return any_started ? "Running" : "Pending";
}

}  // namespace

std::vector<std::string> ContainersOf(const json::object& pod) {
  std::vector<std::string> names;
  const auto* containers = List(pod, {"spec", "containers"});
  if (containers == nullptr) return names;
  for (const auto& item : *containers) {
    if (item.is_object()) names.emplace_back(Text(item.get_object(), {"name"}));
  }
  return names;
}

void FillStatus(const PodRecord& pod, api::Time now, json::object& object) {
  auto& status = Into(object, {"status"});
  const std::string phase = PhaseOf(pod);
  status["phase"] = phase;
  if (!pod.reason.empty()) status["reason"] = pod.reason;
  status["hostIP"] = "10.0.0.1";
  status["podIP"] = pod.ip;
  status["podIPs"] = json::array{json::object{{"ip", pod.ip}}};
  status["startTime"] = Seconds(pod.started);
  json::array containers;
  bool ready = phase == "Running";
  for (const auto& name : ContainersOf(object)) {
    const auto found = pod.containers.find(name);
    if (found == pod.containers.end()) continue;
    const ContainerRecord& container = found->second;
    ready = ready && container.ready;
    containers.push_back({{"name", name},
                          {"ready", container.ready},
                          {"started", container.running},
                          {"restartCount", container.restarts},
                          {"image", "model"},
                          {"imageID", "model"},
                          {"containerID", container.id},
                          {"state", container.state},
                          {"lastState", container.last_state}});
  }
  status["containerStatuses"] = std::move(containers);
  const char* why = ready ? "" : "ContainersNotReady";
  SetStatusCondition(object, "Initialized", true, "", "", now);
  SetStatusCondition(object, "ContainersReady", ready, why, "", now);
  SetStatusCondition(object, "Ready", ready, why, "", now);
}

}  // namespace stillpoint::sim
