// BackupTest: what tests of VolumeBackups say again and again.
#pragma once

#include "e2e/support/cluster_fixture.h"
#include "e2e/support/still_app.h"

#include <boost/json/value.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace stillpoint::e2e {

// Needs the local cluster, whose driver knows when it really cut: skipped elsewhere.
class BackupTest : public ClusterTest {
 protected:
  using Seconds = std::chrono::seconds;

  void SetUp() override;

  // `spec`: the fields as YAML, one per line.
  void Backup(const std::string& name, const std::string& spec);
  void Patch(const std::string& name, const std::string& spec_json);  // {"cancel":true}

  // The object once it is so. Throws, showing it, when it is not within `timeout`.
  boost::json::value WaitPhase(const std::string& name, const std::string& phase,
                               Seconds timeout = Seconds(20));
  boost::json::value WaitEnd(const std::string& name, Seconds timeout = Seconds(75));
  void WaitGone(const std::string& name, Seconds timeout = Seconds(75));

  // "Completed Application Succeeded": phase, consistency (- if none), reason; what stands in the
  // columns of kubectl get.
  [[nodiscard]] static std::string Outcome(const boost::json::value& backup);

  // The sentence of the condition Finished.
  [[nodiscard]] static std::string Words(const boost::json::value& backup);

  // The names of the snapshots that a backup holds, by claim.
  [[nodiscard]] static std::map<std::string, std::string> SnapshotNames(
      const boost::json::value& backup);

  // Truth: every cut of this backup lies within one stillness of every pod, by the driver's record
  // and the writer's own; and all its snapshots end with the same line.
  void ExpectCutWhileStill(const StillApp& app, const boost::json::value& backup);

  // Truth: no pod stood still for longer than that, and all write now.
  void ExpectNeverStillLongerThan(const StillApp& app, std::chrono::milliseconds limit);

  // Prints, and puts into the result file, how long the application stood still for this backup,
  // and when in that time the last cut was.
  void RecordFreeze(const StillApp& app, const boost::json::value& backup);

  // Soon every VolumeSnapshot in the namespace is gone or told to go. Told is enough: when it was
  // still being cut, external-snapshotter may take half a minute to let it go.
  void ExpectNoSnapshots();
};

}  // namespace stillpoint::e2e
