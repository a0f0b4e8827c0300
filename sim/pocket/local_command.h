// LocalCommand: a process beside those of a container, at the end of an exec stream.
#pragma once

#include "sim/cluster/container_runtime.h"
#include "sim/pocket/sandbox.h"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace stillpoint::sim::pocket {

// A process that runs on when its stream is lost: shared by the stream and the loop.
class LocalProcess;

class LocalCommand final : public Command {
 public:
  LocalCommand(std::shared_ptr<LocalProcess> process, std::string container_id);
  ~LocalCommand() override;

  void WriteStdin(std::string_view data) override;
  void CloseStdin() override;
  [[nodiscard]] const std::string& container_id() const override { return container_id_; }

 private:
  const std::shared_ptr<LocalProcess> process_;
  const std::string container_id_;
};

// Starts `plan` (whose descriptors are made here) beside `first`. A command that cannot be started
// says so through `sink`. Without `input` it reads an empty stdin.
[[nodiscard]] std::shared_ptr<LocalProcess> StartLocalProcess(
    const boost::asio::any_io_executor& executor, pid_t first, SandboxProcess plan, bool sandboxed,
    bool input, CommandSink sink);

}  // namespace stillpoint::sim::pocket
