#include "sim/pocket/local_runtime.h"

#include "api/resource.h"
#include "kube/base64.h"
#include "sim/pocket/child_process.h"
#include "sim/pocket/json_path.h"
#include "sim/pocket/local_command.h"

#include <fmt/format.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read.hpp>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace stillpoint::sim::pocket {

namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace json = boost::json;
using std::chrono::milliseconds;

namespace {

constexpr api::Resource kSecrets{"", "v1", "Secret", "secrets"};
constexpr api::Resource kConfigMaps{"", "v1", "ConfigMap", "configmaps"};
constexpr char kTemporary[] = "/tmp";
constexpr int kFailuresUntilNotReady = 3;

// What a container has as its /tmp.
std::string TemporaryOf(const std::string& pod_root) {
  return pod_root + ".tmp";
}

// Of this process, what programs need to be found and to write texts; the rest is its own.
std::map<std::string, std::string> BaseEnvironment() {
  std::map<std::string, std::string> environment;
  for (const char* name : {"PATH", "HOME", "LANG", "LC_ALL", "TZ"}) {
    if (const char* value = std::getenv(name)) environment[name] = value;
  }
  return environment;
}

}  // namespace

LocalRuntime::LocalRuntime(asio::any_io_executor executor, Timeline& timeline,
                           const ApiServer& server, const LocalVolumes& volumes,
                           std::string directory)
    : executor_(std::move(executor)),
      timeline_(timeline),
      server_(server),
      volumes_(volumes),
      directory_(std::move(directory)),
      sandboxed_(CanSandbox()) {
  fs::create_directories(directory_ + "/pods");
}

std::string LocalRuntime::PodDirectory(const std::string& pod_uid) const {
  return fmt::format("{}/pods/{}", directory_, pod_uid);
}

std::string LocalRuntime::EmptyDirOf(const std::string& pod_uid, const std::string& volume) const {
  return fmt::format("{}/empty-{}", PodDirectory(pod_uid), volume);
}

std::string LocalRuntime::LogFile(const std::string& pod_uid, const std::string& name) const {
  const auto pod = pods_.find(pod_uid);
  if (pod == pods_.end() || !pod->second.containers.contains(name)) return "";
  return fmt::format("{}/{}.log", PodDirectory(pod_uid), name);
}

LocalRuntime::Container* LocalRuntime::Find(const std::string& pod_uid,
                                            const std::string& container) {
  const auto pod = pods_.find(pod_uid);
  if (pod == pods_.end()) return nullptr;
  const auto found = pod->second.containers.find(container);
  return found == pod->second.containers.end() ? nullptr : &found->second;
}

// ---- what a process gets ----------------------------------------------------------------------

std::map<std::string, std::string> LocalRuntime::TextsOf(const std::string& ns,
                                                         const std::string& kind,
                                                         const std::string& name) const {
  std::map<std::string, std::string> texts;
  const bool secret = kind == "Secret";
  const auto object = server_.objects().Peek(secret ? kSecrets : kConfigMaps, {ns, name});
  const auto add = [&](std::string_view member, bool encoded) {
    const auto* values = object ? FindFirst(*object, member) : nullptr;
    if (!values || !values->is_object()) return;
    for (const auto& [key, value] : values->get_object()) {
      const std::string text(value.as_string());
      texts[key] = encoded ? kube::DecodeBase64(text).value_or("") : text;
    }
  };
  add(".data", secret);
  if (secret) add(".stringData", false);
  return texts;
}

SandboxProcess LocalRuntime::PlanOf(const Pod& pod, const ContainerSpec& spec) const {
  SandboxProcess plan{
      .argv = spec.argv,
      .working_directory = spec.working_directory,
      .pod_root = fmt::format("{}/root-{}", PodDirectory(pod.sandbox.uid), spec.name)};
  auto environment = spec.environment;
  environment.emplace("HOSTNAME", pod.sandbox.name);
  environment.merge(BaseEnvironment());
  for (const auto& [name, value] : environment) plan.environment.push_back(name + "=" + value);
  for (const auto& [path, mount] : spec.mounts) {
    const fs::path volume = mount.handle.empty() ? EmptyDirOf(pod.sandbox.uid, mount.volume)
                                                 : volumes_.DirectoryOf(mount.handle);
    const fs::path directory = mount.sub_path.empty() ? volume : volume / mount.sub_path;
    std::error_code ignored;  // a directory that is not there is named when it is mounted
    if (fs::exists(volume, ignored)) fs::create_directories(directory, ignored);
    plan.mounts.push_back({directory, path});
  }
  if (sandboxed_ && !spec.mounts.contains(kTemporary)) {
    plan.mounts.push_back({TemporaryOf(plan.pod_root), kTemporary});
  }
  return plan;
}

// ---- starting ---------------------------------------------------------------------------------

void LocalRuntime::StartPod(const PodSandbox& sandbox) {
  Pod& pod = pods_[sandbox.uid];
  pod.sandbox = sandbox;
  for (const auto* name : FindAll(sandbox.pod, ".spec.containers[*].name")) {
    const std::string container(name->as_string());
    pod.containers[container].spec.name = container;
    const std::string root = fmt::format("{}/root-{}", PodDirectory(sandbox.uid), container);
    fs::create_directories(root);
    fs::create_directory(TemporaryOf(root));
    fs::permissions(TemporaryOf(root), fs::perms::all | fs::perms::sticky_bit);
  }
  for (const std::string& volume : EmptyDirs(sandbox.pod)) {
    fs::create_directory(EmptyDirOf(sandbox.uid, volume));
    fs::permissions(EmptyDirOf(sandbox.uid, volume), fs::perms::all);
  }
  for (const auto& [name, container] : pod.containers) StartContainer(sandbox.uid, name);
}

void LocalRuntime::RestartContainer(const std::string& pod_uid, const std::string& container) {
  StartContainer(pod_uid, container);
}

void LocalRuntime::StartContainer(const std::string& pod_uid, const std::string& name) {
  Container* container = Find(pod_uid, name);
  if (!container || container->supervisor != 0) return;
  const Pod& pod = pods_.at(pod_uid);
  const int life = ++container->life;
  auto spec = ReadContainerSpec(pod.sandbox, name,
                                [this, &pod](const std::string& kind, const std::string& object) {
                                  return TextsOf(pod.sandbox.ns, kind, object);
                                });
  if (!spec) {
    timeline_.After(milliseconds(0), [this, pod_uid, name, error = spec.error()] {
      events_->OnStartFailed(pod_uid, name, "CreateContainerConfigError", error.message);
    });
    return;
  }
  container->spec = std::move(*spec);
  container->first = 0;
  container->ready = false;
  container->reported = false;
  container->ended.reset();
  container->id = fmt::format("containerd://pocket-{}-{}", pod_uid, ++last_id_);
  SandboxProcess plan = PlanOf(pod, container->spec);
  int report[2] = {-1, -1};
  if (pipe2(report, O_CLOEXEC) != 0) return;
  plan.input = open("/dev/null", O_RDONLY | O_CLOEXEC);
  plan.output =
      open(LogFile(pod_uid, name).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  plan.errors = plan.output;
  plan.report = report[1];
  container->supervisor = StartChild([&] { return RunContainer(plan, sandboxed_); },
                                     {plan.input, plan.output, plan.report});
  for (const int used : {plan.input, plan.output, plan.report}) close(used);
  ReadReport(report[0], pod_uid, name, life);
  AwaitChild(executor_, container->supervisor,
             [this, pod_uid, name, life](int code) { OnEnded(pod_uid, name, life, code); });
}

void LocalRuntime::ReadReport(int descriptor, std::string pod_uid, std::string name, int life) {
  struct Reading {
    asio::posix::stream_descriptor stream;
    std::string text;
  };
  const auto reading =
      std::make_shared<Reading>(asio::posix::stream_descriptor(executor_, descriptor), "");
  asio::async_read(reading->stream, asio::dynamic_buffer(reading->text),
                   [this, reading, pod_uid = std::move(pod_uid), name = std::move(name), life](
                       boost::system::error_code error, std::size_t) {
                     if (error == asio::error::operation_aborted) return;
                     OnReport(pod_uid, name, life, reading->text);
                   });
}

void LocalRuntime::OnReport(const std::string& pod_uid, const std::string& name, int life,
                            const std::string& report) {
  Container* container = Find(pod_uid, name);
  if (!container || container->life != life || pods_.at(pod_uid).stopped) return;
  container->reported = true;
  if (report.starts_with("pid ")) container->first = std::atoi(report.c_str() + 4);
  const auto error = report.find("error ");
  if (error != std::string::npos) {
    container->first = 0;
    events_->OnStartFailed(pod_uid, name, "RunContainerError",
                           report.substr(error + 6, report.find('\n', error) - error - 6));
    return;
  }
  events_->OnStarted(pod_uid, name, container->id);
  if (container->ended) return OnEnded(pod_uid, name, life, *container->ended);
  if (!container->spec.probe.empty()) return Probe(pod_uid, name, life);
  container->ready = true;
  events_->OnReady(pod_uid, name, true);
}

// ---- readiness --------------------------------------------------------------------------------

void LocalRuntime::Probe(const std::string& pod_uid, const std::string& name, int life) {
  Container* container = Find(pod_uid, name);
  if (!container || container->life != life || container->supervisor == 0) return;
  auto started =
      StartCommand({.pod_uid = pod_uid, .container = name, .argv = container->spec.probe},
                   [this, pod_uid, name, life](api::Result<kube::ExecEvent> event) {
                     if (event && event->type != kube::ExecEvent::Type::kExit) return;
                     OnProbed(pod_uid, name, life, event && event->exit_code == 0);
                   });
  if (started) container->probe = std::move(*started);
}

void LocalRuntime::OnProbed(const std::string& pod_uid, const std::string& name, int life,
                            bool good) {
  Container* container = Find(pod_uid, name);
  if (!container || container->life != life || container->supervisor == 0) return;
  container->failed_probes = good ? 0 : container->failed_probes + 1;
  const bool ready =
      good || (container->ready && container->failed_probes < kFailuresUntilNotReady);
  if (std::exchange(container->ready, ready) != ready) events_->OnReady(pod_uid, name, ready);
  timeline_.After(container->spec.probe_period,
                  [this, pod_uid, name, life] { Probe(pod_uid, name, life); });
}

// ---- ending -----------------------------------------------------------------------------------

void LocalRuntime::OnEnded(const std::string& pod_uid, const std::string& name, int life,
                           int exit_code) {
  Container* container = Find(pod_uid, name);
  if (!container || container->life != life) return;
  if (!container->reported && !pods_.at(pod_uid).stopped) {
    container->supervisor = 0;
    container->ended = exit_code;
    return;
  }
  const bool had_started = container->first != 0;
  container->supervisor = 0;
  container->first = 0;
  container->ready = false;
  container->probe.reset();
  if (pods_.at(pod_uid).stopped) return FinishStop(pod_uid);
  if (had_started) events_->OnEnded(pod_uid, name, container->id, exit_code);
}

void LocalRuntime::Signal(const Pod& pod, int number) const {
  for (const auto& [name, container] : pod.containers) {
    if (container.supervisor == 0) continue;
    // Without a process namespace the group is all that holds its processes together.
    kill(sandboxed_ ? container.supervisor : -container.supervisor, number);
  }
}

void LocalRuntime::StopPod(const std::string& pod_uid, milliseconds grace,
                           std::function<void()> stopped) {
  const auto pod = pods_.find(pod_uid);
  if (pod == pods_.end()) return timeline_.After(milliseconds(0), std::move(stopped));
  pod->second.stopped = std::move(stopped);
  Signal(pod->second, SIGTERM);
  timeline_.After(grace, [this, pod_uid] {
    if (const auto late = pods_.find(pod_uid); late != pods_.end()) Signal(late->second, SIGKILL);
  });
  timeline_.After(milliseconds(0), [this, pod_uid] { FinishStop(pod_uid); });
}

void LocalRuntime::FinishStop(const std::string& pod_uid) {
  const auto pod = pods_.find(pod_uid);
  if (pod == pods_.end()) return;
  const bool runs = std::ranges::any_of(
      pod->second.containers, [](const auto& entry) { return entry.second.supervisor != 0; });
  if (runs) return;
  const auto stopped = std::move(pod->second.stopped);
  pods_.erase(pod);
  std::error_code ignored;
  fs::remove_all(PodDirectory(pod_uid), ignored);
  stopped();
}

void LocalRuntime::KillAll() {
  for (const auto& [uid, pod] : pods_) Signal(pod, SIGKILL);
}

// ---- exec -------------------------------------------------------------------------------------

api::Result<std::unique_ptr<Command>> LocalRuntime::StartCommand(const CommandRequest& request,
                                                                 CommandSink sink) {
  const auto pod = pods_.find(request.pod_uid);
  if (pod == pods_.end()) return api::Error{api::Code::kNotFound, "no such pod runs here"};
  const Container* container = Find(request.pod_uid, request.container);
  if (!container || container->first == 0) {
    return api::Error{api::Code::kInvalid,
                      fmt::format("container {} does not run", request.container)};
  }
  if (request.argv.empty()) return api::Error{api::Code::kInvalid, "there is no command"};
  SandboxProcess plan = PlanOf(pod->second, container->spec);
  plan.argv = request.argv;
  auto process = StartLocalProcess(executor_, container->first, std::move(plan), sandboxed_,
                                   request.stdin_open, std::move(sink));
  return std::unique_ptr<Command>(
      std::make_unique<LocalCommand>(std::move(process), container->id));
}

}  // namespace stillpoint::sim::pocket
