#include "kube/kubeconfig_resolve.h"

#include "kube/base64.h"
#include "kube/credentials.h"
#include "kube/file.h"
#include "kube/proxy.h"
#include "kube/server_url.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace stillpoint::kube {

namespace {

api::Error Invalid(std::string message) {
  return {api::Code::kInvalid, std::move(message)};
}

// What stands in a file is relative to the file's folder.
std::string Absolute(const std::string& path, const std::string& file) {
  if (path.starts_with('/')) return path;
  return file.substr(0, file.rfind('/') + 1) + path;
}

// A part of a kubeconfig, for messages: "/home/ann/.kube/config: user \"ann\"".
template <class Entry>
std::string Where(std::string_view kind, const Entry& entry) {
  return fmt::format("{}: {} \"{}\"", entry.file, kind, entry.name);
}

template <class Entry>
api::Result<Entry> Find(const std::vector<Entry>& entries, std::string_view kind,
                        const std::string& name, const std::string& wanted_by) {
  if (name.empty()) return Invalid(fmt::format("{}: {} is missing", wanted_by, kind));
  const auto found = std::ranges::find(entries, name, &Entry::name);
  if (found != entries.end()) return *found;
  std::vector<std::string> names;
  for (const Entry& entry : entries) names.push_back(entry.name);
  return Invalid(
      fmt::format("{}: there is no {} \"{}\"; there {}", wanted_by, kind, name,
                  names.empty() ? "is none" : fmt::format("are: {}", fmt::join(names, ", "))));
}

// A PEM that stands in the kubeconfig as Base64 (`data`) or in a file of its own (`path`). As with
// kubectl the first wins. Empty when neither is there.
struct PemField {
  std::string where;
  std::string name;  // of the field for the path; the other one ends in -data
  std::string path;
  std::string data;
  std::string file;  // the kubeconfig
};

api::Result<std::string> ReadPem(const PemField& field) {
  std::string pem;
  std::string name = field.name;
  if (!field.data.empty()) {
    name += "-data";
    auto decoded = DecodeBase64(field.data);
    if (!decoded) return Invalid(fmt::format("{}: {} is not Base64", field.where, name));
    pem = std::move(*decoded);
  } else if (!field.path.empty()) {
    auto text = ReadFile(Absolute(field.path, field.file));
    if (!text) return Invalid(fmt::format("{}: {}: {}", field.where, name, text.error().message));
    pem = std::move(*text);
  } else {
    return pem;
  }
  if (pem.find("-----BEGIN ") == std::string::npos) {
    return Invalid(
        fmt::format("{}: {} is not in the PEM format (-----BEGIN ...)", field.where, name));
  }
  return pem;
}

// ---- cluster ----------------------------------------------------------------------------------

api::Result<void> ResolveServer(const KubeconfigCluster& cluster, Config& config) {
  const std::string where = Where("cluster", cluster);
  if (cluster.server.empty()) {
    return Invalid(where + ": server is missing; write https://host:port");
  }
  auto url = ParseServerUrl(cluster.server);
  if (!url) return Invalid(fmt::format("{}: server: {}", where, url.error().message));
  if (!url->user_info.empty()) {
    return Invalid(where + ": server: a user name in the URL is not supported; use a token");
  }
  config.plain_http = url->scheme == "http";
  if (!config.plain_http && url->scheme != "https") {
    return Invalid(
        fmt::format("{}: server: the scheme \"{}\" is neither https nor http", where, url->scheme));
  }
  if (config.plain_http && !IsLoopback(url->host)) {
    return Invalid(
        where + ": server: http:// is for a loopback address (kubectl proxy) only; use https://");
  }
  config.host = url->host;
  config.port = url->port;
  config.base_path = url->path;
  return {};
}

api::Result<void> ResolveTrust(const KubeconfigCluster& cluster, const ConfigOptions& options,
                               Config& config) {
  const std::string where = Where("cluster", cluster);
  if (cluster.insecure_skip_tls_verify && !options.allow_insecure) {
    return Invalid(where +
                   ": insecure-skip-tls-verify: true would let anybody play the API server; set "
                   "certificate-authority-data instead, or pass --insecure-skip-tls-verify to "
                   "accept that");
  }
  config.insecure_skip_tls_verify = cluster.insecure_skip_tls_verify;
  config.tls_server_name = cluster.tls_server_name;
  auto ca = ReadPem({.where = where,
                     .name = "certificate-authority",
                     .path = cluster.certificate_authority,
                     .data = cluster.certificate_authority_data,
                     .file = cluster.file});
  if (!ca) return ca.error();
  config.ca_pem = std::move(*ca);
  return {};
}

// A proxy of the kubeconfig is used whatever NO_PROXY says.
api::Result<void> ResolveProxy(const KubeconfigCluster& cluster, const ConfigOptions& options,
                               Config& config) {
  config.proxy_url = cluster.proxy_url;
  std::string field = Where("cluster", cluster) + ": proxy-url";
  if (config.proxy_url.empty() && !config.plain_http) {
    config.proxy_url = ProxyFromEnvironment(options.environment, config.host, config.port);
    field = "HTTPS_PROXY";
  }
  if (config.proxy_url.empty()) return {};
  if (config.plain_http) return Invalid(field + ": a http:// server is not reached by a proxy");
  const auto proxy = ParseProxyUrl(config.proxy_url);
  if (!proxy) return Invalid(fmt::format("{}: {}", field, proxy.error().message));
  return {};
}

// ---- user -------------------------------------------------------------------------------------

api::Result<Credential> ReadClientCertificate(const KubeconfigUser& user) {
  const std::string where = Where("user", user);
  auto certificate = ReadPem({.where = where,
                              .name = "client-certificate",
                              .path = user.client_certificate,
                              .data = user.client_certificate_data,
                              .file = user.file});
  if (!certificate) return certificate.error();
  auto key = ReadPem({.where = where,
                      .name = "client-key",
                      .path = user.client_key,
                      .data = user.client_key_data.Reveal(),
                      .file = user.file});
  if (!key) return key.error();
  if (certificate->empty() != key->empty()) {
    return Invalid(
        fmt::format("{}: client-certificate and client-key need each other, and {} is "
                    "missing",
                    where, key->empty() ? "client-key" : "client-certificate"));
  }
  Credential credential;
  credential.client_certificate_pem = std::move(*certificate);
  credential.client_key_pem = Sensitive(std::move(*key));
  return credential;
}

// What of it may be rotated. As with kubectl, data in the kubeconfig itself wins.
CredentialFiles FilesOf(const KubeconfigUser& user) {
  const auto path = [&](const std::string& data, const std::string& file) {
    return data.empty() && !file.empty() ? Absolute(file, user.file) : std::string();
  };
  return {.token = path("", user.token_file),
          .certificate = path(user.client_certificate_data, user.client_certificate),
          .key = path(user.client_key_data.Reveal(), user.client_key)};
}

// What the plugin is told about the cluster when it asks for it.
std::string ClusterInfo(const KubeconfigCluster& cluster, const Config& config) {
  boost::json::object info{{"server", cluster.server}};
  if (!config.ca_pem.empty()) info["certificate-authority-data"] = EncodeBase64(config.ca_pem);
  if (!config.tls_server_name.empty()) info["tls-server-name"] = config.tls_server_name;
  if (config.insecure_skip_tls_verify) info["insecure-skip-tls-verify"] = true;
  if (!config.proxy_url.empty()) info["proxy-url"] = config.proxy_url;
  return boost::json::serialize(info);
}

api::Result<CredentialPlugin> ResolvePlugin(const KubeconfigUser& user,
                                            const KubeconfigCluster& cluster,
                                            const Config& config) {
  const KubeconfigExec& exec = *user.exec;
  const std::string where = Where("user", user) + ": exec";
  if (exec.command.empty()) return Invalid(where + ".command is missing");
  if (exec.api_version != "client.authentication.k8s.io/v1" &&
      exec.api_version != "client.authentication.k8s.io/v1beta1") {
    return Invalid(
        fmt::format("{}.apiVersion is \"{}\"; known are client.authentication.k8s.io/v1 "
                    "and /v1beta1: update the plugin and the kubeconfig",
                    where, exec.api_version));
  }
  const bool is_path = exec.command.find('/') != std::string::npos;
  return CredentialPlugin{
      .api_version = exec.api_version,
      .command = is_path ? Absolute(exec.command, user.file) : exec.command,
      .args = exec.args,
      .env = exec.env,
      .install_hint = exec.install_hint,
      .cluster_info = exec.provide_cluster_info ? ClusterInfo(cluster, config) : ""};
}

// kubectl's order: a token file wins over a token, either over a plugin.
api::Result<void> ResolveUser(const KubeconfigUser& user, const KubeconfigCluster& cluster,
                              Clock& clock, Config& config) {
  const std::string where = Where("user", user);
  if (!user.unsupported.empty()) {
    return Invalid(
        fmt::format("{}: {} is not supported; use a client certificate, a token or an "
                    "exec plugin",
                    where, user.unsupported));
  }
  auto credential = ReadClientCertificate(user);
  if (!credential) return credential.error();
  const CredentialFiles files = FilesOf(user);
  if (!files.token.empty()) {
    if (auto text = ReadFile(files.token); !text) {
      return Invalid(fmt::format("{}: tokenFile: {}", where, text.error().message));
    }
  } else if (!user.token.empty()) {
    auto token = CleanToken(user.token.Reveal());
    if (!token) return Invalid(fmt::format("{}: token: {}", where, token.error().message));
    credential->bearer_token = std::move(*token);
  } else if (user.exec) {
    auto plugin = ResolvePlugin(user, cluster, config);
    if (!plugin) return plugin.error();
    config.credentials = MakeExecCredentials(std::move(*plugin), clock);
    return {};
  }
  const bool rotates = !files.token.empty() || !files.certificate.empty() || !files.key.empty();
  config.credentials = rotates ? MakeFileCredentials(files, std::move(*credential), clock)
                               : MakeStaticCredentials(std::move(*credential));
  return {};
}

api::Result<KubeconfigContext> PickContext(const Kubeconfig& kubeconfig, const std::string& source,
                                           const ConfigOptions& options) {
  const bool named = !options.context.empty();
  const std::string& name = named ? options.context : kubeconfig.current_context;
  if (name.empty()) {
    return Invalid(source +
                   ": current-context is not set; pass --context, or run kubectl config "
                   "use-context");
  }
  return Find(kubeconfig.contexts, "context", name, named ? source : source + ": current-context");
}

}  // namespace

api::Result<Config> ResolveKubeconfig(const Kubeconfig& kubeconfig, const std::string& source,
                                      const ConfigOptions& options, Clock& clock) {
  const auto context = PickContext(kubeconfig, source, options);
  if (!context) return context.error();
  const std::string where = Where("context", *context);
  const auto cluster = Find(kubeconfig.clusters, "cluster", context->cluster, where);
  if (!cluster) return cluster.error();

  Config config{.context = context->name};
  if (!context->ns.empty()) config.ns = context->ns;
  if (auto done = ResolveServer(*cluster, config); !done) return done.error();
  if (auto done = ResolveTrust(*cluster, options, config); !done) return done.error();
  if (auto done = ResolveProxy(*cluster, options, config); !done) return done.error();
  // A context without a user is good for `kubectl proxy`.
  KubeconfigUser user{.name = "", .file = context->file};
  if (!context->user.empty()) {
    auto found = Find(kubeconfig.users, "user", context->user, where);
    if (!found) return found.error();
    user = std::move(*found);
  }
  if (auto done = ResolveUser(user, *cluster, clock, config); !done) return done.error();
  return config;
}

}  // namespace stillpoint::kube
