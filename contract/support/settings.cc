#include "contract/support/settings.h"

#include "kube/load_config.h"

#include <cstdlib>
#include <stdexcept>

namespace stillpoint::contract {

namespace {

std::string Environment(const char* name, const char* otherwise = "") {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? otherwise : value;
}

Settings Read() {
  Settings settings{.kubeconfig = Environment("CONTRACT_KUBECONFIG"),
                    .image = Environment("CONTRACT_IMAGE", "local/tools:1"),
                    .storage_class = Environment("CONTRACT_STORAGE_CLASS"),
                    .snapshot_class = Environment("CONTRACT_SNAPSHOT_CLASS")};
  if (settings.kubeconfig.empty()) {
    throw std::runtime_error("CONTRACT_KUBECONFIG is not set: it names the server to ask");
  }
  return settings;
}

}  // namespace

const Settings& GetSettings() {
  static const Settings settings = Read();
  return settings;
}

kube::Config LoadServer(kube::Clock& clock) {
  auto config = kube::LoadConfig({.kubeconfig = GetSettings().kubeconfig}, clock);
  if (!config) throw std::runtime_error(config.error().message);
  return std::move(*config);
}

}  // namespace stillpoint::contract
