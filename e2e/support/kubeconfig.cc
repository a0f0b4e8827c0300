#include "e2e/support/kubeconfig.h"

#include "e2e/support/json.h"
#include "e2e/support/process.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <fstream>
#include <stdexcept>

namespace stillpoint::e2e {
namespace {

boost::json::value Read(const std::string& kubeconfig) {
  const CommandResult config = Run({"kubectl", "--kubeconfig", kubeconfig, "config", "view",
                                    "--minify", "--flatten", "--raw", "-o", "json"});
  if (config.exit_code != 0) throw std::runtime_error(kubeconfig + ": " + config.err);
  return boost::json::parse(config.out);
}

}  // namespace

Endpoint ServerOf(const std::string& kubeconfig) {
  const std::string url = Text(Read(kubeconfig), "/clusters/0/cluster/server");
  const std::string authority = url.substr(url.find("//") + 2);
  const auto colon = authority.find(':');
  if (colon == std::string::npos) return {.host = authority};
  return {.host = authority.substr(0, colon), .port = std::stoi(authority.substr(colon + 1))};
}

void WriteKubeconfig(const std::string& from, const std::string& file,
                     const KubeconfigChanges& changes) {
  boost::json::value document = Read(from);
  auto& cluster = document.at("clusters").as_array().at(0).at("cluster").as_object();
  if (!changes.server.empty()) cluster["server"] = changes.server;
  if (!changes.tls_server_name.empty()) cluster["tls-server-name"] = changes.tls_server_name;
  if (!changes.token.empty()) {
    document.at("users").as_array().at(0).as_object()["user"] = {{"token", changes.token}};
  }
  std::ofstream(file) << boost::json::serialize(document);
}

}  // namespace stillpoint::e2e
