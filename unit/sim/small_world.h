// SmallWorld: a world with one pod whose container obeys one command, and whatever program a test
// lets live in it.
#pragma once

#include "sim/cluster/api_server.h"
#include "sim/cluster/container_runtime.h"
#include "sim/world/process.h"
#include "sim/world/world.h"

#include <boost/asio/awaitable.hpp>
#include <boost/json/parse.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace stillpoint::sim {

// Every command prints "frozen" after 5 ms and ends with 0 5 ms after the end of its stdin.
class SmallRuntime final : public ContainerRuntime {
 public:
  explicit SmallRuntime(World& world) : world_(world) {}

  void Tell(ContainerEvents&) override {}
  void StartPod(const PodSandbox&) override {}
  void RestartContainer(const std::string&, const std::string&) override {}
  void StopPod(const std::string&, std::chrono::milliseconds,
               std::function<void()> stopped) override {
    stopped();
  }

  [[nodiscard]] api::Result<std::unique_ptr<sim::Command>> StartCommand(const CommandRequest&,
                                                                        CommandSink sink) override {
    ++started;
    return std::make_unique<Running>(*this, std::move(sink));
  }

  int started = 0;
  int ended = 0;  // stdins

 private:
  class Running final : public sim::Command {
   public:
    Running(SmallRuntime& runtime, CommandSink sink)
        : runtime_(runtime), sink_(std::make_shared<CommandSink>(std::move(sink))) {
      Say({.type = kube::ExecEvent::Type::kStdout, .data = "frozen"});
    }
    ~Running() override { CloseStdin(); }
    void WriteStdin(std::string_view) override {}
    void CloseStdin() override {
      if (std::exchange(closed_, true)) return;
      ++runtime_.ended;
      Say({.type = kube::ExecEvent::Type::kExit});
    }
    const std::string& container_id() const override { return id_; }

   private:
    void Say(kube::ExecEvent event) {
      runtime_.world_.After(std::chrono::milliseconds(5),
                            [weak = std::weak_ptr(sink_), event = std::move(event)] {
                              if (const auto sink = weak.lock()) (*sink)(event);
                            });
    }
    SmallRuntime& runtime_;
    const std::shared_ptr<CommandSink> sink_;
    bool closed_ = false;
    const std::string id_ = "containerd://1";
  };

  World& world_;
};

inline constexpr api::Resource kThings{"example.com", "v1", "Thing", "things"};
inline constexpr api::Resource kPodKind{"", "v1", "Pod", "pods"};

// The coroutine of a test's program. `note` writes down what it has seen.
using Note = std::function<void(std::string)>;
using Body = boost::asio::awaitable<void> (*)(Surroundings around, Note note);

class SmallWorld {
 public:
  explicit SmallWorld(WorldOptions options = {}) : world(options) {
    server.objects().Put(kPodKind, boost::json::parse(kPod).as_object());
  }

  // Starts a life; when it is killed another one follows a second later.
  void Start(Body body, ProcessOptions options = {}) {
    process = std::make_unique<Process>(
        world, network, options,
        [this, body](const Surroundings& around) {
          return std::make_unique<Running>(around, body,
                                           [this](std::string word) { notes.push_back(word); });
        },
        [this, body, options](Process::End end) {
          ends.push_back(end);
          if (end != Process::End::kKilled || !restarts) return;
          world.After(std::chrono::seconds(1), [this, body, options] { Start(body, options); });
        });
  }

  [[nodiscard]] std::string StateOf(const std::string& thing) const {
    const auto object = server.objects().Peek(kThings, {"shop", thing});
    if (!object) return "absent";
    const auto* status = object->if_contains("status");
    return status ? std::string(status->at("state").as_string()) : "new";
  }

  World world;
  ApiServer server{[this] { return world.Now(); }};
  SmallRuntime runtime{world};
  // What a dead life has sent lands before the next one begins.
  Network network{world,
                  server,
                  runtime,
                  {.zombie = {std::chrono::milliseconds(1), std::chrono::milliseconds(500)}}};
  bool restarts = true;
  std::vector<std::string> notes;
  std::vector<Process::End> ends;
  std::unique_ptr<Process> process;

 private:
  class Running final : public Program {
   public:
    Running(Surroundings around, Body body, Note note)
        : around_(std::move(around)), body_(body), note_(std::move(note)) {}
    boost::asio::awaitable<void> Run() override { return body_(around_, note_); }
    void RequestStop() override {}

   private:
    const Surroundings around_;
    const Body body_;
    const Note note_;
  };

  static constexpr char kPod[] = R"({"metadata": {"name": "db-0", "namespace": "shop",
      "uid": "pod-uid"}, "spec": {"containers": [{"name": "db"}]}, "status": {"phase": "Running",
      "containerStatuses": [{"name": "db", "containerID": "containerd://1",
      "state": {"running": {}}}]}})";
};

// ---- what programs ask ----

inline kube::Request Ask(kube::Verb verb, const std::string& body = "{}",
                         const std::string& subresource = "") {
  kube::Request request;
  request.verb = verb;
  request.resource = kThings;
  request.ns = "shop";
  request.name = verb == kube::Verb::kCreate || verb == kube::Verb::kList ? "" : "a";
  request.subresource = subresource;
  if (verb != kube::Verb::kGet && verb != kube::Verb::kList) {
    request.body = boost::json::parse(body);
  }
  return request;
}

inline kube::Request AskState(const std::string& state) {
  return Ask(kube::Verb::kMergePatch, R"({"status":{"state":")" + state + R"("}})", "status");
}

inline kube::ExecRequest AskExec() {
  return {.ns = "shop",
          .pod = "db-0",
          .pod_uid = "pod-uid",
          .container = "db",
          .command = {"freeze"},
          .stdin_open = true};
}

}  // namespace stillpoint::sim
