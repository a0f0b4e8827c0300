// Watch: all objects of one kind in one namespace, and every phase that they went through.
#pragma once

#include "e2e/support/kubectl.h"
#include "e2e/support/process.h"

#include <boost/json/value.hpp>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stillpoint::e2e {

// One `kubectl get --watch` in the background: waiting costs no further calls. Where it breaks off,
// as with the API server, it is begun again; a phase that passed meanwhile is then not seen.
class Watch {
 public:
  // `file` is where kubectl's output goes.
  Watch(Kubectl kubectl, std::string resource, std::filesystem::path file);
  ~Watch();

  // As last seen; null when never seen or gone.
  [[nodiscard]] boost::json::value Latest(const std::string& name);

  // Each phase of its status, in order, without repeats. Objects that are gone are remembered.
  [[nodiscard]] std::vector<std::string> Phases(const std::string& name);

  // Calls `condition` with the object (null: not there) at each change, until it is true.
  [[nodiscard]] bool Until(const std::string& name,
                           const std::function<bool(const boost::json::value&)>& condition,
                           std::chrono::milliseconds timeout);

 private:
  struct Stream;  // the parser of what kubectl prints
  void Begin();
  void Read();
  void Note(const boost::json::value& event);

  const Kubectl kubectl_;
  const std::string resource_;
  const std::filesystem::path file_;
  std::unique_ptr<Process> process_;
  std::unique_ptr<Stream> stream_;
  std::map<std::string, boost::json::value> latest_;
  std::map<std::string, std::vector<std::string>> phases_;
};

}  // namespace stillpoint::e2e
