// Truth: what really happened in the simulated cluster, whatever its API says: when which container
// stood still, what was cut when, which commands ran. Written by the simulator's own storage and
// containers (sim_storage.h, sim_runtime.h), read by oracles; the product never sees it.
#pragma once

#include "api/meta.h"

#include <compare>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>

namespace stillpoint::sim {

// Two things that happen in one millisecond still have an order.
struct Instant {
  api::Time at{};
  std::uint64_t order = 0;
  auto operator<=>(const Instant& other) const { return order <=> other.order; }
  bool operator==(const Instant& other) const { return order == other.order; }
};

// One life of a container: from its start to its end. `ends` absent: it runs.
struct LifeTruth {
  std::string ns;
  std::string pod;
  std::string pod_uid;
  std::string container;
  std::string container_id;
  std::set<std::string> volumes;  // handles that it writes to whenever it does not stand still
  Instant starts;
  std::optional<Instant> ends;
};

// A life stands still: it writes nothing to any of its volumes.
struct StillTruth {
  std::string ns;
  std::string pod;
  std::string pod_uid;
  std::string container;
  std::string container_id;
  Instant starts;
  std::optional<Instant> ends;
  bool ended_by_death = false;        // the container died, and with it the stillness
  std::set<std::uint64_t> holders;    // ids of the held commands that kept it still at some time
  std::set<std::uint64_t> frozen_by;  // ids of the commands that froze it and may have ended since
};

// A snapshot was really taken.
struct CutTruth {
  std::string snapshot_handle;
  std::string volume_handle;
  std::string claim_ns;  // whose volume it was at that moment
  std::string claim;
  std::string claim_uid;
  Instant at;
  std::int64_t version = 0;     // of the data, see VolumeTruth
  bool being_written = false;   // some container wrote to it at that moment
  std::optional<Instant> gone;  // deleted in the storage
};

struct CommandTruth {
  std::uint64_t id = 0;  // 1, 2, 3, ... in the order of their starts
  std::string ns;
  std::string pod;
  std::string pod_uid;
  std::string container;
  std::string container_id;
  std::string text;  // what the shell runs, without the guard
  enum class Form { kPlain, kGuarded, kHeld } form = Form::kPlain;
  Instant starts;
  std::optional<Instant> begins;       // its text runs; a script waits until it is told to
  std::optional<Instant> stream_lost;  // or stdin closed
  std::optional<Instant> released;     // held: the line that asks for it came
  std::optional<Instant> ends;
  int exit_code = -1;
};

// Data of a volume. `version` counts the milliseconds in which somebody wrote to it, and those that
// its data had before in the volume that it was restored from. Equal origin and version: equal
// data.
struct VolumeTruth {
  std::string handle;
  std::string claim_ns;  // whom it was made for
  std::string claim;
  std::string claim_uid;
  std::string restored_from;  // snapshot handle; empty: was made empty
  std::string origin;         // handle of the volume that was made empty and that it descends from
  std::int64_t version = 0;   // as of the last change of who writes to it
  Instant made;
  std::optional<Instant> gone;
};

// Records stay where they are, in the order in which they came. Threads: one.
class Truth {
 public:
  std::deque<LifeTruth> lives;
  std::deque<StillTruth> stills;
  std::deque<CutTruth> cuts;
  std::deque<CommandTruth> commands;
  std::deque<VolumeTruth> volumes;

  [[nodiscard]] Instant Next(api::Time now) { return {now, ++order_}; }

 private:
  std::uint64_t order_ = 0;
};

}  // namespace stillpoint::sim
