#include "e2e/support/controller.h"

#include "e2e/support/cluster.h"
#include "e2e/support/port.h"

#include <fmt/format.h>

#include <boost/asio/ip/tcp.hpp>

#include <signal.h>

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace stillpoint::e2e {
namespace {

using boost::asio::ip::tcp;

// The whole answer to a GET, head included; empty when nobody answers.
std::string HttpGet(int port, const std::string& path) {
  tcp::iostream stream;
  stream.expires_after(std::chrono::seconds(2));
  stream.connect("127.0.0.1", std::to_string(port));
  stream << "GET " << path << " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
         << std::flush;
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

int FreePort() {
  boost::asio::io_context io;
  const tcp::acceptor acceptor(io, {boost::asio::ip::address_v4::loopback(), 0});
  return acceptor.local_endpoint().port();
}

Controller::Controller(std::string ns, std::filesystem::path log, std::vector<std::string> flags,
                       std::string kubeconfig)
    : ns_(std::move(ns)),
      log_(std::move(log)),
      flags_(std::move(flags)),
      kubeconfig_(kubeconfig.empty() ? Cluster::Get().controller_kubeconfig()
                                     : std::move(kubeconfig)) {}

void Controller::StartUnready() {
  health_port_ = FreePort();
  metrics_port_ = FreePort();
  // setpriv becomes the program, under the same pid.
  std::vector<std::string> argv{"setpriv",
                                "--pdeathsig=KILL",
                                Cluster::Get().program(),
                                "controller",
                                "--kubeconfig=" + kubeconfig_,
                                fmt::format("--health-address=127.0.0.1:{}", health_port_),
                                fmt::format("--metrics-address=127.0.0.1:{}", metrics_port_)};
  if (!ns_.empty()) argv.push_back("--namespace=" + ns_);
  argv.insert(argv.end(), flags_.begin(), flags_.end());
  process_ = std::make_unique<Process>(argv, log_);
}

void Controller::Start() {
  StartUnready();
  const auto settled = [this] { return Ready() || !Running(); };
  if (!Eventually(settled, std::chrono::seconds(20)) || !Running()) {
    throw std::runtime_error("the controller does not become ready:\n" + LogTail(30));
  }
}

void Controller::Kill9() {
  process_->Kill();
}

void Controller::Pause() const {
  process_->Signal(SIGSTOP);
}

void Controller::Continue() const {
  process_->Signal(SIGCONT);
}

int Controller::Terminate(std::chrono::seconds grace) {
  return process_->Terminate(grace);
}

bool Controller::Ready() const {
  return HttpGet(health_port_, "/readyz").starts_with("HTTP/1.1 200");
}

std::string Controller::Metrics() const {
  return HttpGet(metrics_port_, "/metrics");
}

std::size_t Controller::PeakMemory() const {
  std::ifstream status(fmt::format("/proc/{}/status", pid()));
  for (std::string word; status >> word;) {
    std::size_t kilobytes = 0;
    if (word == "VmHWM:" && status >> kilobytes) return kilobytes << 10;
  }
  return 0;
}

std::string Controller::Log() const {
  std::ifstream file(log_);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string Controller::LogTail(std::size_t lines) const {
  const std::string log = Log();
  std::size_t from = log.size();
  for (std::size_t found = 0; from > 0; --from) {
    if (log[from - 1] == '\n' && ++found > lines) break;
  }
  return log.substr(from);
}

}  // namespace stillpoint::e2e
