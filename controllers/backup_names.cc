#include "controllers/backup_names.h"

#include "controllers/stable_hash.h"

#include <fmt/format.h>

#include <cstdint>

namespace stillpoint::controllers {
namespace {

std::string ShortHash(std::uint64_t hash) {
  return fmt::format("{:010x}", hash & 0xffffffffffULL);
}

// The first `size` bytes without a trailing dot or dash, which no name may end with.
std::string_view Prefix(std::string_view text, std::size_t size) {
  text = text.substr(0, size);
  while (!text.empty() && (text.back() == '.' || text.back() == '-' || text.back() == '_')) {
    text.remove_suffix(1);
  }
  return text;
}

}  // namespace

std::string SnapshotName(std::string_view backup_name, std::string_view backup_uid,
                         std::string_view claim) {
  // 253 = two parts of 120, two dashes, a hash of 10, one to spare.
  return fmt::format("{}-{}-{}", Prefix(backup_name, 120), Prefix(claim, 120),
                     ShortHash(StableHash(claim, StableHash(backup_uid))));
}

std::string LabelValue(std::string_view name) {
  if (name.size() <= 63) return std::string(name);
  return fmt::format("{}-{}", Prefix(name, 52), ShortHash(StableHash(name)));
}

std::string ContentName(std::string_view snapshot_uid) {
  return fmt::format("snapcontent-{}", snapshot_uid);
}

}  // namespace stillpoint::controllers
