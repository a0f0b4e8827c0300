#include "kube/kubeconfig.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <array>
#include <exception>
#include <string_view>
#include <utility>

namespace stillpoint::kube {

namespace {

// Thrown by the readers below and caught in ParseKubeconfig: yaml-cpp throws too, so there is one
// way out for both.
class BadField : public std::exception {
 public:
  explicit BadField(std::string message) : message_(std::move(message)) {}
  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

 private:
  const std::string message_;
};

// A node and what it is called: `users[2].user.exec`.
struct Field {
  YAML::Node node;
  std::string path;

  [[nodiscard]] Field operator[](const std::string& key) const {
    if (node && !node.IsNull() && !node.IsMap()) throw BadField(path + " must be a map");
    // On a const node, as the other operator would put the key in.
    const YAML::Node& map = node;
    const bool is_map = node && node.IsMap();
    return {is_map ? map[key] : YAML::Node(YAML::NodeType::Undefined),
            path.empty() ? key : path + "." + key};
  }
  [[nodiscard]] bool IsAbsent() const { return !node || node.IsNull(); }
};

std::string Text(const Field& field) {
  if (field.IsAbsent()) return "";
  if (!field.node.IsScalar()) throw BadField(field.path + " must be a text");
  return field.node.Scalar();
}

bool Flag(const Field& field) {
  if (field.IsAbsent()) return false;
  bool value = false;
  if (!field.node.IsScalar() || !YAML::convert<bool>::decode(field.node, value)) {
    throw BadField(field.path + " must be true or false");
  }
  return value;
}

std::vector<Field> Items(const Field& field) {
  std::vector<Field> items;
  if (field.IsAbsent()) return items;
  if (!field.node.IsSequence()) throw BadField(field.path + " must be a list");
  for (const YAML::Node& node : field.node) {
    items.push_back({node, fmt::format("{}[{}]", field.path, items.size())});
  }
  return items;
}

std::string Name(const Field& item) {
  std::string name = Text(item["name"]);
  if (name.empty()) throw BadField(item.path + ".name is missing");
  return name;
}

KubeconfigCluster ReadCluster(const std::string& file, const Field& item) {
  const Field cluster = item["cluster"];
  return {.name = Name(item),
          .file = file,
          .server = Text(cluster["server"]),
          .certificate_authority = Text(cluster["certificate-authority"]),
          .certificate_authority_data = Text(cluster["certificate-authority-data"]),
          .tls_server_name = Text(cluster["tls-server-name"]),
          .proxy_url = Text(cluster["proxy-url"]),
          .insecure_skip_tls_verify = Flag(cluster["insecure-skip-tls-verify"])};
}

std::optional<KubeconfigExec> ReadExec(const Field& exec) {
  if (exec.IsAbsent()) return std::nullopt;
  KubeconfigExec plugin{.api_version = Text(exec["apiVersion"]),
                        .command = Text(exec["command"]),
                        .args = {},
                        .env = {},
                        .install_hint = Text(exec["installHint"]),
                        .provide_cluster_info = Flag(exec["provideClusterInfo"])};
  for (const Field& arg : Items(exec["args"])) plugin.args.push_back(Text(arg));
  for (const Field& variable : Items(exec["env"])) {
    plugin.env[Name(variable)] = Text(variable["value"]);
  }
  return plugin;
}

// To act as somebody else than the file says would be worse than not to act.
std::string FindUnsupported(const Field& user) {
  static constexpr std::array kFields = {"username", "password",  "auth-provider", "as",
                                         "as-uid",   "as-groups", "as-user-extra"};
  for (const char* name : kFields) {
    if (const Field field = user[name]; !field.IsAbsent()) return field.path;
  }
  return "";
}

KubeconfigUser ReadUser(const std::string& file, const Field& item) {
  const Field user = item["user"];
  return {.name = Name(item),
          .file = file,
          .client_certificate = Text(user["client-certificate"]),
          .client_certificate_data = Text(user["client-certificate-data"]),
          .client_key = Text(user["client-key"]),
          .client_key_data = Sensitive(Text(user["client-key-data"])),
          .token = Sensitive(Text(user["token"])),
          .token_file = Text(user["tokenFile"]),
          .exec = ReadExec(user["exec"]),
          .unsupported = FindUnsupported(user)};
}

KubeconfigContext ReadContext(const std::string& file, const Field& item) {
  const Field context = item["context"];
  return {.name = Name(item),
          .file = file,
          .cluster = Text(context["cluster"]),
          .user = Text(context["user"]),
          .ns = Text(context["namespace"])};
}

Kubeconfig Read(const std::string& file, const std::string& text) {
  const Field root{YAML::Load(text), ""};
  if (!root.IsAbsent() && !root.node.IsMap()) throw BadField("it is not a map of fields");
  Kubeconfig config{.current_context = Text(root["current-context"])};
  for (const Field& item : Items(root["clusters"])) {
    config.clusters.push_back(ReadCluster(file, item));
  }
  for (const Field& item : Items(root["users"])) config.users.push_back(ReadUser(file, item));
  for (const Field& item : Items(root["contexts"])) {
    config.contexts.push_back(ReadContext(file, item));
  }
  return config;
}

}  // namespace

api::Result<Kubeconfig> ParseKubeconfig(const std::string& file, const std::string& text) {
  try {
    return Read(file, text);
  } catch (const YAML::Exception& error) {
    return api::Error{
        api::Code::kInvalid,
        fmt::format("{}: line {} is not the YAML of a kubeconfig", file, error.mark.line + 1)};
  } catch (const BadField& error) {
    return api::Error{api::Code::kInvalid, fmt::format("{}: {}", file, error.what())};
  }
}

}  // namespace stillpoint::kube
