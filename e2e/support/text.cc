#include "e2e/support/text.h"

#include <sstream>

namespace stillpoint::e2e {

std::vector<std::string> Lines(std::string_view text) {
  std::istringstream stream{std::string(text)};
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string Indent(std::string_view text, std::size_t margin) {
  std::string indented;
  for (const std::string& line : Lines(text)) {
    indented += std::string(margin, ' ') + line + "\n";
  }
  return indented;
}

}  // namespace stillpoint::e2e
