#include "hooks/session_lock.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <string_view>
#include <utility>

namespace stillpoint::hooks {
namespace {

using Words = std::vector<std::string>;

bool IsWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Words in lower case; a `;`, which ends an SQL statement, is a word of its own.
Words SplitWords(std::string_view text) {
  Words words;
  bool in_word = false;
  for (const char c : text) {
    if (IsWordCharacter(c)) {
      if (!in_word) words.emplace_back();
      words.back() += Lower(c);
    } else if (c == ';') {
      words.emplace_back(";");
    }
    in_word = IsWordCharacter(c);
  }
  return words;
}

bool StartsWith(const Words& words, std::size_t at,
                std::initializer_list<std::string_view> wanted) {
  return at + wanted.size() <= words.size() &&
         std::equal(wanted.begin(), wanted.end(), words.begin() + static_cast<std::ptrdiff_t>(at));
}

// FLUSH [LOCAL] TABLE[S] [names] WITH READ LOCK | FOR EXPORT, from the word `flush` on.
bool IsFlushWithLock(const Words& words, std::size_t at) {
  if (words[at] != "flush") return false;
  ++at;
  if (at < words.size() && (words[at] == "local" || words[at] == "no_write_to_binlog")) ++at;
  if (!StartsWith(words, at, {"tables"}) && !StartsWith(words, at, {"table"})) return false;
  for (; at < words.size() && words[at] != ";"; ++at) {
    if (StartsWith(words, at, {"with", "read", "lock"})) return true;
    if (StartsWith(words, at, {"for", "export"})) return true;
  }
  return false;
}

bool HasLockStatement(const Words& words) {
  for (std::size_t at = 0; at < words.size(); ++at) {
    if (IsFlushWithLock(words, at) || StartsWith(words, at, {"lock", "tables"}) ||
        StartsWith(words, at, {"lock", "table"}) || StartsWith(words, at, {"backup", "stage"}) ||
        StartsWith(words, at, {"lock", "instance", "for", "backup"}) ||
        words[at] == "pg_start_backup" || words[at] == "pg_backup_start") {
      return true;
    }
  }
  return false;
}

bool HasClient(const Words& words) {
  return std::ranges::any_of(words, [](const std::string& word) {
    return word == "mysql" || word == "mariadb" || word == "psql";
  });
}

// Programs that detach what they run, so that no & is seen.
bool HasDetacher(const Words& words) {
  constexpr std::array<std::string_view, 6> kDetachers{
      "setsid", "screen", "tmux", "daemonize", "start-stop-daemon", "coproc"};
  return std::ranges::any_of(words, [&](const std::string& word) {
    return std::ranges::find(kDetachers, word) != kDetachers.end();
  });
}

bool IsShell(std::string_view program) {
  const Words words = SplitWords(program);
  constexpr std::array<std::string_view, 5> kShells{"sh", "ash", "dash", "bash", "zsh"};
  return !words.empty() && std::ranges::find(kShells, words.back()) != kShells.end();
}

// One command of a shell text, with the pipes, brackets and quotes in it.
struct Command {
  std::string text;
  bool background = false;
};

// Cuts a shell text at the `;`, `&`, `&&`, `||` and line ends outside of quotes and brackets.
class ShellSplitter {
 public:
  explicit ShellSplitter(std::string_view text) : text_(text) {}

  std::vector<Command> Split() {
    for (; at_ < text_.size(); ++at_) Step();
    Cut(/*background=*/false);
    return std::move(commands_);
  }

 private:
  void Step() {
    const char c = text_[at_];
    if (c == '\\' && quote_ != '\'') {
      Take();
      ++at_;
      if (at_ < text_.size()) Take();
    } else if (quote_ != 0) {
      if (c == quote_) quote_ = 0;
      Take();
    } else if (c == '\'' || c == '"') {
      quote_ = c;
      Take();
    } else {
      Unquoted(c);
    }
  }

  void Unquoted(char c) {
    if (c == '(' || c == '{') ++depth_;
    if (c == ')' || c == '}') depth_ = std::max(depth_ - 1, 0);
    if (depth_ > 0) return Take();
    if (c == ';' || c == '\n') return Cut(/*background=*/false);
    if (c == '|' && Next() == '|') return CutDouble();
    if (c == '&' && Next() == '&') return CutDouble();
    // Not the & of a redirection: 2>&1, <&3, &>file, |& tee.
    const bool redirects = std::string_view("<>|").contains(Previous()) || Next() == '>';
    if (c == '&' && !redirects) return Cut(/*background=*/true);
    Take();
  }

  void CutDouble() {
    ++at_;
    Cut(/*background=*/false);
  }

  void Cut(bool background) {
    commands_.push_back({std::move(current_), background});
    current_.clear();
  }

  void Take() { current_ += text_[at_]; }
  [[nodiscard]] char Next() const { return at_ + 1 < text_.size() ? text_[at_ + 1] : '\0'; }
  [[nodiscard]] char Previous() const { return at_ > 0 ? text_[at_ - 1] : '\0'; }

  const std::string_view text_;
  std::size_t at_ = 0;
  char quote_ = 0;
  int depth_ = 0;
  std::string current_;
  std::vector<Command> commands_;
};

bool ScriptTakesLock(std::string_view script) {
  const Words all = SplitWords(script);
  if (!HasLockStatement(all) || !HasClient(all)) return false;
  bool client_in_background = false;
  for (const Command& command : ShellSplitter(script).Split()) {
    const Words words = SplitWords(command.text);
    if (!HasClient(words)) continue;
    const bool stays = command.background || HasDetacher(words);
    if (!stays && HasLockStatement(words)) return true;
    client_in_background |= stays;
  }
  // The statement reaches the client from elsewhere: a here-document, a FIFO.
  return !client_in_background;
}

}  // namespace

bool TakesSessionLock(const std::vector<std::string>& argv) {
  if (argv.empty()) return false;
  // One line each: an argument is neither continued by the next one nor in the background with it.
  const std::string text = fmt::format("{}", fmt::join(argv, " ;\n"));
  if (IsShell(argv[0])) return ScriptTakesLock(text);
  const Words words = SplitWords(text);
  return HasClient(words) && HasLockStatement(words);
}

}  // namespace stillpoint::hooks
