#include "sim/cluster/sim_storage.h"

#include <algorithm>
#include <utility>

namespace stillpoint::sim {

using std::chrono::milliseconds;

// ---- volumes ------------------------------------------------------------------------------------

void SimStorage::CreateVolume(const VolumeRequest& request, Done done) {
  const std::size_t attempt = ++attempts_[request.handle];
  const VolumeBehaviour behaviour =
      on_create_volume ? on_create_volume(request, attempt) : VolumeBehaviour{};
  timeline_.After(behaviour.answer, [this, request, behaviour, done = std::move(done)] {
    if (behaviour.error) return done(*behaviour.error);
    const bool from_snapshot = !request.snapshot_handle.empty();
    if (from_snapshot && !volumes_.contains(request.handle) &&
        !snapshots_.contains(request.snapshot_handle)) {
      return done(api::Error{api::Code::kNotFound, "no such snapshot"});
    }
    AddVolume(request);
    done(api::Result<void>());
  });
}

void SimStorage::AddVolume(const VolumeRequest& request) {
  if (volumes_.contains(request.handle)) return;
  VolumeTruth truth{.handle = request.handle,
                    .claim_ns = request.claim_ns,
                    .claim = request.claim,
                    .claim_uid = request.claim_uid,
                    .restored_from = request.snapshot_handle,
                    .origin = request.handle,
                    .made = Now()};
  if (const auto from = snapshots_.find(request.snapshot_handle); from != snapshots_.end()) {
    truth.origin = from->second.origin;
    truth.version = truth_.cuts[from->second.truth].version;
  }
  volumes_[request.handle] = {
      .truth = truth_.volumes.size(), .bytes = request.bytes, .counted = timeline_.Now()};
  truth_.volumes.push_back(std::move(truth));
}

void SimStorage::DeleteVolume(const std::string& handle, Done done) {
  const std::size_t attempt = ++attempts_["delete " + handle];
  const VolumeBehaviour behaviour = on_delete ? on_delete(handle, attempt) : VolumeBehaviour{};
  timeline_.After(behaviour.answer, [this, handle, behaviour, done = std::move(done)] {
    if (behaviour.error) return done(*behaviour.error);
    if (const auto volume = volumes_.find(handle); volume != volumes_.end()) {
      Count(volume->second);
      truth_.volumes[volume->second.truth].gone = Now();
      volumes_.erase(volume);
    }
    done(api::Result<void>());
  });
}

void SimStorage::SetClaim(const std::string& handle, const std::string& ns,
                          const std::string& claim, const std::string& claim_uid) {
  const auto volume = volumes_.find(handle);
  if (volume == volumes_.end()) return;
  VolumeTruth& truth = truth_.volumes[volume->second.truth];
  truth.claim_ns = ns;
  truth.claim = claim;
  truth.claim_uid = claim_uid;
}

void SimStorage::AddWriter(const std::string& handle) {
  const auto volume = volumes_.find(handle);
  if (volume == volumes_.end()) return;
  Count(volume->second);
  ++volume->second.writers;
}

void SimStorage::RemoveWriter(const std::string& handle) {
  const auto volume = volumes_.find(handle);
  if (volume == volumes_.end()) return;
  Count(volume->second);
  --volume->second.writers;
}

void SimStorage::Count(Volume& volume) {
  const api::Time now = timeline_.Now();
  if (volume.writers > 0) {
    truth_.volumes[volume.truth].version +=
        std::chrono::floor<milliseconds>(now - volume.counted).count();
  }
  volume.counted = now;
}

const VolumeTruth* SimStorage::FindVolume(const std::string& handle) const {
  const auto volume = volumes_.find(handle);
  return volume == volumes_.end() ? nullptr : &truth_.volumes[volume->second.truth];
}

std::int64_t SimStorage::VersionOf(const std::string& handle) const {
  const auto found = volumes_.find(handle);
  if (found == volumes_.end()) return 0;
  const Volume& volume = found->second;
  const std::int64_t version = truth_.volumes[volume.truth].version;
  if (volume.writers == 0) return version;
  return version + std::chrono::floor<milliseconds>(timeline_.Now() - volume.counted).count();
}

// ---- snapshots ----------------------------------------------------------------------------------

void SimStorage::Cut(const CutRequest& request, CutDone done) {
  const std::size_t attempt = ++attempts_[request.snapshot_handle];
  const CutBehaviour behaviour = on_cut ? on_cut(request, attempt) : CutBehaviour{};
  const bool takes = !behaviour.error || behaviour.cut_despite_error;
  const milliseconds cut = takes ? behaviour.cut : milliseconds(0);
  if (takes) timeline_.After(cut, [this, request, behaviour] { Take(request, behaviour); });
  if (behaviour.never_answers) return;
  timeline_.After(cut + behaviour.answer, [this, request, behaviour, done = std::move(done)] {
    if (behaviour.error) return done(*behaviour.error);
    Answer(request, done);
  });
}

void SimStorage::Take(const CutRequest& request, const CutBehaviour& behaviour) {
  const auto found = volumes_.find(request.volume_handle);
  if (found == volumes_.end() || snapshots_.contains(request.snapshot_handle)) return;
  Volume& volume = found->second;
  Count(volume);
  const VolumeTruth& data = truth_.volumes[volume.truth];
  const Instant now = Now();
  snapshots_[request.snapshot_handle] = {.truth = truth_.cuts.size(),
                                         .ready_at = now.at + behaviour.ready,
                                         .bytes = volume.bytes,
                                         .origin = data.origin};
  truth_.cuts.push_back({.snapshot_handle = request.snapshot_handle,
                         .volume_handle = request.volume_handle,
                         .claim_ns = data.claim_ns,
                         .claim = data.claim,
                         .claim_uid = data.claim_uid,
                         .at = now,
                         .version = data.version,
                         .being_written = volume.writers > 0});
}

void SimStorage::Answer(const CutRequest& request, const CutDone& done) {
  const auto snapshot = snapshots_.find(request.snapshot_handle);
  if (snapshot == snapshots_.end()) {
    return done(api::Error{api::Code::kNotFound, "no such volume"});
  }
  done(CutAnswer{.cut_at = truth_.cuts[snapshot->second.truth].at.at,
                 .ready = timeline_.Now() >= snapshot->second.ready_at,
                 .bytes = snapshot->second.bytes});
}

void SimStorage::DeleteSnapshot(const std::string& handle, Done done) {
  const std::size_t attempt = ++attempts_["delete " + handle];
  const VolumeBehaviour behaviour = on_delete ? on_delete(handle, attempt) : VolumeBehaviour{};
  timeline_.After(behaviour.answer, [this, handle, behaviour, done = std::move(done)] {
    if (behaviour.error) return done(*behaviour.error);
    if (const auto snapshot = snapshots_.find(handle); snapshot != snapshots_.end()) {
      truth_.cuts[snapshot->second.truth].gone = Now();
      snapshots_.erase(snapshot);
    }
    done(api::Result<void>());
  });
}

}  // namespace stillpoint::sim
