// Problem: why a restore cannot go on, as one sentence and the word for it.
#pragma once

#include <string>
#include <vector>

namespace stillpoint::controllers::restore {

struct Problem {
  std::string reason;   // of the closed vocabulary
  std::string message;  // one sentence without a full stop, naming the field or the object
  bool operator==(const Problem&) const = default;
};

// The sentences in one: the first five, then "and 2 more".
[[nodiscard]] std::string JoinMessages(const std::vector<Problem>& problems);

}  // namespace stillpoint::controllers::restore
