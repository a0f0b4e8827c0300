#include "e2e/support/still_app.h"

#include "e2e/support/json.h"
#include "e2e/support/text.h"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include <time.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

namespace stillpoint::e2e {
namespace {

constexpr char kWriter[] = R"(trap 'exit 1' USR1
note() { read u _ </proc/uptime; echo "$1 $u" >>/ctl/log; }
n=0
while :; do
  if [ -e /ctl/frozen ]; then
    [ -e /ctl/still ] || { note stopped; : >/ctl/still; }
    usleep 5000
    continue
  fi
  [ ! -e /ctl/still ] || { rm -f /ctl/still; note running; }
  n=$((n+1))
  for d in /data/*; do echo $n >>$d/$HOSTNAME.log; done
  usleep 20000
done
)";

std::string Quoted(const std::string& text) {
  return boost::json::serialize(boost::json::string(text));  // JSON is YAML
}

std::string ClaimManifest(const std::string& name, const std::string& storage_class) {
  return fmt::format(R"(---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: {}}}
spec:
  accessModes: [ReadWriteMany]
  storageClassName: {}
  resources: {{requests: {{storage: 16Mi}}}}
)",
                     name, storage_class);
}

// /proc/uptime of a container is that of this machine. It is cut after 10 ms.
api::Time FromUptime(const std::string& seconds) {
  timespec boot{};
  clock_gettime(CLOCK_BOOTTIME, &boot);
  const auto uptime = std::chrono::seconds(boot.tv_sec) + std::chrono::nanoseconds(boot.tv_nsec);
  const auto now = std::chrono::system_clock::now();
  const std::chrono::duration<double> at(std::stod(seconds));
  return std::chrono::time_point_cast<api::Time::duration>(
      now - uptime + std::chrono::duration_cast<std::chrono::nanoseconds>(at));
}

}  // namespace

std::map<std::string, std::string> Hooked(const std::string& pre, const std::string& post,
                                          const std::string& timeout) {
  std::map<std::string, std::string> annotations{{"backups.example.com/pre-hook", pre},
                                                 {"backups.example.com/post-hook", post}};
  if (!timeout.empty()) annotations["backups.example.com/hook-timeout"] = timeout;
  return annotations;
}

StillApp::StillApp(Kubectl kubectl, Options options)
    : kubectl_(std::move(kubectl)), options_(std::move(options)) {
  kubectl_.Apply(Manifest());
  kubectl_.RolledOut("deployment/" + options_.name);
}

std::string StillApp::Claim(int index) const {
  return fmt::format("{}-{}", options_.name, index);
}

std::string StillApp::Manifest() const {
  std::string claims;
  std::string mounts = "        - {name: ctl, mountPath: /ctl}\n";
  std::string volumes = "      - {name: ctl, emptyDir: {medium: Memory}}\n";
  for (int i = 0; i < options_.claims; ++i) {
    claims += ClaimManifest(Claim(i), options_.storage_class);
    mounts += fmt::format("        - {{name: d{0}, mountPath: /data/{0}}}\n", i);
    volumes += fmt::format("      - {{name: d{}, persistentVolumeClaim: {{claimName: {}}}}}\n", i,
                           Claim(i));
  }
  std::string annotations;
  for (const auto& [key, value] : options_.annotations) {
    annotations += fmt::format("        {}: {}\n", key, Quoted(value));
  }
  std::string labels;
  for (const auto& [key, value] : options_.labels) {
    labels += fmt::format("        {}: {}\n", key, value);
  }
  return fmt::format(R"({claims}---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: {pods}
  selector: {{matchLabels: {{app: {name}}}}}
  strategy: {{type: Recreate}}
  template:
    metadata:
      labels:
        app: {name}
{labels}      annotations:
{annotations}    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: writer
        image: {image}
        imagePullPolicy: Never
        command: [/bin/sh, -c]
        args:
        - |
{writer}        volumeMounts:
{mounts}      volumes:
{volumes})",
                     fmt::arg("claims", claims), fmt::arg("name", options_.name),
                     fmt::arg("pods", options_.pods), fmt::arg("labels", labels),
                     fmt::arg("annotations", annotations.empty() ? "        {}\n" : annotations),
                     fmt::arg("image", options_.image), fmt::arg("writer", Indent(kWriter, 10)),
                     fmt::arg("mounts", mounts), fmt::arg("volumes", volumes));
}

std::vector<std::string> StillApp::Pods() const {
  return kubectl_.Names("pods", "app=" + options_.name);
}

std::string StillApp::ControlLog(const std::string& pod) const {
  return kubectl_.Exec(pod.empty() ? Pods().at(0) : pod, "cat /ctl/log 2>/dev/null || true");
}

std::vector<Stillness> StillApp::StoodStill(const std::string& pod) const {
  std::vector<Stillness> times;
  for (const std::string& line : Lines(ControlLog(pod))) {
    const auto space = line.find(' ');
    const std::string word = line.substr(0, space);
    if (word == "stopped") times.push_back({.from = FromUptime(line.substr(space + 1))});
    if (word == "running" && !times.empty())
      times.back().until = FromUptime(line.substr(space + 1));
  }
  return times;
}

int StillApp::Ran(const std::string& hook, const std::string& pod) const {
  const std::vector<std::string> lines = Lines(ControlLog(pod));
  return static_cast<int>(std::ranges::count_if(
      lines, [&](const std::string& line) { return line.starts_with(hook + " "); }));
}

bool StillApp::IsFrozen() const {
  const auto grows = [this](const std::string& pod) {
    const std::string count = "wc -c </data/0/$HOSTNAME.log";
    return kubectl_.Exec(pod, fmt::format("a=$({0}); usleep 200000; b=$({0}); [ $a = $b ] || "
                                          "echo grows",
                                          count)) == "grows\n";
  };
  return !std::ranges::all_of(Pods(), grows);
}

std::map<std::string, int> StillApp::LastLines(const std::filesystem::path& contents) {
  std::map<std::string, int> last;
  for (const auto& file : std::filesystem::directory_iterator(contents)) {
    if (file.path().extension() != ".log") continue;
    std::ifstream text(file.path());
    for (std::string line; std::getline(text, line);) {
      // A file that was cut in the middle of a write may end in half a line.
      if (!line.empty()) last[file.path().stem()] = std::stoi(line);
    }
  }
  return last;
}

}  // namespace stillpoint::e2e
