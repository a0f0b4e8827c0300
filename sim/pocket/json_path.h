// JSONPath, as far as printer columns use it, and short ways into an object.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace stillpoint::sim::pocket {

// The values at `path`: members (.a.b, .metadata.annotations.x\.y/z), ['a'], [0], [*] and
// [?(@.type=="Ready")]. Empty where nothing is there, or for a path of another form.
// Lifetime: the pointers are into `root`.
[[nodiscard]] std::vector<const boost::json::value*> FindAll(const boost::json::object& root,
                                                             std::string_view path);

// The first of them; null: none.
[[nodiscard]] const boost::json::value* FindFirst(const boost::json::object& root,
                                                  std::string_view path);

// The text there; empty where there is none.
[[nodiscard]] std::string TextAt(const boost::json::object& root, std::string_view path);

}  // namespace stillpoint::sim::pocket
