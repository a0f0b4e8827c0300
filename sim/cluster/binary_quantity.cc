#include "sim/cluster/binary_quantity.h"

#include <fmt/format.h>

#include <string_view>

namespace stillpoint::sim {

std::string BinaryQuantity(std::int64_t bytes) {
  std::string_view suffix;
  for (const std::string_view larger : {"Ki", "Mi", "Gi", "Ti", "Pi", "Ei"}) {
    if (bytes == 0 || bytes % 1024 != 0) break;
    bytes /= 1024;
    suffix = larger;
  }
  return fmt::format("{}{}", bytes, suffix);
}

}  // namespace stillpoint::sim
