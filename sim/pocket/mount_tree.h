// A root directory with volumes at their mount paths, made of this machine's own.
#pragma once

#include "sim/pocket/sandbox.h"

#include <string>
#include <vector>

namespace stillpoint::sim::pocket {

// Makes `root` show what "/" shows, but each mount at its path; directories on the way to a path
// are made in memory, so that the machine's own are never written to. Inside a mount namespace of
// its own. Throws std::filesystem::filesystem_error.
void BuildMountTree(const std::string& root, const std::vector<SandboxMount>& mounts);

}  // namespace stillpoint::sim::pocket
