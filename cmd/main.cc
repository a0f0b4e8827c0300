// The program `stillpoint`: subcommands and nothing else.
#include "api/crds.h"
#include "cmd/controller_command.h"
#include "cmd/pocket_command.h"

#include <CLI/CLI.hpp>

#include <cstdio>

namespace {

constexpr int kUsage = 2;

constexpr char kExamples[] =
    "Examples:\n"
    "  stillpoint controller --kubeconfig ~/.kube/config   run the controller on this machine\n"
    "  stillpoint pocket --with-controller                 a cluster to try it on, in one process\n"
    "  stillpoint crds | kubectl apply -f -                install the kinds alone\n";

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Application-consistent backups of Kubernetes volumes, and their return."};
  app.footer(kExamples);
  app.require_subcommand(1);
  app.set_version_flag("--version", STILLPOINT_VERSION);

  stillpoint::cmd::ControllerFlags flags;
  CLI::App* controller = app.add_subcommand("controller", "Run the controller");
  stillpoint::cmd::AddControllerFlags(*controller, flags);
  stillpoint::cmd::PocketFlags pocket_flags;
  CLI::App* pocket = app.add_subcommand("pocket", "Run a small cluster on this machine");
  stillpoint::cmd::AddPocketFlags(*pocket, pocket_flags);
  const CLI::App* crds = app.add_subcommand("crds", "Print the CustomResourceDefinitions as YAML");
  const CLI::App* version = app.add_subcommand("version", "Print the version");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // 2 is what usage errors exit with everywhere; CLI11 has codes of its own.
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  if (*crds) {
    std::fputs(stillpoint::api::CrdsYaml().c_str(), stdout);
    return 0;
  }
  if (*version) {
    std::puts(STILLPOINT_VERSION);
    return 0;
  }
  if (*pocket) return stillpoint::cmd::RunPocket(pocket_flags);
  return stillpoint::cmd::RunController(flags);
}
