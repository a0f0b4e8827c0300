#include "sim/pocket/exec_frames.h"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <array>

namespace stillpoint::sim::pocket {

namespace json = boost::json;

std::string ChooseExecProtocol(std::string_view offered) {
  for (const std::string_view ours : {"v5.channel.k8s.io", "v4.channel.k8s.io"}) {
    std::string_view rest = offered;
    while (!rest.empty()) {
      const auto comma = rest.find(',');
      std::string_view name = rest.substr(0, comma);
      while (name.starts_with(' ')) name.remove_prefix(1);
      while (name.ends_with(' ')) name.remove_suffix(1);
      if (name == ours) return std::string(ours);
      rest = comma == std::string_view::npos ? "" : rest.substr(comma + 1);
    }
  }
  return "";
}

std::string ExitStatus(int exit_code) {
  if (exit_code == 0) {
    return json::serialize(json::object{{"metadata", json::object()}, {"status", "Success"}});
  }
  const json::object cause{{"reason", "ExitCode"}, {"message", std::to_string(exit_code)}};
  return json::serialize(json::object{
      {"metadata", json::object()},
      {"status", "Failure"},
      {"message", fmt::format("command terminated with non-zero exit code: error executing "
                              "command, exit code {}",
                              exit_code)},
      {"reason", "NonZeroExitCode"},
      {"details", json::object{{"causes", json::array{cause}}}}});
}

std::string ExecFailure(const api::Error& error) {
  const json::object cause{{"message", error.message}};
  return json::serialize(json::object{{"metadata", json::object()},
                                      {"status", "Failure"},
                                      {"message", "Internal error occurred: " + error.message},
                                      {"reason", "InternalError"},
                                      {"details", json::object{{"causes", json::array{cause}}}},
                                      {"code", 500}});
}

}  // namespace stillpoint::sim::pocket
