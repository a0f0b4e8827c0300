#include "api/type.h"

#include <algorithm>

namespace stillpoint::api {
namespace {

char ToUpper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

// A word inside a name: `uid` -> `UID`, `name` -> `Name`.
std::string InnerWord(std::string_view word) {
  const bool is_initialism = word == "uid" || word == "id";
  std::string out(word);
  for (std::size_t i = 0; i < out.size() && (i == 0 || is_initialism); ++i)
    out[i] = ToUpper(out[i]);
  return out;
}

}  // namespace

std::string JsonKey(std::string_view member) {
  if (member == "ns") return "namespace";
  while (member.ends_with('_')) member.remove_suffix(1);  // a keyword of C++: class_, new_
  std::string key;
  bool first = true;
  while (!member.empty()) {
    const std::string_view word = member.substr(0, member.find('_'));
    key += first ? std::string(word) : InnerWord(word);
    first = false;
    member.remove_prefix(std::min(word.size() + 1, member.size()));
  }
  return key;
}

std::string internal::EnumName(std::string_view enumerator) {
  if (enumerator.starts_with('k')) enumerator.remove_prefix(1);
  return std::string(enumerator);
}

}  // namespace stillpoint::api
