// ClusterFixture: a SimCluster in virtual time with a namespace "shop", a storage class of each
// binding mode and a snapshot class, for the tests of the parts of the model cluster.
#pragma once

#include "api/core.h"
#include "api/snapshot.h"
#include "api/storage.h"
#include "hooks/begin_request.h"
#include "sim/cluster/api_server.h"
#include "sim/cluster/fields.h"
#include "sim/cluster/sim_cluster.h"
#include "sim/cluster/timeline.h"

#include <gtest/gtest.h>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace stillpoint::sim {

// What is due runs in the order of its instants, and what is due at one instant in that in which it
// was given.
class TestTimeline final : public Timeline {
 public:
  [[nodiscard]] api::Time Now() const override { return now_; }
  void After(std::chrono::milliseconds delay, std::function<void()> action) override {
    actions_.emplace(std::pair(now_ + delay, ++last_), std::move(action));
  }

  void RunFor(std::chrono::milliseconds time) {
    RunUntil([] { return false; }, time);
  }
  // False: `done` was not true within `limit`.
  bool RunUntil(const std::function<bool()>& done, std::chrono::milliseconds limit) {
    const api::Time end = now_ + limit;
    while (!done()) {
      if (actions_.empty() || actions_.begin()->first.first > end) {
        now_ = end;
        return done();
      }
      now_ = actions_.begin()->first.first;
      const auto action = std::move(actions_.extract(actions_.begin()).mapped());
      action();
    }
    return true;
  }

 private:
  api::Time now_{std::chrono::sys_days(std::chrono::January / 1 / 2026)};
  std::uint64_t last_ = 0;
  std::map<std::pair<api::Time, std::uint64_t>, std::function<void()>> actions_;
};

// What an exec gave: its lines, then its end.
struct Transcript {
  std::string output;
  std::optional<int> exit_code;
  std::optional<api::Code> error;
};

class ClusterFixture : public testing::Test {
 protected:
  static constexpr auto kLimit = std::chrono::minutes(10);

  explicit ClusterFixture(const ClusterKnobs& knobs = {})
      : cluster_(std::make_unique<SimCluster>(api_, time_, knobs)) {
    Put(api::StorageClass::kResource, R"({"metadata":{"name":"fast"},"reclaimPolicy":"Delete",
        "provisioner":"csi.stillpoint.test","volumeBindingMode":"Immediate"})");
    Put(api::StorageClass::kResource, R"({"metadata":{"name":"late"},
        "provisioner":"csi.stillpoint.test","volumeBindingMode":"WaitForFirstConsumer"})");
    Put(api::VolumeSnapshotClass::kResource, R"({"metadata":{"name":"snap"},
        "driver":"csi.stillpoint.test","deletionPolicy":"Delete"})");
    time_.RunFor(std::chrono::seconds(1));
  }

  void Put(const api::Resource& resource, const std::string& text) {
    api_.objects().Put(resource, boost::json::parse(text).as_object());
  }

  // A member of an object in "shop", or of one without a namespace; empty: no such object.
  [[nodiscard]] std::string Get(const api::Resource& resource, const std::string& name, Path path) {
    const auto object = Find(resource, name);
    if (!object) return "";
    const auto* value = At(*object, path);
    if (value == nullptr) return "";
    return value->is_string() ? std::string(value->get_string()) : boost::json::serialize(*value);
  }
  [[nodiscard]] StoredObject Find(const api::Resource& resource, const std::string& name) {
    return api_.objects().Peek(resource, {resource.namespaced ? "shop" : "", name});
  }
  void Delete(const api::Resource& resource, const std::string& name) {
    const auto object = Find(resource, name);
    if (object) cluster_->store().Delete(resource, KeyOf(*object), UidOf(*object));
  }
  void Edit(const api::Resource& resource, const std::string& name,
            const std::function<void(boost::json::object&)>& change) {
    api_.objects().Edit(resource, {resource.namespaced ? "shop" : "", name}, change);
  }
  [[nodiscard]] bool Until(const std::function<bool()>& done) {
    return time_.RunUntil(done, kLimit);
  }

  void AddSnapshot(const std::string& name, const std::string& claim,
                   const std::string& snapshot_class = "snap") {
    Put(api::VolumeSnapshot::kResource,
        R"({"metadata":{"name":")" + name + R"(","namespace":"shop"},"spec":{"source":
        {"persistentVolumeClaimName":")" +
            claim + R"("},"volumeSnapshotClassName":")" + snapshot_class + "\"}}");
  }
  void AddClaim(const std::string& name, const std::string& storage_class,
                const std::string& snapshot = "") {
    std::string source;
    if (!snapshot.empty()) {
      source = R"(,"dataSource":{"apiGroup":"snapshot.storage.k8s.io","kind":"VolumeSnapshot",
          "name":")" +
               snapshot + "\"}";
    }
    Put(api::PersistentVolumeClaim::kResource, R"({"metadata":{"name":")" + name +
                                                   R"(","namespace":"shop"},"spec":{"accessModes":
        ["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}},"storageClassName":")" +
                                                   storage_class + "\"" + source + "}}");
  }
  void AddPod(const std::string& name, const std::string& claim) {
    Put(api::Pod::kResource, R"({"metadata":{"name":")" + name +
                                 R"(","namespace":"shop"},"spec":{"containers":
        [{"name":"db"}],"volumes":[{"name":"data","persistentVolumeClaim":{"claimName":")" +
                                 claim + R"("}}]}})");
  }
  [[nodiscard]] bool IsReady(const std::string& pod) {
    const auto object = Find(api::Pod::kResource, pod);
    return object && ConditionStatus(*object, "Ready") == "True";
  }
  [[nodiscard]] std::string UidOfPod(const std::string& pod) {
    return Get(api::Pod::kResource, pod, {"metadata", "uid"});
  }

  // Runs argv in container db of the pod; a script of hooks/ is told to begin.
  [[nodiscard]] std::unique_ptr<Command> Exec(const std::string& pod,
                                              const std::vector<std::string>& argv,
                                              Transcript& transcript) {
    constexpr std::size_t kScriptArguments = 8;
    auto command = Start(pod, argv, transcript);
    if (command && argv.size() == kScriptArguments) command->WriteStdin(hooks::kBeginRequest);
    return command;
  }
  // The same, and nothing is written to its stdin.
  [[nodiscard]] std::unique_ptr<Command> Start(const std::string& pod,
                                               const std::vector<std::string>& argv,
                                               Transcript& transcript) {
    auto command = cluster_->kubelet().StartCommand(
        {.pod_uid = UidOfPod(pod), .container = "db", .argv = argv, .stdin_open = true},
        [&transcript](api::Result<kube::ExecEvent> event) {
          if (!event) {
            transcript.error = event.error().code;
          } else if (event->type == kube::ExecEvent::Type::kExit) {
            transcript.exit_code = event->exit_code;
          } else {
            transcript.output += event->data;
          }
        });
    if (!command) {
      transcript.error = command.error().code;
      return nullptr;
    }
    return std::move(*command);
  }

  TestTimeline time_;
  ApiServer api_{[this] { return time_.Now(); }};
  std::unique_ptr<SimCluster> cluster_;
};

}  // namespace stillpoint::sim
