// StillApp: an application of shells that can stand still, and keeps its own record of when it did.
//
// A Deployment whose pods all mount the same claims. Each pod appends a numbered line to a file of
// its own in every claim, every 20 ms, unless /ctl/frozen exists. The pre-hook makes that file and
// waits until the writer has said that it stopped; the post-hook removes it. Both are idempotent.
// Every change is noted in /ctl/log with the machine's uptime.
#pragma once

#include "api/meta.h"
#include "e2e/support/driver.h"
#include "e2e/support/kubectl.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace stillpoint::e2e {

// From the last write before to the first write after, by the writer's own record.
struct Stillness {
  api::Time from{};
  std::optional<api::Time> until;  // empty: it stands still now
};

// The annotations of a pod template with these hooks. `timeout` empty: the default.
[[nodiscard]] std::map<std::string, std::string> Hooked(const std::string& pre,
                                                        const std::string& post,
                                                        const std::string& timeout = {});

class StillApp {
 public:
  static constexpr char kPreHook[] =
      "read u _ </proc/uptime; echo pre $u >>/ctl/log; touch /ctl/frozen; "
      "until [ -e /ctl/still ]; do usleep 5000; done; echo quiet";
  static constexpr char kPostHook[] =
      "rm -f /ctl/frozen; read u _ </proc/uptime; echo post $u >>/ctl/log";

  struct Options {
    std::string name = "app";
    int pods = 1;
    int claims = 1;                                 // NAME-0, NAME-1, ...
    std::map<std::string, std::string> annotations  // of the pod template
        {{"backups.example.com/pre-hook", kPreHook}, {"backups.example.com/post-hook", kPostHook}};
    std::string image = "docker.io/local/tools:1";
    std::string storage_class = "btrfs";
    std::map<std::string, std::string> labels;  // further ones of the pods
  };

  // Applies it and waits until it runs.
  StillApp(Kubectl kubectl, Options options);
  explicit StillApp(Kubectl kubectl) : StillApp(std::move(kubectl), Options{}) {}

  // Names of the pods that run now.
  [[nodiscard]] std::vector<std::string> Pods() const;
  [[nodiscard]] std::string Claim(int index) const;

  // Of one pod, in order. `pod` empty: the only one.
  [[nodiscard]] std::vector<Stillness> StoodStill(const std::string& pod = {}) const;

  // How often a hook ran to its end in a pod: Ran("pre"), Ran("post").
  [[nodiscard]] int Ran(const std::string& hook, const std::string& pod = {}) const;

  // Whether some pod has written nothing new for 200 ms.
  [[nodiscard]] bool IsFrozen() const;

  // The number of the last line of each pod's file, in the contents of a snapshot.
  [[nodiscard]] static std::map<std::string, int> LastLines(const std::filesystem::path& contents);

  [[nodiscard]] const Options& options() const { return options_; }

 private:
  [[nodiscard]] std::string Manifest() const;
  [[nodiscard]] std::string ControlLog(const std::string& pod) const;

  const Kubectl kubectl_;
  const Options options_;
};

}  // namespace stillpoint::e2e
