#include "cmd/wanted_rights.h"

#include <string_view>

namespace stillpoint::cmd {
namespace {

struct Rule {
  std::string_view group;
  std::string_view resource;
  std::string_view subresource;
  std::vector<std::string_view> verbs;
  bool namespaced = true;
};

std::vector<Rule> Rules() {
  constexpr std::string_view kOurs = "backups.example.com";
  constexpr std::string_view kSnapshots = "snapshot.storage.k8s.io";
  return {
      {kOurs, "volumebackups", "", {"get", "list", "watch", "patch", "delete"}},
      {kOurs, "volumebackups", "status", {"patch"}},
      {kOurs, "volumerestores", "", {"get", "list", "watch", "patch"}},
      {kOurs, "volumerestores", "status", {"patch"}},
      {"", "pods", "", {"get", "list"}},
      {"", "pods", "exec", {"get", "create"}},
      {"", "persistentvolumeclaims", "", {"get", "list", "create", "delete"}},
      {"", "persistentvolumes", "", {"get", "patch"}, false},
      {"storage.k8s.io", "storageclasses", "", {"get"}, false},
      {"apps", "deployments", "", {"get", "patch"}},
      {"apps", "statefulsets", "", {"get", "patch"}},
      {"apps", "daemonsets", "", {"get", "patch"}},
      {"apps", "replicasets", "", {"get"}},
      {kSnapshots, "volumesnapshots", "", {"get", "list", "watch", "create", "patch", "delete"}},
      {kSnapshots, "volumesnapshotcontents", "", {"get", "list", "watch"}, false},
      {kSnapshots, "volumesnapshotclasses", "", {"get", "list"}, false},
      {"events.k8s.io", "events", "", {"create", "patch"}},
  };
}

}  // namespace

std::vector<api::ResourceAttributes> WantedRights(const std::string& ns) {
  std::vector<api::ResourceAttributes> rights;
  for (const Rule& rule : Rules()) {
    for (const std::string_view verb : rule.verbs) {
      rights.push_back({.ns = rule.namespaced ? ns : std::string(),
                        .verb = std::string(verb),
                        .group = std::string(rule.group),
                        .resource = std::string(rule.resource),
                        .subresource = std::string(rule.subresource)});
    }
  }
  return rights;
}

}  // namespace stillpoint::cmd
