#include "sim/pocket/copy_tree.h"

#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stillpoint::sim::pocket {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void Throw(const char* what, const fs::path& path) {
  throw fs::filesystem_error(what, path, std::error_code(errno, std::generic_category()));
}

class File {
 public:
  File(const fs::path& path, int flags, mode_t mode)
      : path_(path), descriptor_(open(path.c_str(), flags | O_CLOEXEC, mode)) {
    if (descriptor_ < 0) Throw("open", path);
  }
  ~File() { close(descriptor_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  const fs::path path_;
  const int descriptor_;
};

// In the kernel where it can, which keeps holes; else through memory.
void CopyBytes(const File& from, const File& to) {
  constexpr std::size_t kAtOnce = std::size_t{64} << 20;
  while (true) {
    const auto copied =
        copy_file_range(from.descriptor(), nullptr, to.descriptor(), nullptr, kAtOnce, 0);
    if (copied == 0) return;
    if (copied < 0) Throw("copy", from.path());
  }
}

void CopyFile(const fs::path& from, const fs::path& to, const struct stat& status) {
  const File source(from, O_RDONLY, 0);
  const File target(to, O_WRONLY | O_CREAT | O_EXCL, status.st_mode & 07777);
  if (ioctl(target.descriptor(), FICLONE, source.descriptor()) != 0) CopyBytes(source, target);
  fchmod(target.descriptor(), status.st_mode & 07777);
}

void CopyInto(const fs::path& from, const fs::path& to) {
  for (const auto& entry : fs::directory_iterator(from)) {
    const fs::path target = to / entry.path().filename();
    struct stat status{};
    // A file may go while it is copied: it then was not there.
    if (lstat(entry.path().c_str(), &status) != 0) continue;
    if (S_ISLNK(status.st_mode)) {
      fs::copy_symlink(entry.path(), target);
    } else if (S_ISDIR(status.st_mode)) {
      fs::create_directory(target, entry.path());
      CopyInto(entry.path(), target);
    } else if (S_ISREG(status.st_mode)) {
      CopyFile(entry.path(), target, status);
    }
    if (geteuid() == 0) {
      [[maybe_unused]] const int owned = lchown(target.c_str(), status.st_uid, status.st_gid);
    }
  }
}

}  // namespace

void CopyTree(const std::string& from, const std::string& to) {
  const fs::path partial = to + ".partial";
  fs::remove_all(partial);
  fs::create_directory(partial, from);
  CopyInto(from, partial);
  fs::rename(partial, to);
}

}  // namespace stillpoint::sim::pocket
