#include "sim/pocket/defaults.h"

#include <boost/json/value.hpp>

#include <string_view>

namespace stillpoint::sim::pocket {

namespace json = boost::json;

namespace {

void Default(json::object& object, std::string_view member, const json::value& value) {
  auto& found = object[member];
  if (found.is_null()) found = value;
}

// Null when the member is there and no object.
json::object* ObjectAt(json::object& object, std::string_view member) {
  Default(object, member, json::object());
  return object[member].if_object();
}

void DefaultPod(json::object& spec) {
  Default(spec, "restartPolicy", "Always");
  Default(spec, "terminationGracePeriodSeconds", 30);
  Default(spec, "dnsPolicy", "ClusterFirst");
}

void DefaultWorkload(std::string_view plural, json::object& spec) {
  if (plural != "daemonsets") Default(spec, "replicas", 1);
  if (plural == "deployments") {
    Default(spec, "revisionHistoryLimit", 10);
    Default(spec, "progressDeadlineSeconds", 600);
    auto* strategy = ObjectAt(spec, "strategy");
    if (strategy) Default(*strategy, "type", "RollingUpdate");
    if (strategy && (*strategy)["type"] == "RollingUpdate") {
      Default(*strategy, "rollingUpdate",
              json::object{{"maxSurge", "25%"}, {"maxUnavailable", "25%"}});
    }
  }
  if (plural == "statefulsets" || plural == "daemonsets") {
    if (auto* strategy = ObjectAt(spec, "updateStrategy")) {
      Default(*strategy, "type", "RollingUpdate");
    }
  }
  auto* pods = ObjectAt(spec, "template");
  if (auto* pod = pods ? ObjectAt(*pods, "spec") : nullptr) DefaultPod(*pod);
}

}  // namespace

void SetDefaults(const api::Resource& resource, json::object& object) {
  const auto* given = object.if_contains("spec");
  if (!given || !given->is_object()) return;
  auto& spec = object["spec"].get_object();
  if (resource.group == "apps") DefaultWorkload(resource.plural, spec);
  if (resource.group.empty() && resource.plural == "pods") DefaultPod(spec);
  if (resource.plural == "persistentvolumeclaims") {
    Default(spec, "volumeMode", "Filesystem");
    if (const auto* source = spec.if_contains("dataSource")) {
      const json::value same = *source;
      Default(spec, "dataSourceRef", same);
    }
  }
}

}  // namespace stillpoint::sim::pocket
