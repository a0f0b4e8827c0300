// Label and field selectors as a list or a watch takes them, read and matched on plain JSON.
#pragma once

#include "api/error.h"
#include "api/meta.h"

#include <boost/json/object.hpp>

#include <string>
#include <utility>
#include <vector>

namespace stillpoint::sim {

// Which objects a list or a watch shows. Reads all that api::FormatSelector writes, and of field
// selectors `path=value` and `path!=value` for the paths that the API server knows.
class Selector {
 public:
  // Errors: kInvalid for text that the API server would refuse.
  [[nodiscard]] static api::Result<Selector> Parse(std::string ns, const std::string& labels,
                                                   const std::string& fields);

  // Empty: all namespaces.
  [[nodiscard]] const std::string& ns() const { return ns_; }

  [[nodiscard]] bool Matches(const boost::json::object& object) const;

 private:
  struct Field {
    std::vector<std::string> path;
    std::string value;
    bool equal = true;
  };

  std::string ns_;
  api::LabelSelector labels_;
  std::vector<Field> fields_;
};

}  // namespace stillpoint::sim
