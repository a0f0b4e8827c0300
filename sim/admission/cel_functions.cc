#include "sim/admission/cel_functions.h"

namespace stillpoint::sim::cel {

const FunctionEntry* FindFunction(std::string_view name, bool is_member, std::size_t arguments) {
  for (const auto& table : {Operators(), TextFunctions(), Conversions(), ListFunctions()}) {
    for (const FunctionEntry& entry : table) {
      if (entry.name == name && entry.is_member == is_member && entry.least <= arguments &&
          arguments <= entry.most) {
        return &entry;
      }
    }
  }
  return nullptr;
}

}  // namespace stillpoint::sim::cel
