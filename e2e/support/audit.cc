#include "e2e/support/audit.h"

#include "e2e/support/json.h"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <fstream>
#include <set>

namespace stillpoint::e2e {

AuditLog::AuditLog(const std::filesystem::path& state)
    : file_(state / "log/audit.log"), from_(std::filesystem::file_size(file_)) {}

std::vector<ApiRequest> AuditLog::Requests(const std::string& user, const std::string& ns) const {
  std::ifstream file(file_);
  file.seekg(static_cast<std::streamoff>(from_));
  std::vector<ApiRequest> requests;
  for (std::string line; std::getline(file, line);) {
    if (line.find(user) == std::string::npos || line.find(ns) == std::string::npos) continue;
    boost::system::error_code error;
    const boost::json::value entry = boost::json::parse(line, error);
    if (error || Text(entry, "/user/username") != user) continue;
    if (Text(entry, "/objectRef/namespace") != ns) continue;
    const std::string part = Text(entry, "/objectRef/subresource");
    const std::string code = Text(entry, "/responseStatus/code");
    requests.push_back(
        {.verb = Text(entry, "/verb"),
         .resource = Text(entry, "/objectRef/resource") + (part.empty() ? "" : "/" + part),
         .name = Text(entry, "/objectRef/name"),
         .code = code.empty() ? 0 : std::stoi(code)});
  }
  return requests;
}

std::vector<ApiRequest> AuditLog::Writes(const std::string& user, const std::string& ns) const {
  std::vector<ApiRequest> writes = Requests(user, ns);
  std::erase_if(writes, [](const ApiRequest& request) {
    static const std::set<std::string> kReads{"get", "list", "watch"};
    return kReads.contains(request.verb);
  });
  return writes;
}

}  // namespace stillpoint::e2e
