#include "sim/pocket/print_table.h"

#include <fmt/format.h>

namespace stillpoint::sim::pocket {

namespace json = boost::json;

namespace {

json::array Definitions(const ServedKind& kind) {
  json::array definitions;
  for (const Column& column : kind.columns) {
    definitions.push_back(json::object{{"name", column.name},
                                       {"type", column.type},
                                       {"format", column.format},
                                       {"description", ""},
                                       {"priority", column.priority}});
  }
  return definitions;
}

json::value ObjectOfRow(const json::object& object, RowObject row_object) {
  if (row_object == RowObject::kNone) return nullptr;
  if (row_object == RowObject::kWhole) return object;
  return MetadataAlone(object);
}

}  // namespace

RowObject ParseRowObject(std::string_view text) {
  if (text == "Object") return RowObject::kWhole;
  return text == "None" ? RowObject::kNone : RowObject::kMetadata;
}

bool WantsMetadata(std::string_view accept) {
  return accept.substr(0, accept.find(',')).find("as=PartialObjectMetadata") !=
         std::string_view::npos;
}

json::object MetadataAlone(const json::object& object) {
  return {{"kind", "PartialObjectMetadata"},
          {"apiVersion", "meta.k8s.io/v1"},
          {"metadata", object.at("metadata")}};
}

bool WantsTable(std::string_view accept) {
  const std::string_view first = accept.substr(0, accept.find(','));
  return first.find("as=Table") != std::string_view::npos;
}

json::object MakePrintTable(const ServedKind& kind, const json::array& objects,
                            RowObject row_object, api::Time now) {
  json::array rows;
  for (const json::value& object : objects) {
    json::array cells;
    for (const Column& column : kind.columns) {
      cells.push_back(column.cell(object.as_object(), now));
    }
    rows.push_back(json::object{{"cells", std::move(cells)},
                                {"object", ObjectOfRow(object.as_object(), row_object)}});
  }
  return {{"kind", "Table"},
          {"apiVersion", "meta.k8s.io/v1"},
          {"metadata", json::object()},
          {"columnDefinitions", Definitions(kind)},
          {"rows", std::move(rows)}};
}

}  // namespace stillpoint::sim::pocket
