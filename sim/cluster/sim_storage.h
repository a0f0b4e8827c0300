// SimStorage: the simulator's storage. It copies no bytes: each volume has a version that grows
// while somebody writes to it, and a snapshot keeps the version of its moment.
#pragma once

#include "api/error.h"
#include "sim/cluster/timeline.h"
#include "sim/cluster/truth.h"
#include "sim/cluster/volume_backend.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace stillpoint::sim {

// What one call of the driver does.
struct CutBehaviour {
  std::chrono::milliseconds cut{10};    // until the snapshot is taken
  std::chrono::milliseconds answer{2};  // from then on, or from the call when it fails
  std::chrono::milliseconds ready{0};   // from the cut until it is usable
  std::optional<api::Error> error;      // the answer; the snapshot is taken all the same if
  bool cut_despite_error = false;       //   this says so
  bool never_answers = false;
};

struct VolumeBehaviour {
  std::chrono::milliseconds answer{20};
  std::optional<api::Error> error;
};

// Lifetime: must outlive what it has put on `timeline`.
class SimStorage final : public VolumeBackend {
 public:
  SimStorage(Timeline& timeline, Truth& truth) : timeline_(timeline), truth_(truth) {}

  // Asked at each call; `attempt` counts from 1 per snapshot or volume. Empty: the defaults above.
  // A cut that is asked for again while it is under way, or after it was taken, is not taken twice.
  std::function<CutBehaviour(const CutRequest&, std::size_t attempt)> on_cut;
  std::function<VolumeBehaviour(const VolumeRequest&, std::size_t attempt)> on_create_volume;
  // `handle` of a volume or a snapshot.
  std::function<VolumeBehaviour(const std::string& handle, std::size_t attempt)> on_delete;

  void CreateVolume(const VolumeRequest& request, Done done) override;
  void DeleteVolume(const std::string& handle, Done done) override;
  void Cut(const CutRequest& request, CutDone done) override;
  void DeleteSnapshot(const std::string& handle, Done done) override;

  // A volume that was there before, as scenarios need it.
  void AddVolume(const VolumeRequest& request);

  // The claim that has the volume now; a volume that is kept may change hands.
  void SetClaim(const std::string& handle, const std::string& ns, const std::string& claim,
                const std::string& claim_uid);

  // Containers that write to the volume come and go.
  void AddWriter(const std::string& handle);
  void RemoveWriter(const std::string& handle);

  [[nodiscard]] const VolumeTruth* FindVolume(const std::string& handle) const;
  [[nodiscard]] std::int64_t VersionOf(const std::string& handle) const;  // now
  [[nodiscard]] std::size_t snapshots() const { return snapshots_.size(); }
  [[nodiscard]] std::size_t volumes() const { return volumes_.size(); }
  [[nodiscard]] bool HasSnapshot(const std::string& handle) const {
    return snapshots_.contains(handle);
  }

 private:
  struct Volume {
    std::size_t truth = 0;  // index
    std::int64_t bytes = 0;
    int writers = 0;
    api::Time counted{};  // when truth.version was right
  };
  struct Snapshot {
    std::size_t truth = 0;
    api::Time ready_at{};
    std::int64_t bytes = 0;
    std::string origin;
  };

  void Take(const CutRequest& request, const CutBehaviour& behaviour);
  void Answer(const CutRequest& request, const CutDone& done);
  void Count(Volume& volume);
  [[nodiscard]] Instant Now() { return truth_.Next(timeline_.Now()); }

  Timeline& timeline_;
  Truth& truth_;
  std::map<std::string, Volume> volumes_;
  std::map<std::string, Snapshot> snapshots_;
  std::map<std::string, std::size_t> attempts_;  // by handle
};

}  // namespace stillpoint::sim
