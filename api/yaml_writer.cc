#include "api/yaml_writer.h"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <string_view>

namespace stillpoint::api {
namespace {

namespace json = boost::json;

constexpr std::size_t kWidth = 100;

bool IsPlainCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '/' || c == '_' || c == '-';
}

bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Words that some reader of YAML takes for something else than text.
bool IsReserved(std::string_view text) {
  constexpr std::array<std::string_view, 9> kWords{"true", "false", "null", "yes", "no",
                                                   "on",   "off",   "y",    "n"};
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return std::ranges::find(kWords, lower) != kWords.end();
}

bool IsPlain(std::string_view text) {
  const std::string_view start = text.substr(text.starts_with('.') ? 1 : 0);
  return !start.empty() && IsLetter(start.front()) && std::ranges::all_of(text, IsPlainCharacter) &&
         !IsReserved(text);
}

// A folded block keeps single spaces between words, and nothing else of white space.
bool CanFold(std::string_view text) {
  return !text.starts_with(' ') && !text.ends_with(' ') && !text.contains("  ");
}

std::string SingleQuoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    out += c;
    if (c == '\'') out += c;
  }
  return out + "'";
}

class Writer {
 public:
  [[nodiscard]] std::string Take() && { return std::move(out_); }

  // The lines of a block value, each indented by `indent`.
  void Block(const json::value& value, std::size_t indent) {
    if (value.is_object()) {
      bool first = true;
      for (const auto& [key, member] : value.get_object()) {
        if (!std::exchange(first, false)) out_.append(indent, ' ');
        out_ += Scalar(key);
        out_ += ':';
        AfterColon(member, indent);
      }
    } else {
      bool first = true;
      for (const json::value& element : value.get_array()) {
        if (!std::exchange(first, false)) out_.append(indent, ' ');
        AfterDash(element, indent);
      }
    }
  }

 private:
  static bool IsBlock(const json::value& value) {
    return (value.is_object() && !value.get_object().empty()) ||
           (value.is_array() && !value.get_array().empty());
  }

  // A list stands as far left as the key that it belongs to, as kubectl writes it.
  void AfterColon(const json::value& value, std::size_t indent) {
    if (!IsBlock(value)) return Leaf(value, indent + 2);
    const std::size_t inner = value.is_object() ? indent + 2 : indent;
    out_ += '\n';
    out_.append(inner, ' ');
    Block(value, inner);
  }

  void AfterDash(const json::value& value, std::size_t indent) {
    out_ += '-';
    if (!IsBlock(value)) return Leaf(value, indent + 2);
    out_ += ' ';
    Block(value, indent + 2);
  }

  void Leaf(const json::value& value, std::size_t indent) {
    out_ += ' ';
    if (!value.is_string()) {
      out_ += json::serialize(value) + '\n';
      return;
    }
    const std::string_view text = value.get_string();
    if (text.size() + indent > kWidth && CanFold(text)) return Folded(text, indent);
    out_ += Scalar(text) + '\n';
  }

  static std::string Scalar(std::string_view text) {
    return IsPlain(text) ? std::string(text) : SingleQuoted(text);
  }

  void Folded(std::string_view text, std::size_t indent) {
    out_ += ">-";
    std::size_t column = kWidth;
    while (!text.empty()) {
      const std::string_view word = text.substr(0, text.find(' '));
      if (column + 1 + word.size() > kWidth) {
        out_ += '\n';
        out_.append(indent, ' ');
        column = indent;
      } else {
        out_ += ' ';
        ++column;
      }
      out_ += word;
      column += word.size();
      text.remove_prefix(std::min(word.size() + 1, text.size()));
    }
    out_ += '\n';
  }

  std::string out_;
};

}  // namespace

std::string ToYaml(const json::value& value) {
  Writer writer;
  writer.Block(value, 0);
  return std::move(writer).Take();
}

}  // namespace stillpoint::api
