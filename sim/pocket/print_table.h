// PrintTable: objects as the rows that `kubectl get` prints.
//
// Contract: meta.k8s.io/v1 Table (k8s.io/apimachinery/pkg/apis/meta/v1).
#pragma once

#include "api/meta.h"
#include "sim/pocket/catalog.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace stillpoint::sim::pocket {

// What a row holds beside its cells.
enum class RowObject { kMetadata, kWhole, kNone };

// As the query parameter includeObject says it; empty: kMetadata.
[[nodiscard]] RowObject ParseRowObject(std::string_view text);

// Does this Accept header prefer a Table?
// kind PartialObjectMetadata, or a list of it, is asked for.
[[nodiscard]] bool WantsMetadata(std::string_view accept);

[[nodiscard]] boost::json::object MetadataAlone(const boost::json::object& object);

[[nodiscard]] bool WantsTable(std::string_view accept);

[[nodiscard]] boost::json::object MakePrintTable(const ServedKind& kind,
                                                 const boost::json::array& objects,
                                                 RowObject row_object, api::Time now);

}  // namespace stillpoint::sim::pocket
