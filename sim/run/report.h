// What the oracles have found in one run, and what they have looked at.
#pragma once

#include "api/meta.h"

#include <boost/describe/enum.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace stillpoint::sim::run {

// docs/design.md says what I1 - I8 are.
enum class Invariant {
  kI1,           // thawed in time
  kI2,           // Application is true
  kI2Otherwise,  // in peace, Crash is false
  kI3,           // Completed has its snapshots
  kI4,           // nothing is left behind
  kI5,           // a restore ends well, and no data is lost
  kI7,           // everything comes to its end
  kI8,           // bad input is told
  kSettled,      // the journal says Thawed only of what goes on
  kHolderLoss,   // a held hook that ends too early ends the freeze at once
  kQuiet,        // when all is done nothing writes
  kEndState,     // as in a run without faults
  kCounts,       // as many creates, deletes and hooks as without faults
  kLivelock,     // no calls without end
  kRepeatable,   // two runs of one seed are one run
  kCrash         // the program ended, or did not
};
BOOST_DESCRIBE_ENUM(Invariant, kI1, kI2, kI2Otherwise, kI3, kI4, kI5, kI7, kI8, kSettled,
                    kHolderLoss, kQuiet, kEndState, kCounts, kLivelock, kRepeatable, kCrash)

inline constexpr std::size_t kInvariants = static_cast<std::size_t>(Invariant::kCrash) + 1;

using InvariantCounts = std::array<std::uint64_t, kInvariants>;

struct Violation {
  Invariant invariant = Invariant::kCrash;
  std::chrono::milliseconds at{};  // since the applications run
  std::string what;
};

// Threads: one.
class Report {
 public:
  // An oracle that is never asked about anything proves nothing: each time that there really was
  // something to judge is counted.
  void Tested(Invariant invariant) { ++tested_[static_cast<std::size_t>(invariant)]; }

  void Violates(Invariant invariant, std::chrono::milliseconds at, std::string what) {
    violations_.push_back({invariant, at, std::move(what)});
  }

  // What was left of maxFreeze, and of the time in which nobody could be reached, when a container
  // went on: the least of all tells how near it was.
  void Slack(std::chrono::milliseconds slack) { least_slack_ = std::min(least_slack_, slack); }

  [[nodiscard]] const std::vector<Violation>& violations() const { return violations_; }
  [[nodiscard]] const InvariantCounts& tested() const { return tested_; }
  [[nodiscard]] std::chrono::milliseconds least_slack() const { return least_slack_; }

 private:
  std::vector<Violation> violations_;
  InvariantCounts tested_{};
  std::chrono::milliseconds least_slack_ = std::chrono::milliseconds::max();
};

}  // namespace stillpoint::sim::run
