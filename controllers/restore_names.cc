#include "controllers/restore_names.h"

#include "controllers/stable_hash.h"

#include <fmt/format.h>

namespace stillpoint::controllers::restore {
namespace {

constexpr std::size_t kMaxName = 253;
constexpr std::size_t kMaxLabelValue = 63;

// The first `size` bytes, without the punctuation that a name must not end with.
std::string Cut(std::string_view text, std::size_t size) {
  text = text.substr(0, size);
  while (!text.empty() && (text.back() == '-' || text.back() == '.' || text.back() == '_')) {
    text.remove_suffix(1);
  }
  return std::string(text);
}

std::string ShortHash(std::string_view a, std::string_view b) {
  return fmt::format("{:08x}", StableHash(a, StableHash(b)) & 0xffffffffULL);
}

}  // namespace

std::string NewClaimName(std::string_view claim, std::string_view restore_uid) {
  return fmt::format("{}-{}", Cut(claim, kMaxName - 9), ShortHash(claim, restore_uid));
}

std::string KeptClaimName(std::string_view claim, std::string_view restore_name,
                          std::string_view restore_uid) {
  std::string name = fmt::format("{}-before-{}", claim, restore_name);
  if (name.size() <= kMaxName) return name;
  return fmt::format("{}-before-{}-{}", Cut(claim, 118), Cut(restore_name, 118),
                     ShortHash(claim, restore_uid));
}

std::map<std::string, std::string> OwnLabels(const api::ObjectMeta& restore) {
  return {{"app.kubernetes.io/managed-by", "stillpoint"},
          {kRestoreLabel, Cut(restore.name, kMaxLabelValue)},
          {kRestoreUidLabel, restore.uid}};
}

}  // namespace stillpoint::controllers::restore
