#include "e2e/support/cluster.h"

#include "e2e/support/kubeconfig.h"

#include <fmt/format.h>

#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

namespace stillpoint::e2e {
namespace {

namespace fs = std::filesystem;

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

fs::path FindSource() {
  for (fs::path folder = fs::current_path(); folder != folder.root_path();
       folder = folder.parent_path()) {
    if (fs::exists(folder / "deploy/kustomization.yaml")) return folder;
  }
  throw std::runtime_error("run the suite from inside the checkout: it installs deploy/");
}

std::string FindProgram() {
  if (const std::string given = Environment("E2E_CONTROLLER"); !given.empty()) return given;
  const fs::path beside = fs::read_symlink("/proc/self/exe").parent_path() / "stillpoint";
  if (fs::exists(beside)) return beside;
  throw std::runtime_error(
      fmt::format("there is no {}: build it, or name it in E2E_CONTROLLER", beside.string()));
}

// The documents of a YAML stream whose kind is not `kind`.
std::string Without(const std::string& yaml, const std::string& kind) {
  std::string kept;
  for (std::size_t at = 0; at < yaml.size();) {
    std::size_t end = yaml.find("\n---\n", at);
    end = end == std::string::npos ? yaml.size() : end + 5;
    const std::string document = yaml.substr(at, end - at);
    if (document.find("\nkind: " + kind + "\n") == std::string::npos) kept += document;
    at = end;
  }
  return kept;
}

}  // namespace

const Cluster& Cluster::Get() {
  static const Cluster cluster;
  return cluster;
}

Cluster::Cluster() : source_(FindSource()), program_(FindProgram()) {
  kubeconfig_ = Environment("E2E_KUBECONFIG");
  state_ = Environment("E2E_CLUSTER_STATE");
  if (kubeconfig_.empty() && state_.empty()) state_ = "/tmp/stillpoint-cluster";
  if (kubeconfig_.empty()) kubeconfig_ = state_ / "admin.kubeconfig";
  if (!fs::exists(kubeconfig_)) {
    throw std::runtime_error(fmt::format(
        "there is no {}: `make cluster`, or name another in E2E_KUBECONFIG", kubeconfig_));
  }
  if (local()) {
    setenv("PATH", fmt::format("{}:{}", (state_ / "bin").string(), Environment("PATH")).c_str(), 1);
  }
  std::string folder = fs::temp_directory_path() / "stillpoint-e2e-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) throw std::runtime_error("cannot make " + folder);
  scratch_ = folder;
  controller_kubeconfig_ = scratch_ / "controller.kubeconfig";
  Install();
  WriteControllerKubeconfig();
}

Cluster::~Cluster() {
  std::error_code ignored;
  fs::remove_all(scratch_, ignored);
}

void Cluster::Install() const {
  const Kubectl kubectl = Namespace("stillpoint-system");
  const CommandResult rendered = kubectl({"kustomize", (source_ / "deploy").string()});
  if (rendered.exit_code != 0) throw std::runtime_error("kubectl kustomize: " + rendered.err);
  kubectl.Apply(Without(rendered.out, "Deployment"));
}

// A copy of the administrator's, with the ServiceAccount's token for its user.
void Cluster::WriteControllerKubeconfig() const {
  const CommandResult token =
      Namespace("stillpoint-system")({"create", "token", "stillpoint-controller", "--duration=3h"});
  if (token.exit_code != 0) throw std::runtime_error("no token for the controller: " + token.err);
  WriteKubeconfig(kubeconfig_, controller_kubeconfig_,
                  {.token = token.out.substr(0, token.out.find('\n'))});
}

void Cluster::Service(const std::string& verb, const std::string& name) const {
  const CommandResult result = Run({(source_ / "e2e/cluster/service.sh").string(), verb, name});
  if (result.exit_code != 0)
    throw std::runtime_error(fmt::format("{} {}: {}", verb, name, result.err));
}

void Cluster::WaitForApi() const {
  const Kubectl kubectl = Namespace("default");
  const auto ready = [&] {
    return kubectl({"get", "--raw", "/readyz", "--request-timeout=2s"}).exit_code == 0;
  };
  if (!Eventually(ready)) throw std::runtime_error("the API server does not answer");
}

}  // namespace stillpoint::e2e
