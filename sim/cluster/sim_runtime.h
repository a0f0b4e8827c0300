// SimRuntime: the simulator's containers. In each runs an application that writes to the volumes it
// mounts without pause, unless it stands still: the truth of that goes into a Truth.
//
// Commands are words in the text that the shell is given, run one after the other; separators
// between them (&&, ;) do not matter, and words that are none of these neither:
//   app-freeze            stands still from now on, whatever becomes of the command
//   app-thaw              writes on
//   app-hold              held hooks: stands still, prints the marker, waits for the end of its
//                         stdin, writes on; its death lets the application go on too
//   app-print WORD        prints a line
//   app-sleep TIME        "7s", "300ms"
//   app-hang              never goes on by itself
//   app-fail CODE         ends with this code
//   app-freeze-slow TIME  = app-sleep TIME app-freeze
//   app-thaw-slow TIME    = app-sleep TIME app-thaw
//   app-freeze-hang       = app-freeze app-hang
//   app-hold-slow TIME    = app-sleep TIME app-hold
//   app-hold-early TIME   app-hold that ends with 0 by itself after TIME
//   app-hold-drop TIME    app-hold that lets the application go on after TIME and does not tell
//   app-hold-mute         app-hold that never prints the marker
//   app-hold-deaf         app-hold that does not care for the end of its stdin
// One that comes to its end ends with 0.
//
// They run in one of three forms, recognised by their argv: under the guard (hooks/guard.h), under
// the hold script (hooks/hold_script.h), or plain, that is with nothing that ends them but
// themselves and the death of the container. A fourth form, hooks/reap_script.h, has no words: it
// ends the commands that carry its key. A container that dies takes its commands along, and its
// application, which starts anew not standing still.
#pragma once

#include "sim/cluster/container_runtime.h"
#include "sim/cluster/sim_storage.h"
#include "sim/cluster/timeline.h"
#include "sim/cluster/truth.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace stillpoint::sim {

class SimCommand;

struct RuntimeKnobs {
  std::chrono::milliseconds container_start{50};
  std::chrono::milliseconds ready{100};         // from the start to the first good probe
  std::chrono::milliseconds stop{50};           // how long the application takes to end on SIGTERM
  std::chrono::milliseconds command_start{10};  // from StartCommand to the first word of the text
  std::chrono::milliseconds word{5};            // what app-freeze, app-thaw, app-hold each take
  std::chrono::milliseconds stream{2};          // from a command to the sink
  std::chrono::milliseconds guard{20};          // from the end of its stdin to the command's death
};

// Lifetime: must outlive what it has put on `timeline`, and its Commands.
class SimRuntime final : public ContainerRuntime {
 public:
  SimRuntime(Timeline& timeline, SimStorage& storage, Truth& truth, RuntimeKnobs knobs = {});
  ~SimRuntime() override;

  // Whether the application in this container comes to be ready. Asked at each start; empty: yes.
  std::function<bool(const PodSandbox&, const std::string& container)> on_start;
  // How long the application in this container may stand still until its readiness probe, which
  // writes to it, has failed too often. Asked at each start; zero, or empty: its probe only reads.
  std::function<std::chrono::milliseconds(const PodSandbox&)> on_probe;
  // How long an application ignores SIGTERM; empty: knobs.stop.
  std::function<std::chrono::milliseconds(const PodSandbox&)> on_stop;

  void Tell(ContainerEvents& events) override { events_ = &events; }
  void StartPod(const PodSandbox& sandbox) override;
  void RestartContainer(const std::string& pod_uid, const std::string& container) override;
  void StopPod(const std::string& pod_uid, std::chrono::milliseconds grace,
               std::function<void()> stopped) override;
  [[nodiscard]] api::Result<std::unique_ptr<Command>> StartCommand(const CommandRequest& request,
                                                                   CommandSink sink) override;

  // The process of the container dies, as by the OOM killer. False: it does not run.
  bool Kill(const std::string& pod_uid, const std::string& container, int exit_code = 137);
  // Every command in it, and not the container.
  void KillCommands(const std::string& pod_uid, const std::string& container);
  // All at once, as when the node loses power. The kubelet is not told.
  void KillAll();
  // What the readiness probe says from now on.
  bool SetReady(const std::string& pod_uid, const std::string& container, bool ready);

  [[nodiscard]] bool IsStill(const std::string& pod_uid, const std::string& container) const;
  // Commands that run now.
  [[nodiscard]] std::size_t commands() const { return commands_.size(); }

 private:
  friend class SimCommand;

  struct Container {
    std::string id;  // of the current or last life
    bool running = false;
    std::size_t life = 0;                // index in Truth
    std::optional<std::size_t> still;    // index in Truth; absent: it writes
    bool frozen = false;                 // by app-freeze
    std::chrono::milliseconds probe{0};  // as on_probe says
    std::set<std::uint64_t> holders;     // by app-hold
    std::set<std::string> volumes;       // handles
  };
  struct Pod {
    PodSandbox sandbox;
    std::map<std::string, Container> containers;
    bool stopping = false;
    std::vector<std::function<void()>> when_stopped;
  };

  [[nodiscard]] Container* Find(const std::string& pod_uid, const std::string& container);
  void Begin(const std::string& pod_uid, const std::string& container);
  [[nodiscard]] std::vector<std::shared_ptr<SimCommand>> CommandsIn(
      const Container& container) const;
  // What a hook with this key has running there.
  [[nodiscard]] std::vector<std::shared_ptr<SimCommand>> HooksWith(
      const std::string& key, const std::string& container_id) const;
  void End(Pod& pod, const std::string& container, int exit_code);
  void Finish(const std::string& pod_uid);
  void Freeze(Container& container, std::uint64_t command, bool held);
  void Thaw(Container& container);
  void Release(Container& container, std::uint64_t command);
  // After a change of `frozen` or `holders`.
  void Settle(Container& container);
  // After a change of `still`: what the probe comes to say of it.
  void Probe(const Container& container);
  [[nodiscard]] Instant Now() { return truth_.Next(timeline_.Now()); }

  Timeline& timeline_;
  SimStorage& storage_;
  Truth& truth_;
  const RuntimeKnobs knobs_;
  ContainerEvents* events_ = nullptr;
  std::map<std::string, Pod> pods_;  // by UID
  std::map<std::uint64_t, std::shared_ptr<SimCommand>> commands_;
  std::uint64_t last_container_ = 0;
  int boot_ = 0;  // what was begun before the node lost its power goes no further
};

}  // namespace stillpoint::sim
