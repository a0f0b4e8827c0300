// Sandbox: a container as Linux processes without a runtime: what the machine has is its image, and
// its volumes stand at their mount paths in a mount namespace of its own. Works for a user without
// rights too, where the kernel lets users make namespaces.
//
// Where it does not, a process sees its volumes below $POD_ROOT, which is otherwise empty:
// "$POD_ROOT/var/lib/mysql".
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace stillpoint::sim::pocket {

struct SandboxMount {
  std::string directory;  // of the volume
  std::string path;       // in the container, absolute
};

struct SandboxProcess {
  std::vector<std::string> argv;
  std::vector<std::string> environment;  // "KEY=value"
  std::string working_directory;         // empty: the root
  std::string pod_root;                  // an empty directory of the pod's own
  std::vector<SandboxMount> mounts;
  // The three are the child's 0, 1 and 2.
  int input = -1;
  int output = -1;
  int errors = -1;
  // Told "pid N\n" of the first process, then "error TEXT\n" if it cannot be started; closed when
  // it runs.
  int report = -1;
};

// Can this process make namespaces? Tried once, in a child.
[[nodiscard]] bool CanSandbox();

// Both run in a child made by StartChild() and return its exit code once the process has ended.
// SIGTERM goes on to the process; with the child die all its processes.
[[nodiscard]] int RunContainer(const SandboxProcess& process, bool sandboxed);

// Beside the process `first` of a container that runs.
[[nodiscard]] int RunBeside(pid_t first, const SandboxProcess& process, bool sandboxed);

}  // namespace stillpoint::sim::pocket
