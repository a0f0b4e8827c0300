// VolumeBackend: the storage behind the model cluster's CSI driver. The simulator's knows what it
// stored (sim_storage.h); the embedded cluster's are directories.
//
// Contract: CSI, CreateVolume, DeleteVolume, CreateSnapshot, DeleteSnapshot. As there, every call
// may be made again with the same name, and then answers as it did.
#pragma once

#include "api/error.h"
#include "api/meta.h"

#include <cstdint>
#include <functional>
#include <string>

namespace stillpoint::sim {

struct VolumeRequest {
  std::string handle;
  std::int64_t bytes = 0;
  std::string snapshot_handle;  // empty: an empty volume
  std::string claim_ns;         // whom it is made for
  std::string claim;
  std::string claim_uid;
};

struct CutRequest {
  std::string snapshot_handle;
  std::string volume_handle;
};

struct CutAnswer {
  api::Time cut_at{};
  bool ready = false;  // false: ask again
  std::int64_t bytes = 0;
};

// Threads: one, that of the Timeline. Answers come from the Timeline too, never from within a call,
// and exactly one per call.
// Errors: kTimeout, kUnavailable, kCancelled and kTooManyRequests leave open whether it was done or
// will be (CSI: not final); all others say that it was not.
class VolumeBackend {
 public:
  using Done = std::function<void(api::Result<void>)>;
  using CutDone = std::function<void(api::Result<CutAnswer>)>;

  virtual ~VolumeBackend() = default;

  virtual void CreateVolume(const VolumeRequest& request, Done done) = 0;
  virtual void DeleteVolume(const std::string& handle, Done done) = 0;

  // Answers once the snapshot is cut, ready to be used or not.
  virtual void Cut(const CutRequest& request, CutDone done) = 0;
  virtual void DeleteSnapshot(const std::string& handle, Done done) = 0;
};

}  // namespace stillpoint::sim
