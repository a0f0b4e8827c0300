#include "kube/watch_words.h"

#include <algorithm>
#include <array>
#include <utility>

namespace stillpoint::kube {

namespace {

using Type = WatchEvent::Type;

constexpr std::array<std::pair<Type, std::string_view>, 4> kWords{{{Type::kAdded, "ADDED"},
                                                                   {Type::kModified, "MODIFIED"},
                                                                   {Type::kDeleted, "DELETED"},
                                                                   {Type::kBookmark, "BOOKMARK"}}};

}  // namespace

std::string_view ToWord(Type type) {
  return std::ranges::find(kWords, type, &decltype(kWords)::value_type::first)->second;
}

std::optional<Type> ParseWatchWord(std::string_view word) {
  const auto found = std::ranges::find(kWords, word, &decltype(kWords)::value_type::second);
  return found == kWords.end() ? std::nullopt : std::optional(found->first);
}

}  // namespace stillpoint::kube
