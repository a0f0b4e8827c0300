#include "sim/pocket/log_feed.h"

#include <deque>

namespace stillpoint::sim::pocket {

LogFeed::LogFeed(const std::string& file, std::optional<std::size_t> tail_lines)
    : file_(file, std::ios::binary) {
  if (!tail_lines) return;
  std::deque<std::streamoff> starts;  // of the last lines
  std::streamoff at = 0;
  for (std::string line; std::getline(file_, line);) {
    starts.push_back(at);
    if (starts.size() > *tail_lines) starts.pop_front();
    at += static_cast<std::streamoff>(line.size()) + 1;
  }
  file_.clear();
  if (starts.empty()) {
    file_.seekg(0, std::ios::end);
  } else {
    file_.seekg(starts.front());
  }
}

std::string LogFeed::Next(std::size_t limit) {
  std::string text(limit, '\0');
  file_.clear();  // the end of the file, until it grows
  file_.read(text.data(), static_cast<std::streamsize>(limit));
  text.resize(static_cast<std::size_t>(file_.gcount()));
  return text;
}

}  // namespace stillpoint::sim::pocket
