// LogFeed: the output of a container, read from the file that it is written to.
#pragma once

#include <cstddef>
#include <fstream>
#include <optional>
#include <string>

namespace stillpoint::sim::pocket {

class LogFeed {
 public:
  // From its beginning, or from its last `tail_lines` lines. A file that cannot be read is empty.
  LogFeed(const std::string& file, std::optional<std::size_t> tail_lines);

  // What has come since the last call, at most `limit` bytes of it.
  [[nodiscard]] std::string Next(std::size_t limit);

 private:
  std::ifstream file_;
};

}  // namespace stillpoint::sim::pocket
