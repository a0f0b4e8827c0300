// Events, as a person sees them, and the closed vocabulary of their reasons.
#pragma once

#include "e2e/support/kubectl.h"

#include <string>
#include <vector>

namespace stillpoint::e2e {

struct Event {
  std::string kind;  // of the object that it is about
  std::string name;
  std::string type;  // Normal, Warning
  std::string reason;
  std::string note;
};

// Of one namespace, oldest first.
[[nodiscard]] std::vector<Event> EventsOf(const Kubectl& kubectl);

// Whether Stillpoint may use this reason on objects of this kind.
[[nodiscard]] bool InVocabulary(const Event& event);

[[nodiscard]] std::string ToString(const Event& event);

}  // namespace stillpoint::e2e
