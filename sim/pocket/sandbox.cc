#include "sim/pocket/sandbox.h"

#include "sim/pocket/child_process.h"
#include "sim/pocket/mount_tree.h"

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <filesystem>
#include <functional>
#include <initializer_list>

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace stillpoint::sim::pocket {

namespace fs = std::filesystem;

namespace {

// As execve(2) failing and as nothing to execute, in the words of a shell.
constexpr int kCannotExecute = 126;
constexpr int kNotFound = 127;

pid_t forward_to = 0;

void Forward(int number) {
  kill(forward_to, number);
}

bool WriteFile(const char* path, const std::string& text) {
  const int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return false;
  const bool good = write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  close(file);
  return good;
}

// Without root, a user namespace gives the right to make the others. The user stays the same in it.
bool MakeNamespaces() {
  const uid_t user = geteuid();
  const gid_t group = getegid();
  if (user == 0) return unshare(CLONE_NEWNS | CLONE_NEWPID) == 0;
  return unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID) == 0 &&
         WriteFile("/proc/self/setgroups", "deny") &&
         WriteFile("/proc/self/uid_map", fmt::format("{0} {0} 1", user)) &&
         WriteFile("/proc/self/gid_map", fmt::format("{0} {0} 1", group));
}

void Say(int report, const std::string& line) {
  [[maybe_unused]] const auto written = write(report, line.data(), line.size());
}

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

void UseDescriptors(const SandboxProcess& process) {
  dup2(process.input, 0);
  dup2(process.output, 1);
  dup2(process.errors, 2);
  for (const int used : {process.input, process.output, process.errors}) {
    if (used > 2) close(used);
  }
}

int Execute(const SandboxProcess& process) {
  const std::string directory = process.working_directory.empty() ? "/" : process.working_directory;
  if (chdir(directory.c_str()) != 0) {
    Say(process.report, fmt::format("error chdir {}: {}\n", directory, std::strerror(errno)));
    return kCannotExecute;
  }
  fcntl(process.report, F_SETFD, FD_CLOEXEC);
  const auto argv = Pointers(process.argv);
  const auto environment = Pointers(process.environment);
  execvpe(argv[0], argv.data(), environment.data());
  const int why = errno;
  Say(process.report,
      fmt::format("error exec: \"{}\": {}\n", process.argv[0],
                  why == ENOENT ? "executable file not found in $PATH" : std::strerror(why)));
  return why == ENOENT ? kNotFound : kCannotExecute;
}

// What root may do to the machine's own file systems it may not do from here, where most of them
// can be seen: to freeze one would be to freeze the machine.
void GiveUpAdministration() {
  prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN, 0, 0, 0);
}

// Starts `body` as the first process of the namespaces that were made or entered, and waits for it.
int Supervise(const SandboxProcess& process, const std::function<int()>& body) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // again: a change of user namespace may have cleared it
  const pid_t child = fork();
  if (child < 0) {
    Say(process.report, fmt::format("error fork: {}\n", std::strerror(errno)));
    return kCannotExecute;
  }
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    UseDescriptors(process);
    _exit(body());
  }
  forward_to = child;
  signal(SIGTERM, Forward);
  signal(SIGINT, Forward);
  Say(process.report, fmt::format("pid {}\n", child));
  for (const int used : {process.report, process.input, process.output, process.errors}) {
    if (used > 2) close(used);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return ExitCodeOf(status);
}

int EnterAndExecute(const SandboxProcess& process) {
  try {
    BuildMountTree(process.pod_root, process.mounts);
  } catch (const std::exception& failure) {
    Say(process.report, fmt::format("error {}\n", failure.what()));
    return kCannotExecute;
  }
  // A /proc of its own; where the machine's is partly hidden the kernel refuses one, and the
  // machine's stays.
  mount("proc", (process.pod_root + "/proc").c_str(), "proc", 0, nullptr);
  if (chdir(process.pod_root.c_str()) != 0 || chroot(".") != 0) {
    Say(process.report, fmt::format("error chroot: {}\n", std::strerror(errno)));
    return kCannotExecute;
  }
  GiveUpAdministration();
  return Execute(process);
}

// Without namespaces: the volumes as links below the pod's root.
SandboxProcess InPlainSight(SandboxProcess process) {
  for (const SandboxMount& mount : process.mounts) {
    const fs::path link = process.pod_root + mount.path;
    std::error_code ignored;
    fs::create_directories(link.parent_path(), ignored);
    fs::create_directory_symlink(mount.directory, link, ignored);
  }
  process.environment.push_back("POD_ROOT=" + process.pod_root);
  if (process.working_directory.empty()) process.working_directory = process.pod_root;
  return process;
}

bool Join(pid_t first, const char* name, int kind) {
  const int space = open(fmt::format("/proc/{}/ns/{}", first, name).c_str(), O_RDONLY | O_CLOEXEC);
  const bool joined = space >= 0 && setns(space, kind) == 0;
  close(space);
  return joined;
}

}  // namespace

bool CanSandbox() {
  const pid_t child = StartChild([] { return MakeNamespaces() ? 0 : 1; }, {});
  int status = 1;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return child > 0 && ExitCodeOf(status) == 0;
}

int RunContainer(const SandboxProcess& process, bool sandboxed) {
  if (!sandboxed) {
    const SandboxProcess plain = InPlainSight(process);
    return Supervise(plain, [&plain] { return Execute(plain); });
  }
  if (!MakeNamespaces()) {
    Say(process.report, fmt::format("error namespaces: {}\n", std::strerror(errno)));
    return kCannotExecute;
  }
  return Supervise(process, [&process] { return EnterAndExecute(process); });
}

int RunBeside(pid_t first, const SandboxProcess& process, bool sandboxed) {
  if (!sandboxed) {
    const SandboxProcess plain = InPlainSight(process);
    return Supervise(plain, [&plain] { return Execute(plain); });
  }
  const int root = open(fmt::format("/proc/{}/root", first).c_str(), O_PATH | O_DIRECTORY);
  const int space = open(fmt::format("/proc/{}/ns/mnt", first).c_str(), O_RDONLY | O_CLOEXEC);
  const int processes = open(fmt::format("/proc/{}/ns/pid", first).c_str(), O_RDONLY | O_CLOEXEC);
  const bool joined = root >= 0 && (geteuid() == 0 || Join(first, "user", CLONE_NEWUSER)) &&
                      setns(processes, CLONE_NEWPID) == 0 && setns(space, CLONE_NEWNS) == 0;
  if (!joined) {
    Say(process.report, fmt::format("error the container is gone: {}\n", std::strerror(errno)));
    return kCannotExecute;
  }
  return Supervise(process, [&process, root] {
    if (fchdir(root) != 0 || chroot(".") != 0) return kCannotExecute;
    close(root);
    GiveUpAdministration();
    return Execute(process);
  });
}

}  // namespace stillpoint::sim::pocket
