#include "api/quote.h"

#include <fmt/format.h>

namespace stillpoint::api {
namespace {

constexpr std::size_t kLongest = 64;

bool IsContinuationByte(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

std::string_view Shorten(std::string_view text) {
  if (text.size() <= kLongest) return text;
  std::size_t end = kLongest;
  while (end > 0 && IsContinuationByte(text[end])) --end;
  return text.substr(0, end);
}

void AppendEscaped(std::string& out, char c) {
  if (c == '"' || c == '\\') {
    out += '\\';
    out += c;
  } else if (const auto byte = static_cast<unsigned char>(c); byte < 0x20U || byte == 0x7FU) {
    out += fmt::format("\\u{:04x}", byte);
  } else {
    out += c;
  }
}

}  // namespace

std::string Quote(std::string_view text) {
  const std::string_view shown = Shorten(text);
  std::string out = "\"";
  for (const char c : shown) AppendEscaped(out, c);
  out += '"';
  if (shown.size() < text.size()) out += "...";
  return out;
}

}  // namespace stillpoint::api
