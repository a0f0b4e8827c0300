#include "cmd/pocket_command.h"

#include "kube/clock.h"
#include "sim/pocket/child_process.h"
#include "sim/pocket/pocket.h"

#include <fmt/format.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string_view>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace stillpoint::cmd {

namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace pocket = sim::pocket;

namespace {

constexpr char kExamples[] =
    "Pods are processes of this machine (what it has installed is their image: a container needs\n"
    "a command), volumes are directories, snapshots are copies. Nothing of it survives the end.\n\n"
    "Example:\n"
    "  stillpoint pocket --kubeconfig pocket.kubeconfig --with-controller &\n"
    "  kubectl --kubeconfig pocket.kubeconfig apply -f examples/pocket/ledger.yaml\n";

void Log(kube::Severity severity, std::string_view message) {
  if (severity == kube::Severity::kInfo) return;
  std::fprintf(stderr, "pocket: %.*s\n", static_cast<int>(message.size()), message.data());
}

std::string MakeDirectory(const std::string& wanted) {
  if (!wanted.empty()) {
    fs::create_directories(wanted);
    return fs::canonical(wanted);
  }
  std::string path = fs::temp_directory_path() / "stillpoint-pocket-XXXXXX";
  if (!mkdtemp(path.data())) throw std::runtime_error("cannot make a temporary directory");
  return path;
}

constexpr char kMarker[] = ".stillpoint-pocket";
constexpr std::array kParts = {"volumes", "snapshots", "pods"};

// Takes the directory for this process, until it ends. Throws when it holds things of somebody's
// own, or belongs to a cluster that runs.
void Claim(const std::string& directory) {
  const fs::path marker = fs::path(directory) / kMarker;
  for (const char* part : kParts) {
    if (fs::exists(fs::path(directory) / part) && !fs::exists(marker)) {
      throw std::runtime_error(
          fmt::format("--directory: {}/{} is not of a pocket cluster: name an empty directory",
                      directory, part));
    }
  }
  const int file = open(marker.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) throw std::runtime_error(fmt::format("cannot write {}", marker.string()));
  if (flock(file, LOCK_EX | LOCK_NB) != 0) {
    throw std::runtime_error(fmt::format("--directory: a cluster runs in {} already", directory));
  }
}

// A kubeconfig with other clusters in it is not written over.
void CheckKubeconfig(const std::string& path) {
  std::ifstream file(path);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  if (text.empty() ||
      text.find(fmt::format("current-context: {}", pocket::kContextName)) != text.npos)
    return;
  throw std::runtime_error(
      fmt::format("--kubeconfig: {} exists and is of another cluster: name a new file", path));
}

// A directory that somebody named may hold things of his own.
void CleanUp(const std::string& directory, bool temporary) {
  std::error_code ignored;
  if (temporary) fs::remove_all(directory, ignored);
  for (const char* part : kParts) fs::remove_all(fs::path(directory) / part, ignored);
}

// This program again, as a user would start it.
int ExecuteController(const std::string& kubeconfig, const std::string& log_file) {
  const int log = open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  dup2(log, 2);
  execl("/proc/self/exe", "stillpoint", "controller", "--kubeconfig", kubeconfig.c_str(),
        "--metrics-address=0", "--health-address=0", static_cast<char*>(nullptr));
  return 127;
}

void Welcome(const pocket::Pocket& cluster, const PocketFlags& flags,
             const std::string& directory) {
  std::printf("A cluster at %s; its files are in %s%s.\n", cluster.url().c_str(), directory.c_str(),
              flags.keep ? "" : " until it ends");
  if (!cluster.sandboxed()) {
    std::printf(
        "This kernel makes no namespaces for users: containers find their volumes below "
        "$POD_ROOT, not at their mount paths.\n");
  }
  if (flags.with_controller) {
    std::printf("The controller runs too; its log is %s/controller.log.\n", directory.c_str());
  }
  std::printf("\n  export KUBECONFIG=%s\n  kubectl get pods -A\n\nCtrl-C ends it.\n",
              flags.kubeconfig.c_str());
  std::fflush(stdout);
}

asio::awaitable<void> RunUntilSignal(pocket::Pocket& cluster, asio::io_context& io) {
  asio::signal_set signals(io, SIGTERM, SIGINT);
  co_await signals.async_wait(asio::use_awaitable);
  co_await cluster.Stop();
  io.stop();
}

int Run(const PocketFlags& flags, const std::string& directory) {
  const auto clock = kube::MakeSystemClock();
  asio::io_context io(1);
  pocket::Pocket cluster(
      io.get_executor(), *clock, &Log,
      {.directory = directory, .kubeconfig = flags.kubeconfig, .port = flags.port});
  if (const auto started = cluster.Start(); !started) {
    Log(kube::Severity::kError, started.error().message);
    return 2;
  }
  Welcome(cluster, flags, directory);
  if (flags.with_controller) {
    const pid_t controller = pocket::StartChild(
        [&] { return ExecuteController(flags.kubeconfig, directory + "/controller.log"); }, {});
    pocket::AwaitChild(io.get_executor(), controller, [](int code) {
      Log(kube::Severity::kError, "the controller has ended: " + std::to_string(code));
    });
  }
  std::exception_ptr failure;
  asio::co_spawn(io, RunUntilSignal(cluster, io), [&](std::exception_ptr error) {
    failure = error;
    io.stop();
  });
  io.run();
  if (failure) std::rethrow_exception(failure);
  return 0;
}

}  // namespace

void AddPocketFlags(CLI::App& command, PocketFlags& flags) {
  command.footer(kExamples);
  command.add_option("--directory", flags.directory,
                     "Where volumes, snapshots and logs are; else a temporary one");
  command.add_option("--kubeconfig", flags.kubeconfig,
                     "Where to write the kubeconfig; else DIRECTORY/kubeconfig");
  command.add_option("--port", flags.port, "On 127.0.0.1; 0: a free one")->capture_default_str();
  command.add_flag("--with-controller", flags.with_controller, "Run the controller too");
  command.add_flag("--keep", flags.keep, "Leave volumes and snapshots behind");
}

int RunPocket(const PocketFlags& flags) {
  try {
    PocketFlags complete = flags;
    if (!flags.kubeconfig.empty()) CheckKubeconfig(flags.kubeconfig);
    const std::string directory = MakeDirectory(flags.directory);
    if (flags.kubeconfig.empty()) {
      complete.kubeconfig = directory + "/kubeconfig";
      CheckKubeconfig(complete.kubeconfig);
    }
    Claim(directory);
    CleanUp(directory, false);
    const int code = Run(complete, directory);
    if (!flags.keep) CleanUp(directory, flags.directory.empty());
    return code;
  } catch (const std::exception& failure) {
    Log(kube::Severity::kError, failure.what());
    return 2;
  }
}

}  // namespace stillpoint::cmd
