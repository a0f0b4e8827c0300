// Small things about text that every file of the suite needs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stillpoint::e2e {

[[nodiscard]] std::vector<std::string> Lines(std::string_view text);

// Each line with a margin: to put a text into YAML.
[[nodiscard]] std::string Indent(std::string_view text, std::size_t margin);

}  // namespace stillpoint::e2e
