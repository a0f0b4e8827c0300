#include "sim/admission/cel_lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <system_error>
#include <utility>

namespace stillpoint::sim::cel {
namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

bool IsNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool IsHexDigit(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// What a backslash and one letter stand for.
std::optional<char> SimpleEscape(char letter) {
  constexpr std::string_view kLetters = "abfnrtv\\?\"'`";
  constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\?\"'`";
  const auto found = kLetters.find(letter);
  if (found == std::string_view::npos) return std::nullopt;
  return kMeanings[found];
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  api::Result<std::vector<Token>> Run() {
    std::vector<Token> tokens;
    do {
      SkipBlanks();
      start_ = at_;
      auto token = Next();
      if (!token) return token.error();
      token->offset = start_;
      tokens.push_back(std::move(*token));
    } while (tokens.back().kind != Token::Kind::kEnd);
    return tokens;
  }

 private:
  [[nodiscard]] char Peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  [[nodiscard]] std::string_view Taken() const { return text_.substr(start_, at_ - start_); }

  // A comment goes from // to the end of its line.
  void SkipBlanks() {
    while (at_ < text_.size()) {
      if (text_.substr(at_).starts_with("//")) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (std::string_view(" \t\r\n\f").contains(text_[at_])) {
        ++at_;
      } else {
        return;
      }
    }
  }

  api::Result<Token> Next() {
    if (at_ == text_.size()) return Token{};
    if (IsDigit(Peek()) || (Peek() == '.' && IsDigit(Peek(1)))) return Number();
    if (AtText()) return Text();
    if (IsNameStart(Peek())) {
      while (IsNameStart(Peek()) || IsDigit(Peek())) ++at_;
      return Token{.kind = Token::Kind::kIdentifier, .text = std::string(Taken())};
    }
    return Punctuation();
  }

  api::Result<Token> Punctuation() {
    constexpr std::array<std::string_view, 24> kMarks{"&&", "||", "==", "!=", "<=", ">=", "<", ">",
                                                      "!",  "+",  "-",  "*",  "/",  "%",  "(", ")",
                                                      "[",  "]",  "{",  "}",  ",",  ".",  ":", "?"};
    for (const std::string_view mark : kMarks) {
      if (!text_.substr(at_).starts_with(mark)) continue;
      at_ += mark.size();
      return Token{.kind = Token::Kind::kPunctuation, .text = std::string(mark)};
    }
    return SyntaxError(at_, "this character has no meaning here");
  }

  api::Result<Token> Number() {
    if (Peek() == '0' && (Peek(1) == 'x' || Peek(1) == 'X')) {
      at_ += 2;
      while (IsHexDigit(Peek())) ++at_;
      return Integer(Taken().substr(2), 16);
    }
    bool whole = true;
    while (IsDigit(Peek())) ++at_;
    if (Peek() == '.' && IsDigit(Peek(1))) {
      whole = false;
      ++at_;
      while (IsDigit(Peek())) ++at_;
    }
    if (TakeExponent()) whole = false;
    if (whole) return Integer(Taken(), 10);
    Token token{.kind = Token::Kind::kDouble, .text = std::string(Taken())};
    const auto parsed =
        std::from_chars(Taken().data(), Taken().data() + Taken().size(), token.number);
    if (parsed.ec != std::errc()) return SyntaxError(start_, "this number is too large");
    return token;
  }

  bool TakeExponent() {
    if (Peek() != 'e' && Peek() != 'E') return false;
    const std::size_t sign = Peek(1) == '+' || Peek(1) == '-' ? 1 : 0;
    if (!IsDigit(Peek(1 + sign))) return false;
    at_ += 1 + sign;
    while (IsDigit(Peek())) ++at_;
    return true;
  }

  api::Result<Token> Integer(std::string_view digits, int base) {
    Token token{.kind = Token::Kind::kInt, .text = std::string(Taken())};
    const auto* const end = digits.data() + digits.size();
    const auto parsed = std::from_chars(digits.data(), end, token.integer, base);
    if (parsed.ec != std::errc() || parsed.ptr != end) {
      return SyntaxError(start_, "this is not a number that fits into 64 bits");
    }
    if (Peek() == 'u' || Peek() == 'U') {
      ++at_;
      token.kind = Token::Kind::kUint;
    }
    return token;
  }

  // ---- texts: 'a', "a", '''a''', r'a' -----------------------------------------------------------

  [[nodiscard]] bool AtText() const {
    const std::size_t prefix = Peek() == 'r' || Peek() == 'R' ? 1 : 0;
    return Peek(prefix) == '\'' || Peek(prefix) == '"';
  }

  api::Result<Token> Text() {
    const bool raw = Peek() == 'r' || Peek() == 'R';
    if (raw) ++at_;
    const std::string triple(3, Peek());
    const std::string close = text_.substr(at_).starts_with(triple) ? triple : triple.substr(0, 1);
    at_ += close.size();
    Token token{.kind = Token::Kind::kText};
    while (!text_.substr(at_).starts_with(close)) {
      if (at_ == text_.size() || (Peek() == '\n' && close.size() == 1)) {
        return SyntaxError(start_, "this text has no end");
      }
      if (Peek() == '\\' && !raw) {
        if (auto done = Escape(token.text); !done) return done.error();
      } else {
        token.text += text_[at_++];
      }
    }
    at_ += close.size();
    return token;
  }

  api::Result<void> Escape(std::string& out) {
    ++at_;
    const char letter = Peek();
    if (const auto simple = SimpleEscape(letter)) {
      out += *simple;
      ++at_;
      return {};
    }
    switch (letter) {
      case 'x':
      case 'X':
        ++at_;
        return CodePoint(out, 2, 16);
      case 'u':
        ++at_;
        return CodePoint(out, 4, 16);
      case 'U':
        ++at_;
        return CodePoint(out, 8, 16);
      default:
        return CodePoint(out, 3, 8);
    }
  }

  api::Result<void> CodePoint(std::string& out, std::size_t digits, int base) {
    const std::string_view written = text_.substr(at_, digits);
    std::uint32_t value = 0;
    const auto* const end = written.data() + written.size();
    const auto parsed = std::from_chars(written.data(), end, value, base);
    if (written.size() != digits || parsed.ec != std::errc() || parsed.ptr != end ||
        value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
      return SyntaxError(at_, "this escape stands for no character");
    }
    at_ += digits;
    AppendUtf8(out, value);
    return {};
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  std::size_t start_ = 0;  // of the token being read
};

}  // namespace

api::Result<std::vector<Token>> Tokenize(std::string_view text) {
  return Lexer(text).Run();
}

api::Error SyntaxError(std::size_t offset, std::string_view problem) {
  return {api::Code::kInvalid, fmt::format("at {}: {}", offset, problem)};
}

void AppendUtf8(std::string& text, std::uint32_t code_point) {
  const auto add = [&text](std::uint32_t byte) { text += static_cast<char>(byte); };
  if (code_point < 0x80) {
    add(code_point);
  } else if (code_point < 0x800) {
    add(0xC0 | (code_point >> 6));
    add(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    add(0xE0 | (code_point >> 12));
    add(0x80 | ((code_point >> 6) & 0x3F));
    add(0x80 | (code_point & 0x3F));
  } else {
    add(0xF0 | (code_point >> 18));
    add(0x80 | ((code_point >> 12) & 0x3F));
    add(0x80 | ((code_point >> 6) & 0x3F));
    add(0x80 | (code_point & 0x3F));
  }
}

}  // namespace stillpoint::sim::cel
