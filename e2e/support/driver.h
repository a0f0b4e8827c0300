// The local cluster's CSI driver: its knobs, and its own record of when it really cut.
#pragma once

#include "api/meta.h"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace stillpoint::e2e {

// One snapshot as the driver made it. The cut lies between `start` and `end`.
struct Cut {
  std::string id;
  std::string claim;
  api::Time requested{};
  api::Time start{};
  api::Time end{};
};

// The knobs, for the claims of one namespace only. See e2e/cluster/README.md.
// Lifetime: the destructor takes back what was set.
class Driver {
 public:
  Driver(std::filesystem::path state, std::string ns);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  // `claim` may be a pattern; an empty value takes the knob back.
  void CutDelay(const std::string& value, const std::string& claim = "*");
  void ReadyDelay(const std::string& value, const std::string& claim = "*");
  void FailSnapshot(const std::string& count, const std::string& claim = "*");
  void NeverReady(bool on, const std::string& claim = "*");

  // By the name of the VolumeSnapshot. Those that are gone are still told of.
  [[nodiscard]] std::map<std::string, Cut> Cuts() const;

  // Where the contents of a snapshot can be read.
  [[nodiscard]] std::filesystem::path Contents(const Cut& cut) const;

 private:
  void Set(const std::string& knob, const std::string& claim, const std::string& value) const;

  const std::filesystem::path root_;
  const std::string ns_;
};

}  // namespace stillpoint::e2e
