#include "controllers/restore_problem.h"

#include <fmt/format.h>

#include <algorithm>

namespace stillpoint::controllers::restore {
namespace {
constexpr std::size_t kNamed = 5;
}  // namespace

std::string JoinMessages(const std::vector<Problem>& problems) {
  std::string text;
  for (std::size_t i = 0; i < std::min(problems.size(), kNamed); ++i) {
    text += (i == 0 ? "" : "; ") + problems[i].message;
  }
  if (problems.size() > kNamed) text += fmt::format("; and {} more", problems.size() - kNamed);
  return text;
}

}  // namespace stillpoint::controllers::restore
