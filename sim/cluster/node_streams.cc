#include "sim/cluster/node_streams.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace stillpoint::sim {

struct NodeStreams::Line {
  std::unique_ptr<Command> command;
  CommandSink sink;  // empty: nobody listens
  bool cut = false;
};

class NodeStreams::Stream final : public Command {
 public:
  explicit Stream(std::shared_ptr<Line> line)
      : line_(std::move(line)), container_id_(line_->command->container_id()) {}
  ~Stream() override {
    line_->sink = nullptr;
    if (!line_->cut) line_->command.reset();
  }

  void WriteStdin(std::string_view data) override {
    if (!line_->cut) line_->command->WriteStdin(data);
  }
  void CloseStdin() override {
    if (!line_->cut) line_->command->CloseStdin();
  }
  [[nodiscard]] const std::string& container_id() const override { return container_id_; }

 private:
  const std::shared_ptr<Line> line_;
  const std::string container_id_;
};

api::Result<std::unique_ptr<Command>> NodeStreams::Open(ContainerRuntime& runtime,
                                                        const CommandRequest& request,
                                                        CommandSink sink) {
  std::erase_if(lines_, [](const auto& line) { return line->command == nullptr; });
  auto line = std::make_shared<Line>();
  line->sink = std::move(sink);
  auto command = runtime.StartCommand(
      request, [weak = std::weak_ptr(line)](api::Result<kube::ExecEvent> event) {
        const auto to = weak.lock();
        if (!to || to->cut || !to->sink) return;
        const CommandSink listener = to->sink;  // which may drop the stream in answer
        listener(std::move(event));
      });
  if (!command) return command.error();
  line->command = std::move(*command);
  lines_.push_back(line);
  return std::make_unique<Stream>(std::move(line));
}

void NodeStreams::Cut() {
  for (const auto& line : lines_) {
    if (line->cut || !line->command) continue;
    line->cut = true;
    timeline_.After(std::chrono::milliseconds(0), [line] {
      if (!line->sink) return;
      std::exchange(line->sink, nullptr)(
          api::Error{api::Code::kUnavailable, "the connection to the node was lost"});
    });
  }
}

void NodeStreams::Heal() {
  for (const auto& line : lines_) {
    if (line->cut) line->command.reset();
  }
}

}  // namespace stillpoint::sim
