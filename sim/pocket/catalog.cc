#include "sim/pocket/catalog.h"

#include "api/apps.h"
#include "api/authorization.h"
#include "api/coordination.h"
#include "api/core.h"
#include "api/crds.h"
#include "api/event.h"
#include "api/snapshot.h"
#include "api/storage.h"
#include "api/type.h"
#include "sim/pocket/columns.h"
#include "sim/pocket/json_path.h"
#include "sim/pocket/openapi.h"

#include <boost/json/array.hpp>

#include <algorithm>
#include <cctype>

namespace stillpoint::sim::pocket {

namespace json = boost::json;
using api::Resource;

namespace {

// Kinds that are stored and shown, whatever is in them.
constexpr Resource kConfigMap{"", "v1", "ConfigMap", "configmaps"};
constexpr Resource kSecret{"", "v1", "Secret", "secrets"};
constexpr Resource kService{"", "v1", "Service", "services"};
constexpr Resource kServiceAccount{"", "v1", "ServiceAccount", "serviceaccounts"};
constexpr Resource kNode{"", "v1", "Node", "nodes", false};
constexpr Resource kCoreEvent{"", "v1", "Event", "events"};
constexpr Resource kCrd{"apiextensions.k8s.io", "v1", "CustomResourceDefinition",
                        "customresourcedefinitions", false};

struct Traits {
  std::vector<std::string> short_names;
  std::vector<std::string> categories;
  bool status = false;
  bool scale = false;
};

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

ServedKind Kind(const Resource& resource, json::object schema, Traits traits) {
  return {.resource = resource,
          .singular = Lower(resource.kind),
          .short_names = std::move(traits.short_names),
          .categories = std::move(traits.categories),
          .has_status = traits.status,
          .has_scale = traits.scale,
          .schema = std::move(schema),
          .columns = BuiltInColumns(resource)};
}

template <class T>
ServedKind Typed(Traits traits) {
  return Kind(T::kResource, SchemaOf(api::TypeOf<T>()), std::move(traits));
}

ServedKind Loose(const Resource& resource, Traits traits) {
  return Kind(resource,
              {{"type", "object"},
               {"properties", json::object{{"apiVersion", json::object{{"type", "string"}}},
                                           {"kind", json::object{{"type", "string"}}},
                                           {"metadata", json::object()}}},
               {"x-kubernetes-preserve-unknown-fields", true}},
              std::move(traits));
}

std::vector<std::string> Texts(const json::object& object, std::string_view path) {
  std::vector<std::string> texts;
  for (const json::value* value : FindAll(object, path)) {
    texts.emplace_back(value->as_string());
  }
  return texts;
}

std::string_view View(const json::value& text) {
  return {text.as_string().data(), text.as_string().size()};
}

// `crd` must live as long as the catalog: the resource points into it.
ServedKind Custom(const json::object& crd) {
  const json::object& spec = crd.at("spec").as_object();
  const json::object& version = spec.at("versions").as_array().at(0).as_object();
  const json::object& names = spec.at("names").as_object();
  const auto* columns = version.if_contains("additionalPrinterColumns");
  return {.resource = {.group = View(spec.at("group")),
                       .version = View(version.at("name")),
                       .kind = View(names.at("kind")),
                       .plural = View(names.at("plural")),
                       .namespaced = spec.at("scope").as_string() == "Namespaced"},
          .singular = TextAt(names, ".singular"),
          .short_names = Texts(names, ".shortNames[*]"),
          .categories = Texts(names, ".categories[*]"),
          .has_status = FindFirst(version, ".subresources.status") != nullptr,
          .custom = true,
          .schema = version.at("schema").at("openAPIV3Schema").as_object(),
          .columns = CustomColumns(columns ? columns->as_array() : json::array())};
}

std::vector<ServedKind> Build() {
  static const json::array kCrds = api::Crds();
  const std::vector<std::string> all{"all"};
  std::vector<ServedKind> kinds{
      Typed<api::Pod>({{"po"}, all, true}),
      Typed<api::PersistentVolumeClaim>({{"pvc"}, {}, true}),
      Typed<api::PersistentVolume>({{"pv"}, {}, true}),
      Typed<api::Namespace>({{"ns"}, {}, true}),
      Loose(kNode, {{"no"}, {}, true}),
      Loose(kConfigMap, {.short_names = {"cm"}}),
      Loose(kSecret, {}),
      Loose(kService, {{"svc"}, all, true}),
      Loose(kServiceAccount, {.short_names = {"sa"}}),
      Loose(kCoreEvent, {.short_names = {"ev"}}),
      Typed<api::Event>({.short_names = {"ev"}}),
      Typed<api::Deployment>({{"deploy"}, all, true, true}),
      Typed<api::ReplicaSet>({{"rs"}, all, true, true}),
      Typed<api::StatefulSet>({{"sts"}, all, true, true}),
      Typed<api::DaemonSet>({{"ds"}, all, true}),
      Typed<api::Lease>({}),
      Typed<api::StorageClass>({.short_names = {"sc"}}),
      Typed<api::VolumeSnapshot>({{"vs"}, {}, true}),
      Typed<api::VolumeSnapshotContent>({{"vsc", "vscs"}, {}, true}),
      Typed<api::VolumeSnapshotClass>({.short_names = {"vsclass", "vsclasses"}}),
      Loose(kCrd, {{"crd", "crds"}, {"api-extensions"}, true}),
      Typed<api::SelfSubjectAccessReview>({}),
  };
  for (const json::value& crd : kCrds) kinds.push_back(Custom(crd.as_object()));
  return kinds;
}

}  // namespace

const std::vector<ServedKind>& Catalog() {
  static const std::vector<ServedKind> kinds = Build();
  return kinds;
}

const ServedKind* FindKind(std::string_view group, std::string_view version,
                           std::string_view plural) {
  for (const ServedKind& kind : Catalog()) {
    const Resource& resource = kind.resource;
    if (resource.group == group && resource.version == version && resource.plural == plural) {
      return &kind;
    }
  }
  return nullptr;
}

}  // namespace stillpoint::sim::pocket
