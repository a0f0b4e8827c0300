// RestoreTest: what tests of VolumeRestores say again and again.
#pragma once

#include "e2e/support/backup_fixture.h"

#include <boost/json/value.hpp>

#include <string>
#include <vector>

namespace stillpoint::e2e {

class RestoreTest : public BackupTest {
 protected:
  // A Deployment `app` without hooks, whose file `mark` says "before" in every claim.
  StillApp MarkedApp(StillApp::Options options = {});

  // A StatefulSet `db` of that many pods, each with a claim data-db-N and the file in it.
  void MarkedSet(int pods);

  // A DaemonSet `agent` with a claim agent-0 and the file in it.
  void MarkedDaemonSet();

  // The backup `nightly` of that workload; then the file says "after" in every claim.
  boost::json::value BackUpAndLose(const std::string& workload);

  // Writes the file in every claim of every running pod, and onto the disk.
  void SetMark(const std::string& workload, const std::string& mark) const;

  // What the file says in each claim of each running pod: "before" or "after" when they agree.
  [[nodiscard]] std::string Mark(const std::string& workload) const;

  // From now on the workload is ready only while the file says that.
  void ReadyOnlyIfMarked(const std::string& workload, const std::string& mark);

  // `spec`: the fields as YAML, one per line.
  void Restore(const std::string& name, const std::string& spec);

  // The object once it is so. Throws, showing it, when it is not within `timeout`.
  boost::json::value WaitRestorePhase(const std::string& name, const std::string& phase,
                                      Seconds timeout = Seconds(60));
  boost::json::value WaitRestoreEnd(const std::string& name, Seconds timeout = Seconds(120));

  // Kills the controller in each of these phases of one restore, and starts it again.
  void KillAtEach(const std::string& name, const std::vector<std::string>& phases);

  // "Completed Succeeded": phase and reason; what stands in the columns of kubectl get.
  [[nodiscard]] static std::string RestoreOutcome(const boost::json::value& restore);

  // The claims that the restore made, in the order of its status.
  [[nodiscard]] static std::vector<std::string> NewClaims(const boost::json::value& restore);

  // spec.template, as the API server prints it.
  [[nodiscard]] std::string Template(const std::string& workload) const;
};

}  // namespace stillpoint::e2e
