// LocalVolumes: volumes and snapshots as directories.
//
// A cut copies the volume's directory while its pods run on: with file systems that share blocks
// (btrfs, XFS) in milliseconds, else as fast as the disk is. Unlike a CSI driver's snapshot it is
// not of one instant: what is written meanwhile may be half in it.
#pragma once

#include "sim/cluster/timeline.h"
#include "sim/cluster/volume_backend.h"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <map>
#include <string>

namespace stillpoint::sim::pocket {

// Copies run in child processes. Threads and lifetime: as VolumeBackend; outlives the loop's run.
class LocalVolumes final : public VolumeBackend {
 public:
  // Volumes stand in DIRECTORY/volumes, snapshots in DIRECTORY/snapshots, both made here.
  LocalVolumes(boost::asio::any_io_executor executor, Timeline& timeline, std::string directory);

  void CreateVolume(const VolumeRequest& request, Done done) override;
  void DeleteVolume(const std::string& handle, Done done) override;
  void Cut(const CutRequest& request, CutDone done) override;
  void DeleteSnapshot(const std::string& handle, Done done) override;

  // Where a volume's files are.
  [[nodiscard]] std::string DirectoryOf(const std::string& volume_handle) const;

 private:
  // Runs `work` in a child process. False: it has failed.
  void Run(const std::function<void()>& work, std::function<void(bool)> finished);
  void Remove(const std::string& path, Done done);
  [[nodiscard]] std::string SnapshotPath(const std::string& handle) const;

  const boost::asio::any_io_executor executor_;
  Timeline& timeline_;
  const std::string directory_;
  std::map<std::string, api::Time> cuts_;      // by snapshot handle
  std::map<std::string, std::int64_t> bytes_;  // by volume and snapshot handle
};

}  // namespace stillpoint::sim::pocket
