// CutWatch: sees the moment of the cut where it shows first.
//
// VolumeSnapshotContent.status tells of a cut long before VolumeSnapshot.status does, as the
// snapshot-controller copies it under a rate limit (upstream default: 5 requests a second). So
// while a backup is cut, the contents of the cluster are watched, from the moment before the
// freeze: no list, no cache of what does not concern us.
//
// Contract: external-snapshotter; the content of a dynamic snapshot is named
// snapcontent-<UID of the VolumeSnapshot>. CSI: once CreateSnapshot has returned a handle, the
// snapshot is cut and the application may go on, ready_to_use or not.
#pragma once

#include "api/snapshot.h"
#include "kube/client.h"
#include "kube/clock.h"
#include "kube/log.h"
#include "kube/task_group.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace stillpoint::controllers {

// What a content says of its snapshot.
struct ContentFacts {
  std::string name;
  std::string source_volume_handle;
  std::string handle;
  std::string restore_size;
  bool cut = false;
  bool ready = false;
  std::string error;
};

// Threads: call every method on the executor given to the constructor.
// Lifetime: the client and the clock must outlive it; Stop() before destruction.
class CutWatch {
 public:
  // `on_change` gets the UID of the VolumeSnapshot whose content has changed.
  CutWatch(boost::asio::any_io_executor executor, kube::Client& client, kube::Clock& clock,
           kube::LogFn log, std::function<void(const std::string&)> on_change);
  ~CutWatch();

  // While at least one Use is alive, the watch runs and facts are kept.
  class Use {
   public:
    explicit Use(CutWatch& watch);
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

   private:
    CutWatch& watch_;
  };

  // Null: nothing is known of it yet.
  [[nodiscard]] const ContentFacts* Find(const std::string& snapshot_uid) const;

  // Asks for one content by its name, for when an event was missed. Absent ones are no error.
  [[nodiscard]] boost::asio::awaitable<api::Result<void>> Read(std::string snapshot_uid);

  // Why contents cannot be watched (the right or the API is missing); the caller then relies on
  // VolumeSnapshot.status.
  [[nodiscard]] const std::optional<api::Error>& problem() const { return problem_; }

  [[nodiscard]] boost::asio::awaitable<void> Stop();

 private:
  [[nodiscard]] boost::asio::awaitable<void> Run();
  [[nodiscard]] boost::asio::awaitable<api::Result<void>> WatchOnce();
  void Keep(const api::VolumeSnapshotContent& content);

  kube::Client& client_;
  kube::Clock& clock_;
  const kube::LogFn log_;
  const std::function<void(const std::string&)> on_change_;
  int uses_ = 0;
  bool running_ = false;
  std::string resource_version_;  // where the watch goes on from
  std::optional<api::Error> problem_;
  std::map<std::string, ContentFacts> facts_;  // by UID of the VolumeSnapshot
  kube::TaskGroup tasks_;
};

}  // namespace stillpoint::controllers
