#include "e2e/support/bare_api.h"

#include "e2e/support/cluster.h"
#include "e2e/support/kubeconfig.h"
#include "e2e/support/port.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace stillpoint::e2e {
namespace {

std::string Url(int port) {
  return fmt::format("http://127.0.0.1:{}", port);
}

std::string EndOf(const std::filesystem::path& log) {
  std::ifstream file(log);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return text.substr(text.size() - std::min<std::size_t>(text.size(), 2000));
}

}  // namespace

BareApi::BareApi(std::filesystem::path scratch)
    : scratch_(std::move(scratch)), state_(Cluster::Get().state()) {
  std::filesystem::create_directories(scratch_);
  StartStore();
  StartServer();
  const Kubectl kubectl = Namespace("default");
  const auto ready = [&] {
    return kubectl({"get", "--raw", "/readyz", "--request-timeout=2s"}).exit_code == 0;
  };
  if (!Eventually(ready)) throw std::runtime_error(EndOf(scratch_ / "apiserver.log"));
}

void BareApi::StartStore() {
  store_port_ = FreePort();
  const std::string peers = Url(FreePort());
  store_ = std::make_unique<Process>(
      std::vector<std::string>{"setpriv", "--pdeathsig=KILL", state_ / "bin/etcd", "--data-dir",
                               scratch_ / "etcd", "--unsafe-no-fsync", "--listen-client-urls",
                               Url(store_port_), "--advertise-client-urls", Url(store_port_),
                               "--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers,
                               "--initial-cluster", "default=" + peers},
      scratch_ / "etcd.log");
}

// At the address that the certificate of the cluster's own API server is for. Nobody makes the
// service accounts that pods need: there are no pods.
void BareApi::StartServer() {
  const Endpoint shared = ServerOf(Cluster::Get().kubeconfig());
  const int port = FreePort();
  const std::filesystem::path pki = state_ / "pki";
  server_ = std::make_unique<Process>(std::vector<std::string>{"setpriv",
                                                               "--pdeathsig=KILL",
                                                               state_ / "bin/kube-apiserver",
                                                               "--etcd-servers",
                                                               Url(store_port_),
                                                               "--bind-address",
                                                               shared.host,
                                                               "--advertise-address",
                                                               shared.host,
                                                               "--secure-port",
                                                               std::to_string(port),
                                                               "--tls-cert-file",
                                                               pki / "apiserver.crt",
                                                               "--tls-private-key-file",
                                                               pki / "apiserver.key",
                                                               "--client-ca-file",
                                                               pki / "ca.crt",
                                                               "--service-account-key-file",
                                                               pki / "sa.key",
                                                               "--service-account-signing-key-file",
                                                               pki / "sa.key",
                                                               "--service-account-issuer",
                                                               "https://kubernetes.default.svc",
                                                               "--service-cluster-ip-range",
                                                               "10.96.0.0/16",
                                                               "--authorization-mode",
                                                               "RBAC",
                                                               "--disable-admission-plugins",
                                                               "ServiceAccount"},
                                      scratch_ / "apiserver.log");
  kubeconfig_ = scratch_ / "bare.kubeconfig";
  WriteKubeconfig(Cluster::Get().kubeconfig(), kubeconfig_,
                  {.server = fmt::format("https://{}:{}", shared.host, port)});
}

std::string BareApi::KubeconfigOf(const std::string& ns, const std::string& account) const {
  const Kubectl kubectl = Namespace(ns);
  kubectl({"create", "serviceaccount", account});
  const CommandResult token = kubectl({"create", "token", account, "--duration=1h"});
  if (token.exit_code != 0) throw std::runtime_error("no token: " + token.err);
  const std::string file = scratch_ / (account + ".kubeconfig");
  WriteKubeconfig(kubeconfig_, file, {.token = token.out.substr(0, token.out.find('\n'))});
  return file;
}

}  // namespace stillpoint::e2e
