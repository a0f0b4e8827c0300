#include "sim/admission/go_text.h"

#include "sim/admission/cel_text.h"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <vector>

namespace stillpoint::sim {
namespace {

namespace json = boost::json;

// A byte below 0x80.
std::string QuoteAscii(char c) {
  constexpr std::string_view kLetters = "abfnrtv\\\"";
  constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\\"";
  if (const auto found = kMeanings.find(c); found != std::string_view::npos) {
    return {'\\', kLetters[found]};
  }
  if (c >= ' ' && c <= '~') return {c};
  return fmt::format("\\x{:02x}", c);
}

std::string ToJsonText(std::string_view text) {
  std::string out;
  for (const char c : json::serialize(json::string(text.data(), text.size()))) {
    if (c == '<' || c == '>' || c == '&') {
      out += fmt::format("\\u{:04x}", c);
    } else {
      out += c;
    }
  }
  return out;
}

void Write(const json::value& value, std::string& out);

void WriteObject(const json::object& object, std::string& out) {
  std::vector<std::string_view> keys;
  for (const auto& member : object) keys.emplace_back(member.key());
  std::ranges::sort(keys);
  out += '{';
  for (const std::string_view key : keys) {
    if (out.back() != '{') out += ',';
    out += ToJsonText(key) + ':';
    Write(object.at(key), out);
  }
  out += '}';
}

void Write(const json::value& value, std::string& out) {
  if (const auto* object = value.if_object()) {
    WriteObject(*object, out);
  } else if (const auto* array = value.if_array()) {
    out += '[';
    for (const json::value& item : *array) {
      if (&item != array->data()) out += ',';
      Write(item, out);
    }
    out += ']';
  } else if (const auto* text = value.if_string()) {
    out += ToJsonText(*text);
  } else if (const auto* number = value.if_double()) {
    out += fmt::format("{}", *number);
  } else {
    out += json::serialize(value);
  }
}

}  // namespace

std::string GoQuote(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const std::size_t size = cel::CharacterSize(text);
    if (size > 1) {
      out += text.substr(0, size);
    } else {
      const auto byte = static_cast<unsigned char>(text[0]);
      out += byte < 0x80 ? QuoteAscii(text[0]) : fmt::format("\\x{:02x}", byte);
    }
    text.remove_prefix(size);
  }
  return out + '"';
}

std::string GoJson(const json::value& value) {
  std::string out;
  Write(value, out);
  return out;
}

}  // namespace stillpoint::sim
