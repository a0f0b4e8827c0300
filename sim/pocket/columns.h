// The columns that `kubectl get` shows of the kinds of Kubernetes, as its own printers have them.
// Source of truth: kubernetes/pkg/printers/internalversion/printers.go.
#pragma once

#include "api/meta.h"
#include "sim/pocket/catalog.h"

#include <boost/json/array.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace stillpoint::sim::pocket {

// Of a kind of Kubernetes; NAME and AGE for one without columns of its own.
[[nodiscard]] std::vector<Column> BuiltInColumns(const api::Resource& resource);

// Of a CRD's additionalPrinterColumns; NAME comes first.
[[nodiscard]] std::vector<Column> CustomColumns(const boost::json::array& printer_columns);

// "17s", "4m10s", "3d": as k8s.io/apimachinery/pkg/util/duration.HumanDuration.
[[nodiscard]] std::string HumanDuration(std::chrono::seconds duration);

}  // namespace stillpoint::sim::pocket
