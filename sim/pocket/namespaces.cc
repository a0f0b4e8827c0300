#include "sim/pocket/namespaces.h"

#include "api/core.h"
#include "sim/pocket/catalog.h"
#include "sim/pocket/event_view.h"
#include "sim/pocket/json_path.h"

#include <boost/json/array.hpp>

#include <chrono>

namespace stillpoint::sim::pocket {

namespace json = boost::json;
using std::chrono::milliseconds;

namespace {

constexpr char kFinalizer[] = "kubernetes";
constexpr milliseconds kLookAgain{100};

bool IsContent(const ServedKind& kind) {
  return kind.resource.namespaced && !IsCoreEvent(kind.resource);
}

}  // namespace

Namespaces::Namespaces(ApiServer& server, Timeline& timeline)
    : server_(server), timeline_(timeline) {
  server_.objects().OnChange([this](const api::Resource& resource, const Change& change) {
    if (resource != api::Namespace::kResource || !change.now) return;
    timeline_.After(milliseconds(0),
                    [this, name = TextAt(*change.now, ".metadata.name")] { Work(name); });
  });
}

void Namespaces::Work(const std::string& name) {
  const auto found = server_.objects().Peek(api::Namespace::kResource, {"", name});
  if (!found) return;
  const bool terminating = !TextAt(*found, ".metadata.deletionTimestamp").empty();
  const std::string phase = terminating ? "Terminating" : "Active";
  if (TextAt(*found, ".status.phase") != phase) {
    server_.objects().Edit(api::Namespace::kResource, {"", name}, [&](json::object& object) {
      object["status"] = json::object{{"phase", phase}};
      object["metadata"].as_object()["finalizers"] = json::array{kFinalizer};
    });
    return;  // the change brings us back
  }
  if (!terminating) return;
  DeleteContent(name);
  if (!IsEmpty(name)) return timeline_.After(kLookAgain, [this, name] { Work(name); });
  server_.objects().Edit(api::Namespace::kResource, {"", name}, [](json::object& object) {
    object["metadata"].as_object().erase("finalizers");
  });
}

void Namespaces::DeleteContent(const std::string& name) {
  const auto in = Selector::Parse(name, "", "");
  for (const ServedKind& kind : Catalog()) {
    if (!IsContent(kind) || !in) continue;
    for (const auto& object : server_.objects().List(kind.resource, *in)) {
      if (!TextAt(*object, ".metadata.deletionTimestamp").empty()) continue;
      [[maybe_unused]] const auto deleted =
          server_.objects().Delete({.verb = kube::Verb::kDelete,
                                    .resource = kind.resource,
                                    .ns = name,
                                    .name = TextAt(*object, ".metadata.name")});
    }
  }
}

bool Namespaces::IsEmpty(const std::string& name) const {
  const auto in = Selector::Parse(name, "", "");
  for (const ServedKind& kind : Catalog()) {
    if (IsContent(kind) && in && !server_.objects().List(kind.resource, *in).empty()) return false;
  }
  return true;
}

}  // namespace stillpoint::sim::pocket
