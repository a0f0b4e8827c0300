#include "sim/pocket/local_volumes.h"

#include "sim/pocket/child_process.h"
#include "sim/pocket/copy_tree.h"

#include <fmt/format.h>

#include <exception>
#include <filesystem>
#include <utility>

namespace stillpoint::sim::pocket {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::milliseconds kNow{0};

// Handles become names of directories.
std::string NameOf(const std::string& handle) {
  std::string name = handle;
  for (char& c : name) {
    if (c == '/' || c == '.') c = '_';
  }
  return name;
}

api::Error Failed(const std::string& what) {
  return {api::Code::kUnknown, fmt::format("{} has failed", what)};
}

}  // namespace

LocalVolumes::LocalVolumes(boost::asio::any_io_executor executor, Timeline& timeline,
                           std::string directory)
    : executor_(std::move(executor)), timeline_(timeline), directory_(std::move(directory)) {
  fs::create_directories(directory_ + "/volumes");
  fs::create_directories(directory_ + "/snapshots");
}

std::string LocalVolumes::DirectoryOf(const std::string& volume_handle) const {
  return fmt::format("{}/volumes/{}", directory_, NameOf(volume_handle));
}

std::string LocalVolumes::SnapshotPath(const std::string& handle) const {
  return fmt::format("{}/snapshots/{}", directory_, NameOf(handle));
}

void LocalVolumes::Run(const std::function<void()>& work, std::function<void(bool)> finished) {
  const pid_t child = StartChild(
      [&work] {
        work();
        return 0;
      },
      {});
  if (child < 0) return timeline_.After(kNow, [finished] { finished(false); });
  AwaitChild(executor_, child, [finished = std::move(finished)](int code) { finished(code == 0); });
}

void LocalVolumes::CreateVolume(const VolumeRequest& request, Done done) {
  const std::string path = DirectoryOf(request.handle);
  const std::string source =
      request.snapshot_handle.empty() ? "" : SnapshotPath(request.snapshot_handle);
  std::error_code ignored;
  if (!source.empty() && !fs::exists(source, ignored)) {
    return timeline_.After(kNow, [done, handle = request.snapshot_handle] {
      done(api::Error{api::Code::kNotFound, fmt::format("there is no snapshot {}", handle)});
    });
  }
  bytes_[request.handle] = request.bytes;
  Run(
      [&] {
        if (fs::exists(path)) return;
        if (source.empty()) {
          fs::create_directory(path);
        } else {
          CopyTree(source, path);
        }
      },
      [done = std::move(done)](bool good) {
        done(good ? api::Result<void>() : Failed("making the volume"));
      });
}

void LocalVolumes::Remove(const std::string& path, Done done) {
  Run([&path] { fs::remove_all(path); },
      [done = std::move(done)](bool good) {
        done(good ? api::Result<void>() : Failed("removing the directory"));
      });
}

void LocalVolumes::DeleteVolume(const std::string& handle, Done done) {
  bytes_.erase(handle);
  Remove(DirectoryOf(handle), std::move(done));
}

void LocalVolumes::Cut(const CutRequest& request, CutDone done) {
  const std::string from = DirectoryOf(request.volume_handle);
  const std::string to = SnapshotPath(request.snapshot_handle);
  const std::string handle = request.snapshot_handle;
  const auto size = bytes_.find(request.volume_handle);
  const std::int64_t bytes = size == bytes_.end() ? 0 : size->second;
  Run(
      [&] {
        if (!fs::exists(to)) CopyTree(from, to);
      },
      [this, handle, bytes, done = std::move(done)](bool good) {
        if (!good) return done(Failed("cutting the snapshot"));
        const auto cut = cuts_.emplace(handle, timeline_.Now()).first->second;
        done(CutAnswer{.cut_at = cut, .ready = true, .bytes = bytes});
      });
}

void LocalVolumes::DeleteSnapshot(const std::string& handle, Done done) {
  cuts_.erase(handle);
  Remove(SnapshotPath(handle), std::move(done));
}

}  // namespace stillpoint::sim::pocket
