// Strategic merge patch, which kubectl sends for the kinds of Kubernetes: a merge patch that knows
// which lists are maps.
//
// Contract: k8s.io/apimachinery/pkg/util/strategicpatch.
#pragma once

#include <boost/json/value.hpp>

namespace stillpoint::sim::pocket {

// Lists of containers, volumes, env, conditions and the like merge by their key; directives
// ($patch: delete or replace, $retainKeys, $deleteFromPrimitiveList, $setElementOrder) are obeyed.
void StrategicMerge(boost::json::value& target, const boost::json::value& patch);

}  // namespace stillpoint::sim::pocket
