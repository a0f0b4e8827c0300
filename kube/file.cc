#include "kube/file.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace stillpoint::kube {

namespace {

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

api::Error Failure(const std::string& path, int error) {
  const bool absent = error == ENOENT || error == ENOTDIR;
  return {absent ? api::Code::kNotFound : api::Code::kUnavailable,
          fmt::format("cannot read {}: {}", path, std::strerror(error))};
}

}  // namespace

api::Result<std::string> ReadFile(const std::string& path) {
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rbe"));
  if (!file) return Failure(path, errno);
  std::string text;
  char buffer[4096];
  while (const std::size_t count = std::fread(buffer, 1, sizeof buffer, file.get())) {
    text.append(buffer, count);
  }
  if (std::ferror(file.get())) return Failure(path, errno);
  return text;
}

}  // namespace stillpoint::kube
