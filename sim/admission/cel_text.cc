#include "sim/admission/cel_text.h"

#include <algorithm>

namespace stillpoint::sim::cel {
namespace {

bool Continues(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

std::size_t AnnouncedSize(char first) {
  const auto byte = static_cast<unsigned char>(first);
  if (byte >= 0xF0) return 4;
  if (byte >= 0xE0) return 3;
  return byte >= 0xC0 ? 2 : 1;
}

}  // namespace

std::size_t CharacterSize(std::string_view text) {
  if (text.empty()) return 0;
  const std::size_t size = AnnouncedSize(text[0]);
  const bool whole =
      size <= text.size() && std::ranges::all_of(text.substr(1, size - 1), Continues);
  return whole ? size : 1;
}

std::size_t CountCharacters(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); ++count) text.remove_prefix(CharacterSize(text));
  return count;
}

std::optional<std::size_t> OffsetOf(std::string_view text, std::int64_t index) {
  if (index < 0) return std::nullopt;
  std::size_t offset = 0;
  for (; index > 0; --index) {
    if (offset == text.size()) return std::nullopt;
    offset += CharacterSize(text.substr(offset));
  }
  return offset;
}

}  // namespace stillpoint::sim::cel
