#include "kube/load_config.h"

#include "kube/credentials.h"
#include "kube/file.h"
#include "kube/kubeconfig.h"
#include "kube/kubeconfig_resolve.h"
#include "kube/proxy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace stillpoint::kube {

namespace {

api::Error Invalid(std::string message) {
  return {api::Code::kInvalid, std::move(message)};
}

// ---- in a Pod ---------------------------------------------------------------------------------

std::string TrimEnd(std::string text) {
  while (text.ends_with('\n') || text.ends_with(' ')) text.pop_back();
  return text;
}

api::Result<Config> LoadInCluster(const ConfigOptions& options, Clock& clock) {
  Config config{.host = options.environment("KUBERNETES_SERVICE_HOST").value_or(""),
                .port = options.environment("KUBERNETES_SERVICE_PORT").value_or(""),
                .context = "in-cluster"};
  const std::string dir = options.service_account_dir;
  constexpr std::string_view kHelp =
      "; the Pod needs automountServiceAccountToken: true, or pass --kubeconfig";
  auto ca = ReadFile(dir + "/ca.crt");
  if (!ca) return Invalid(fmt::format("in-cluster: {}{}", ca.error().message, kHelp));
  config.ca_pem = std::move(*ca);
  const std::string token_file = dir + "/token";
  if (auto token = ReadFile(token_file); !token) {
    return Invalid(fmt::format("in-cluster: {}{}", token.error().message, kHelp));
  }
  config.credentials = MakeFileCredentials({.token = token_file}, Credential{}, clock);
  if (auto ns = ReadFile(dir + "/namespace"); ns && !TrimEnd(*ns).empty()) config.ns = TrimEnd(*ns);
  config.proxy_url = ProxyFromEnvironment(options.environment, config.host, config.port);
  return config;
}

bool IsInCluster(const ConfigOptions& options) {
  return options.context.empty() &&
         !options.environment("KUBERNETES_SERVICE_HOST").value_or("").empty() &&
         !options.environment("KUBERNETES_SERVICE_PORT").value_or("").empty();
}

// ---- kubeconfig files -------------------------------------------------------------------------

std::vector<std::string> SplitPaths(std::string_view paths) {
  std::vector<std::string> split;
  while (!paths.empty()) {
    const std::size_t colon = std::min(paths.find(':'), paths.size());
    if (colon > 0) split.emplace_back(paths.substr(0, colon));
    paths.remove_prefix(std::min(colon + 1, paths.size()));
  }
  return split;
}

template <class T>
void MergeByName(std::vector<T>& into, std::vector<T> from) {
  for (T& item : from) {
    if (std::ranges::find(into, item.name, &T::name) == into.end()) into.push_back(std::move(item));
  }
}

// As kubectl: a file of the list that does not exist is no error.
api::Result<std::optional<Kubeconfig>> ReadMerged(const std::vector<std::string>& files) {
  std::optional<Kubeconfig> merged;
  for (const std::string& file : files) {
    auto text = ReadFile(file);
    if (!text && text.error().code == api::Code::kNotFound) continue;
    if (!text) return Invalid(text.error().message);
    auto parsed = ParseKubeconfig(file, *text);
    if (!parsed) return parsed.error();
    if (!merged) merged.emplace();
    if (merged->current_context.empty()) merged->current_context = parsed->current_context;
    MergeByName(merged->clusters, std::move(parsed->clusters));
    MergeByName(merged->users, std::move(parsed->users));
    MergeByName(merged->contexts, std::move(parsed->contexts));
  }
  return merged;
}

std::vector<std::string> DefaultFiles(const ConfigOptions& options) {
  if (const auto paths = options.environment("KUBECONFIG"); paths && !paths->empty()) {
    return SplitPaths(*paths);
  }
  return {options.environment("HOME").value_or("") + "/.kube/config"};
}

}  // namespace

api::Result<Config> LoadConfig(const ConfigOptions& options, Clock& clock) {
  std::vector<std::string> files{options.kubeconfig};
  if (options.kubeconfig.empty()) {
    if (IsInCluster(options)) return LoadInCluster(options, clock);
    files = DefaultFiles(options);
  }
  auto merged = ReadMerged(files);
  if (!merged) return merged.error();
  if (*merged) {
    return ResolveKubeconfig(**merged, fmt::format("{}", fmt::join(files, ":")), options, clock);
  }
  if (!options.kubeconfig.empty()) {
    return Invalid(fmt::format("--kubeconfig: there is no file {}", options.kubeconfig));
  }
  return Invalid(
      fmt::format("no cluster to talk to: there is no file {}; pass --kubeconfig, set "
                  "KUBECONFIG, or run in a Pod",
                  fmt::join(files, " or ")));
}

}  // namespace stillpoint::kube
