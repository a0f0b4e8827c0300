#include "sim/pocket/openapi.h"

#include "sim/pocket/catalog.h"

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include <string>

namespace stillpoint::sim::pocket {

namespace json = boost::json;

namespace {

constexpr std::string_view kMetadataSchema = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

json::object Reference(std::string_view schema) {
  return {{"$ref", fmt::format("#/components/schemas/{}", schema)}};
}

std::string PathOf(const api::Resource& resource) {
  return resource.group.empty() ? fmt::format("api/{}", resource.version)
                                : fmt::format("apis/{}/{}", resource.group, resource.version);
}

// "com.example.backups.v1alpha1.VolumeBackup".
std::string SchemaName(const api::Resource& resource) {
  std::string name;
  std::string_view rest = resource.group.empty() ? "core" : resource.group;
  while (!rest.empty()) {
    const auto dot = rest.rfind('.');
    name += fmt::format("{}.", rest.substr(dot == std::string_view::npos ? 0 : dot + 1));
    rest = dot == std::string_view::npos ? "" : rest.substr(0, dot);
  }
  return fmt::format("{}{}.{}", name, resource.version, resource.kind);
}

json::object KindOf(const api::Resource& resource) {
  return {{"group", resource.group}, {"version", resource.version}, {"kind", resource.kind}};
}

json::object Struct(const api::Type& type) {
  json::object properties;
  if (type.resource) {
    properties["apiVersion"] = json::object{{"type", "string"}};
    properties["kind"] = json::object{{"type", "string"}};
  }
  for (const api::Member& member : type.members) {
    properties[member.key] = SchemaOf(member.type());
  }
  return {{"type", "object"},
          {"properties", std::move(properties)},
          {"x-kubernetes-preserve-unknown-fields", true}};
}

// What apply asks for: does a write check the fields when told to?
json::object Operation(const ServedKind& kind, std::string_view action) {
  json::array parameters;
  for (const char* name : {"dryRun", "fieldManager", "fieldValidation", "force"}) {
    parameters.push_back(json::object{
        {"name", name}, {"in", "query"}, {"schema", json::object{{"type", "string"}}}});
  }
  return {{"x-kubernetes-action", action},
          {"x-kubernetes-group-version-kind", KindOf(kind.resource)},
          {"parameters", std::move(parameters)},
          {"responses", json::object{{"200", json::object{{"description", "OK"}}}}}};
}

void AddPaths(json::object& paths, const ServedKind& kind) {
  const std::string start =
      fmt::format("/{}{}/{}", PathOf(kind.resource),
                  kind.resource.namespaced ? "/namespaces/{namespace}" : "", kind.resource.plural);
  paths[start] = json::object{{"get", Operation(kind, "list")}, {"post", Operation(kind, "post")}};
  paths[start + "/{name}"] = json::object{{"get", Operation(kind, "get")},
                                          {"put", Operation(kind, "put")},
                                          {"patch", Operation(kind, "patch")},
                                          {"delete", Operation(kind, "delete")}};
}

// As in a document: with the kind, and with the schema of metadata that all share.
json::object PublishedSchema(const ServedKind& kind) {
  json::object schema = kind.schema;
  schema["x-kubernetes-group-version-kind"] = json::array{KindOf(kind.resource)};
  if (auto* properties = schema.if_contains("properties")) {
    auto& metadata = properties->as_object()["metadata"];
    metadata = json::object{{"allOf", json::array{Reference(kMetadataSchema)}}};
  }
  return schema;
}

}  // namespace

json::object SchemaOf(const api::Type& type) {
  switch (type.shape) {
    case api::Shape::kBool:
      return {{"type", "boolean"}};
    case api::Shape::kInteger:
      return {{"type", "integer"}, {"format", "int64"}};
    case api::Shape::kTime:
    case api::Shape::kMicroTime:
      return {{"type", "string"}, {"format", "date-time"}};
    case api::Shape::kString:
    case api::Shape::kDuration:
    case api::Shape::kQuantity:
    case api::Shape::kEnum:
      return {{"type", "string"}};
    case api::Shape::kOptional:
      return SchemaOf(type.element());
    case api::Shape::kList:
      return {{"type", "array"}, {"items", SchemaOf(type.element())}};
    case api::Shape::kMap:
      return {{"type", "object"}, {"additionalProperties", SchemaOf(type.element())}};
    case api::Shape::kStruct:
      return Struct(type);
    case api::Shape::kValue:
    case api::Shape::kObject:
      return {{"x-kubernetes-preserve-unknown-fields", true}};
  }
  return {};
}

json::object OpenApiIndex() {
  json::object paths;
  for (const ServedKind& kind : Catalog()) {
    const std::string path = PathOf(kind.resource);
    paths[path] = json::object{{"serverRelativeURL", "/openapi/v3/" + path}};
  }
  return {{"paths", std::move(paths)}};
}

json::object OpenApiDocument(std::string_view group, std::string_view version) {
  json::object paths;
  json::object schemas;
  for (const ServedKind& kind : Catalog()) {
    if (kind.resource.group != group || kind.resource.version != version) continue;
    AddPaths(paths, kind);
    schemas[SchemaName(kind.resource)] = PublishedSchema(kind);
  }
  if (paths.empty()) return {};
  schemas[kMetadataSchema] = SchemaOf(api::TypeOf<api::ObjectMeta>());
  return {{"openapi", "3.0.0"},
          {"info", json::object{{"title", "Stillpoint's embedded cluster"},
                                {"version", STILLPOINT_VERSION}}},
          {"paths", std::move(paths)},
          {"components", json::object{{"schemas", std::move(schemas)}}}};
}

}  // namespace stillpoint::sim::pocket
