// OutputTail: the last KiB of a command's output, fit for a status: valid UTF-8, printable.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace stillpoint::hooks {

class OutputTail {
 public:
  static constexpr std::size_t kLongest = 1024;

  // Any number of bytes, in the order in which they came; memory stays bounded.
  void Append(std::string_view data);

  // Without control characters and terminal escapes; bytes that are not UTF-8 become U+FFFD. What
  // is too long is cut at the front, at the start of a line if one is near.
  [[nodiscard]] std::string Text() const;

  // Whether there was more than Text() shows.
  [[nodiscard]] bool truncated() const;

 private:
  std::string bytes_;
  bool dropped_ = false;
};

}  // namespace stillpoint::hooks
