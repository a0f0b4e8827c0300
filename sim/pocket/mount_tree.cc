#include "sim/pocket/mount_tree.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

namespace stillpoint::sim::pocket {

namespace fs = std::filesystem;

namespace {

void Check(int result, const char* what, const fs::path& path) {
  if (result == 0) return;
  throw fs::filesystem_error(what, path, std::error_code(errno, std::generic_category()));
}

void Bind(const fs::path& from, const fs::path& to) {
  Check(mount(from.c_str(), to.c_str(), nullptr, MS_BIND | MS_REC, nullptr), "bind", to);
}

void CopyEntry(const fs::path& from, const fs::path& to) {
  std::error_code ignored;
  const auto status = fs::symlink_status(from, ignored);
  if (fs::is_symlink(status)) {
    fs::copy_symlink(from, to, ignored);
  } else if (fs::is_directory(status)) {
    fs::create_directory(to);
    Bind(from, to);
  } else {
    close(open(to.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
    Bind(from, to);
  }
}

// Whether `path` is `above` or stands below it.
bool IsWithin(const fs::path& path, const fs::path& above) {
  return std::ranges::mismatch(above, path).in1 == above.end();
}

using Mounts = std::vector<SandboxMount>;

void Graft(const fs::path& from, const fs::path& to, const Mounts& mounts);

// One name in a directory on the way to a mount path.
void GraftEntry(const fs::path& from, const fs::path& to, const Mounts& mounts) {
  Mounts within;
  for (const SandboxMount& mount : mounts) {
    if (IsWithin(fs::path(mount.path), from)) within.push_back(mount);
  }
  if (within.empty()) return CopyEntry(from, to);
  fs::create_directory(to);
  const auto exact = std::ranges::find(
      within, from, [](const SandboxMount& mount) { return fs::path(mount.path); });
  if (exact != within.end()) return Bind(exact->directory, to);
  Graft(from, to, within);
}

// `from` need not exist: then only the mounts are there.
void Graft(const fs::path& from, const fs::path& to, const Mounts& mounts) {
  std::vector<fs::path> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(from, ignored)) {
    names.push_back(entry.path().filename());
  }
  for (const SandboxMount& mount : mounts) {
    names.push_back(*fs::path(mount.path).lexically_relative(from).begin());
  }
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  for (const fs::path& name : names) GraftEntry(from / name, to / name, mounts);
}

}  // namespace

void BuildMountTree(const std::string& root, const Mounts& mounts) {
  Check(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "private", "/");
  Check(mount("tmpfs", root.c_str(), "tmpfs", 0, "mode=0755"), "tmpfs", root);
  Mounts normal = mounts;
  for (SandboxMount& mount : normal) {
    std::string path = fs::path(mount.path).lexically_normal();
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    mount.path = path;
  }
  Graft("/", root, normal);
}

}  // namespace stillpoint::sim::pocket
