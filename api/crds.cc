#include "api/crds.h"

#include "api/schema.h"
#include "api/volume_backup.h"
#include "api/volume_restore.h"
#include "api/yaml_writer.h"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <string_view>
#include <vector>

namespace stillpoint::api {
namespace {

namespace json = boost::json;

// A column of `kubectl get`: one scalar of the object. Priority 1 shows with -o wide only.
struct Column {
  std::string_view name;
  std::string_view path;
  std::string_view type = "string";
  int priority = 0;
};

struct Crd {
  const Type& type;
  Schemas schemas;
  std::string_view short_name;
  std::vector<Column> columns;
};

json::string Text(std::string_view text) {
  return json::string(text.data(), text.size());
}

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

json::object Names(const Resource& resource, std::string_view short_name) {
  return {{"plural", Text(resource.plural)},
          {"singular", Lower(resource.kind)},
          {"kind", Text(resource.kind)},
          {"listKind", std::string(resource.kind) + "List"},
          {"shortNames", json::array{Text(short_name)}},
          {"categories", json::array{"stillpoint"}}};
}

json::array Columns(const std::vector<Column>& columns) {
  json::array out;
  for (const Column& column : columns) {
    json::object entry{
        {"name", Text(column.name)}, {"type", Text(column.type)}, {"jsonPath", Text(column.path)}};
    if (column.priority > 0) entry["priority"] = column.priority;
    out.push_back(std::move(entry));
  }
  return out;
}

json::object Document(const Crd& crd) {
  const Resource& resource = *crd.type.resource;
  json::object version{
      {"name", Text(resource.version)},
      {"served", true},
      {"storage", true},
      {"subresources", json::object{{"status", json::object{}}}},
      {"additionalPrinterColumns", Columns(crd.columns)},
      {"schema", json::object{{"openAPIV3Schema", OpenApi(crd.type, crd.schemas)}}}};
  return {
      {"apiVersion", "apiextensions.k8s.io/v1"},
      {"kind", "CustomResourceDefinition"},
      {"metadata", json::object{{"name", fmt::format("{}.{}", resource.plural, resource.group)}}},
      {"spec", json::object{{"group", Text(resource.group)},
                            {"scope", "Namespaced"},
                            {"names", Names(resource, crd.short_name)},
                            {"versions", json::array{std::move(version)}}}}};
}

Schemas WithCommon(Schemas schemas) {
  for (StructSchema& schema : CommonSchemas()) schemas.push_back(std::move(schema));
  return schemas;
}

Crd BackupCrd() {
  return {.type = TypeOf<VolumeBackup>(),
          .schemas = WithCommon(VolumeBackupSchemas()),
          .short_name = "vb",
          .columns = {{"Target", ".status.target"},
                      {"Phase", ".status.phase"},
                      {"Consistency", ".status.consistency"},
                      {"Frozen", ".status.freezeDuration"},
                      {"Volumes", ".status.volumesReady"},
                      {"Reason", ".status.reason"},
                      {"Started", ".status.startTime", "date", 1},
                      {"Finished", ".status.completionTime", "date", 1},
                      {"Age", ".metadata.creationTimestamp", "date"}}};
}

Crd RestoreCrd() {
  return {.type = TypeOf<VolumeRestore>(),
          .schemas = WithCommon(VolumeRestoreSchemas()),
          .short_name = "vr",
          .columns = {{"Backup", ".status.backupName"},
                      {"Target", ".status.target"},
                      {"Strategy", ".spec.strategy"},
                      {"Phase", ".status.phase"},
                      {"Claims", ".status.claimsBound"},
                      {"Reason", ".status.reason"},
                      {"Started", ".status.startTime", "date", 1},
                      {"Finished", ".status.completionTime", "date", 1},
                      {"Age", ".metadata.creationTimestamp", "date"}}};
}

}  // namespace

json::array Crds() {
  return {Document(BackupCrd()), Document(RestoreCrd())};
}

std::string CrdsYaml() {
  std::string text;
  for (const json::value& crd : Crds()) text += (text.empty() ? "" : "---\n") + ToYaml(crd);
  return "# Printed by `stillpoint crds`. Do not edit: change api/*_schema.cc.\n" + text;
}

}  // namespace stillpoint::api
