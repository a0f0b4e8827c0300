// `stillpoint pocket`: a cluster in one process, to try things on.
#pragma once

#include <CLI/App.hpp>

#include <cstdint>
#include <string>

namespace stillpoint::cmd {

struct PocketFlags {
  std::string directory;   // empty: a temporary one
  std::string kubeconfig;  // empty: in the directory
  std::uint16_t port = 0;
  bool with_controller = false;
  bool keep = false;
};

void AddPocketFlags(CLI::App& command, PocketFlags& flags);

// Returns the exit code: 0 after SIGTERM or SIGINT, 2 when it cannot start.
int RunPocket(const PocketFlags& flags);

}  // namespace stillpoint::cmd
