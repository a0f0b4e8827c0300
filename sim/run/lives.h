// Lives: the controllers of a run, as a Deployment would have them: each that ends is followed by
// another. What runs is the product's own Manager.
#pragma once

#include "api/meta.h"
#include "sim/run/evidence.h"
#include "sim/run/scenario.h"
#include "sim/world/network.h"
#include "sim/world/process.h"
#include "sim/world/world.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace stillpoint::sim::run {

// Threads: one. Lifetime: world and network outlive it.
class Lives {
 public:
  // `log` gets what controllers log; may be empty.
  using Log = std::function<void(const std::string& line, std::uint64_t hash)>;
  Lives(World& world, Network& network, const Knobs& knobs, Log log);
  ~Lives();
  Lives(const Lives&) = delete;
  Lives& operator=(const Lives&) = delete;

  void Start();

  // In which one was missing, and for how long its successor may have needed to take over.
  [[nodiscard]] const std::vector<Period>& gaps() const { return gaps_; }
  // That ended by an exception: never a good end.
  [[nodiscard]] std::uint64_t threw() const { return threw_; }

 private:
  void StartOne(std::size_t slot);
  void OnEnd(std::size_t slot, Process::End end);

  World& world_;
  Network& network_;
  const Knobs knobs_;
  const Log log_;
  std::vector<std::unique_ptr<Process>> slots_;
  std::vector<Period> gaps_;
  std::uint64_t threw_ = 0;
};

}  // namespace stillpoint::sim::run
