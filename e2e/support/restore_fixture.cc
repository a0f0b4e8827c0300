#include "e2e/support/restore_fixture.h"

#include "e2e/support/json.h"
#include "e2e/support/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace stillpoint::e2e {
namespace {

constexpr char kSet[] = R"(apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: db}}
spec:
  replicas: {}
  serviceName: db
  podManagementPolicy: Parallel
  selector: {{matchLabels: {{app: db}}}}
  volumeClaimTemplates:
  - metadata: {{name: data}}
    spec:
      accessModes: [ReadWriteOnce]
      resources: {{requests: {{storage: 16Mi}}}}
  template:
    metadata: {{labels: {{app: db}}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: writer
        image: docker.io/local/tools:1
        imagePullPolicy: Never
        command: [/bin/sh, -c, "while :; do sleep 60; done"]
        volumeMounts: [{{name: data, mountPath: /data/0}}]
)";

constexpr char kDaemonSet[] = R"(apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: agent-0}
spec:
  accessModes: [ReadWriteMany]
  resources: {requests: {storage: 16Mi}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: writer
        image: docker.io/local/tools:1
        imagePullPolicy: Never
        command: [/bin/sh, -c, "while :; do sleep 60; done"]
        volumeMounts: [{name: data, mountPath: /data/0}]
      volumes: [{name: data, persistentVolumeClaim: {claimName: agent-0}}]
)";

constexpr char kProbe[] = R"({{"spec":{{"template":{{"spec":{{"containers":[{{"name":"writer",
"readinessProbe":{{"periodSeconds":1,"timeoutSeconds":5,
"exec":{{"command":["grep","-q","{}","/data/0/mark"]}}}}}}]}}}}}}}})";

bool IsFinal(const boost::json::value& restore) {
  const std::string phase = Text(restore, "/status/phase");
  return phase == "Completed" || phase == "RolledBack" || phase == "Failed";
}

std::string NameOf(const std::string& workload) {
  return workload.substr(workload.find('/') + 1);
}

}  // namespace

StillApp RestoreTest::MarkedApp(StillApp::Options options) {
  options.annotations.clear();
  StillApp app(kubectl, std::move(options));
  SetMark("deployment/app", "before");
  return app;
}

void RestoreTest::MarkedSet(int pods) {
  kubectl.Apply(fmt::format(kSet, pods));
  kubectl.RolledOut("statefulset/db");
  SetMark("statefulset/db", "before");
}

void RestoreTest::MarkedDaemonSet() {
  kubectl.Apply(kDaemonSet);
  kubectl.RolledOut("daemonset/agent");
  SetMark("daemonset/agent", "before");
}

boost::json::value RestoreTest::BackUpAndLose(const std::string& workload) {
  Backup("nightly", "applicationRef: " + workload);
  boost::json::value backup = WaitEnd("nightly", Seconds(60));
  EXPECT_EQ(Outcome(backup), "Completed Crash Succeeded");
  SetMark(workload, "after");
  return backup;
}

// A snapshot does not take what is only in memory.
void RestoreTest::SetMark(const std::string& workload, const std::string& mark) const {
  for (const std::string& pod : kubectl.Names("pods", "app=" + NameOf(workload))) {
    kubectl.Exec(pod, fmt::format("for d in /data/*; do echo {} >$d/mark; done; sync", mark));
  }
}

std::string RestoreTest::Mark(const std::string& workload) const {
  std::vector<std::string> marks;
  for (const std::string& pod : kubectl.Names("pods", "app=" + NameOf(workload))) {
    for (const std::string& line : Lines(kubectl.Exec(pod, "cat /data/*/mark"))) {
      if (std::ranges::find(marks, line) == marks.end()) marks.push_back(line);
    }
  }
  return fmt::format("{}", fmt::join(marks, ", "));
}

void RestoreTest::ReadyOnlyIfMarked(const std::string& workload, const std::string& mark) {
  const CommandResult patched =
      kubectl({"patch", workload, "--type=strategic", "-p", fmt::format(kProbe, mark)});
  if (patched.exit_code != 0) throw std::runtime_error(patched.err);
  kubectl.RolledOut(workload);
}

void RestoreTest::Restore(const std::string& name, const std::string& spec) {
  static_cast<void>(restores());  // so that no phase is missed
  kubectl.Apply(
      fmt::format("apiVersion: backups.example.com/v1alpha1\nkind: VolumeRestore\n"
                  "metadata: {{name: {}}}\nspec:\n{}",
                  name, Indent(spec, 2)));
}

boost::json::value RestoreTest::WaitRestorePhase(const std::string& name, const std::string& phase,
                                                 Seconds timeout) {
  const auto reached = [&](const boost::json::value& restore) {
    return Text(restore, "/status/phase") == phase;
  };
  if (!restores().Until(name, reached, timeout)) {
    throw std::runtime_error(fmt::format("{} is not {} after {} s: {}", name, phase,
                                         timeout.count(), RestoreOutcome(restores().Latest(name))));
  }
  return restores().Latest(name);
}

boost::json::value RestoreTest::WaitRestoreEnd(const std::string& name, Seconds timeout) {
  if (!restores().Until(name, IsFinal, timeout)) {
    throw std::runtime_error(fmt::format("{} has not ended after {} s: {}", name, timeout.count(),
                                         RestoreOutcome(restores().Latest(name))));
  }
  return restores().Latest(name);
}

void RestoreTest::KillAtEach(const std::string& name, const std::vector<std::string>& phases) {
  for (const std::string& phase : phases) {
    const auto seen = [&](const boost::json::value& restore) {
      const std::vector<std::string> passed = restores().Phases(name);
      return IsFinal(restore) || std::ranges::find(passed, phase) != passed.end();
    };
    EXPECT_TRUE(restores().Until(name, seen, Seconds(60))) << "never " << phase;
    controller().Kill9();
    controller().Start();
  }
}

std::string RestoreTest::RestoreOutcome(const boost::json::value& restore) {
  if (restore.is_null()) return "not there";
  return fmt::format("{} {}", Text(restore, "/status/phase"), Text(restore, "/status/reason"));
}

std::vector<std::string> RestoreTest::NewClaims(const boost::json::value& restore) {
  std::vector<std::string> names;
  for (const auto& claim : List(restore, "/status/claims")) names.push_back(Text(claim, "/new"));
  return names;
}

std::string RestoreTest::Template(const std::string& workload) const {
  return kubectl.Field(workload, ".spec.template");
}

}  // namespace stillpoint::e2e
