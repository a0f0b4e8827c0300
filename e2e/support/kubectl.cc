#include "e2e/support/kubectl.h"

#include "e2e/support/text.h"

#include <fmt/format.h>

#include <boost/json/parse.hpp>

#include <algorithm>
#include <stdexcept>
#include <thread>

namespace stillpoint::e2e {
namespace {

const std::string& Checked(const CommandResult& result, const std::string& what) {
  if (result.exit_code == 0) return result.out;
  throw std::runtime_error(
      fmt::format("{}: exit code {}: {}{}", what, result.exit_code, result.out, result.err));
}

}  // namespace

bool Eventually(const std::function<bool()>& condition, std::chrono::seconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    if (condition()) return true;
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

Kubectl::Kubectl(std::string kubeconfig, std::string ns)
    : kubeconfig_(std::move(kubeconfig)), ns_(std::move(ns)) {}

CommandResult Kubectl::operator()(std::vector<std::string> arguments,
                                  const std::string& stdin_text) const {
  std::vector<std::string> argv{"kubectl", "--kubeconfig=" + kubeconfig_, "--namespace=" + ns_};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return Run(argv, stdin_text, std::chrono::seconds(180));
}

void Kubectl::Apply(const std::string& yaml) const {
  Checked((*this)({"apply", "-f", "-"}, yaml), "kubectl apply of\n" + yaml);
}

boost::json::value Kubectl::Get(const std::string& what) const {
  return boost::json::parse(Checked((*this)({"get", what, "-o", "json"}), "kubectl get " + what));
}

std::string Kubectl::Field(const std::string& what, const std::string& path) const {
  const CommandResult result =
      (*this)({"get", what, "--ignore-not-found", "-o", "jsonpath={" + path + "}"});
  return result.exit_code == 0 ? result.out : std::string();
}

bool Kubectl::Exists(const std::string& what) const {
  return !Checked((*this)({"get", what, "--ignore-not-found", "-o", "name"}), "kubectl get " + what)
              .empty();
}

void Kubectl::Delete(const std::string& what) const {
  Checked((*this)({"delete", what, "--ignore-not-found", "--timeout=120s"}),
          "kubectl delete " + what);
}

void Kubectl::RolledOut(const std::string& workload) const {
  Checked((*this)({"rollout", "status", workload, "--timeout=120s"}), "rollout of " + workload);
}

std::vector<std::string> Kubectl::Names(const std::string& resource,
                                        const std::string& selector) const {
  std::vector<std::string> names =
      Lines(Checked((*this)({"get", resource, "--selector=" + selector, "-o",
                             "jsonpath={range .items[*]}{.metadata.name}{\"\\n\"}{end}"}),
                    "kubectl get " + resource));
  std::ranges::sort(names);
  return names;
}

std::string Kubectl::Exec(const std::string& pod, const std::string& command,
                          const std::string& container) const {
  std::vector<std::string> arguments{"exec", pod};
  if (!container.empty()) arguments.insert(arguments.end(), {"-c", container});
  arguments.insert(arguments.end(), {"--", "/bin/sh", "-c", command});
  return Checked((*this)(arguments), fmt::format("exec in {}: {}", pod, command));
}

}  // namespace stillpoint::e2e
