// AuditLog: what was asked of the local cluster's API server, and by whom.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace stillpoint::e2e {

struct ApiRequest {
  std::string verb;      // create, update, patch, delete, get, list, watch
  std::string resource;  // volumebackups, volumebackups/status
  std::string name;
  int code = 0;
};

// Lifetime: tells of what came after its construction.
class AuditLog {
 public:
  explicit AuditLog(const std::filesystem::path& state);

  // The requests of one user about one namespace.
  [[nodiscard]] std::vector<ApiRequest> Requests(const std::string& user,
                                                 const std::string& ns) const;

  // Those of them that change something. An exec is one that the audit calls get or create.
  [[nodiscard]] std::vector<ApiRequest> Writes(const std::string& user,
                                               const std::string& ns) const;

 private:
  const std::filesystem::path file_;
  const std::uintmax_t from_;
};

}  // namespace stillpoint::e2e
