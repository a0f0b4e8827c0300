// Announcement: the entry of a freeze journal that a still point goes back to.
#pragma once

#include "api/meta.h"
#include "sim/cluster/truth.h"
#include "sim/run/evidence.h"

#include <boost/json/object.hpp>

#include <chrono>

namespace stillpoint::sim::run {

struct Announcement {
  const ObjectLife* backup = nullptr;  // null: it stands in no journal
  std::chrono::milliseconds max_freeze{};
  api::Time at{};
  bool nothing_thaws = false;  // a command without a post-hook
};

// The youngest one that stood in a journal when what froze the container began: a command may take
// its time, and another backup come meanwhile.
[[nodiscard]] Announcement AnnouncementOf(const Evidence& evidence, const StillTruth& still);

// The entry of its container in the journal of `backup`, the one that is settled last; null: none.
[[nodiscard]] const boost::json::object* TargetIn(const boost::json::object& backup,
                                                  const StillTruth& still);

}  // namespace stillpoint::sim::run
