// Kubeconfig: the file format that kubectl reads, as structs. Knows no defaults and no merging:
// load_config.h does that.
//
// Contract: https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
#pragma once

#include "api/error.h"
#include "kube/config.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace stillpoint::kube {

struct KubeconfigCluster {
  std::string name;
  std::string file;  // where it stands: relative paths start there, errors name it
  std::string server;
  std::string certificate_authority;
  std::string certificate_authority_data;
  std::string tls_server_name;
  std::string proxy_url;
  bool insecure_skip_tls_verify = false;
};

struct KubeconfigExec {
  std::string api_version;
  std::string command;
  std::vector<std::string> args;
  std::map<std::string, std::string> env;
  std::string install_hint;
  bool provide_cluster_info = false;
};

struct KubeconfigUser {
  std::string name;
  std::string file;
  std::string client_certificate;
  std::string client_certificate_data;
  std::string client_key;
  Sensitive client_key_data;
  Sensitive token;
  std::string token_file;
  std::optional<KubeconfigExec> exec;
  std::string unsupported;  // the first field that we know of and cannot honour; often empty
};

struct KubeconfigContext {
  std::string name;
  std::string file;
  std::string cluster;
  std::string user;
  std::string ns;
};

struct Kubeconfig {
  std::string current_context;
  std::vector<KubeconfigCluster> clusters;
  std::vector<KubeconfigUser> users;
  std::vector<KubeconfigContext> contexts;
};

// `file` is the path that `text` was read from. Fields that we do not know are ignored, as kubectl
// does.
// Errors: kInvalid; names the file and the field or the line, never shows a value.
[[nodiscard]] api::Result<Kubeconfig> ParseKubeconfig(const std::string& file,
                                                      const std::string& text);

}  // namespace stillpoint::kube
