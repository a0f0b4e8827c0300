// NodeStreams: the exec streams that run through the kubelet. While nobody reaches the node they
// are dead for the client, and the commands do not notice.
#pragma once

#include "sim/cluster/container_runtime.h"
#include "sim/cluster/timeline.h"

#include <memory>
#include <vector>

namespace stillpoint::sim {

// Lifetime: its streams may outlive it.
class NodeStreams {
 public:
  explicit NodeStreams(Timeline& timeline) : timeline_(timeline) {}

  // What StartCommand gave, with the sink that it was given.
  [[nodiscard]] api::Result<std::unique_ptr<Command>> Open(ContainerRuntime& runtime,
                                                           const CommandRequest& request,
                                                           CommandSink sink);

  // Every stream fails for its client; what its client does with it does not reach the command.
  void Cut();

  // The commands read the end of the streams that were cut.
  void Heal();

 private:
  class Stream;
  struct Line;  // between a client and its command

  Timeline& timeline_;
  std::vector<std::shared_ptr<Line>> lines_;
};

}  // namespace stillpoint::sim
