// BackupSession: what one process knows of a backup it works on and has not written down, because
// it need not survive the process: execs under way and their results, facts just read.
#pragma once

#include "controllers/backup_plan.h"
#include "controllers/cut_watch.h"
#include "hooks/prepared_run.h"
#include "hooks/stop_signal.h"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stillpoint::controllers {

[[nodiscard]] inline api::NamespacedName KeyOf(const api::ObjectMeta& metadata) {
  return {metadata.ns, metadata.name};
}

struct BackupSession {
  explicit BackupSession(boost::asio::any_io_executor executor)
      : stop(std::make_shared<hooks::StopSignal>(executor)) {}

  api::VolumeBackup object;  // as this process last read or wrote it
  std::optional<api::Time> looked_at;

  std::optional<ResolveFacts> facts;
  api::Time facts_read_at{};
  std::optional<api::Time> forbidden_since;
  bool holds_pods = false;            // from just before the journal until the last thaw
  std::vector<std::string> pod_uids;  // of the group, when the freeze began; empty: not by us
  std::vector<std::string> writers;   // Resolution::writers
  std::optional<std::string> held_after_journal;
  api::Time restores_asked_at{};
  std::unique_ptr<CutWatch::Use> cut_watch;

  bool thaw_began = false;
  bool cut_before_thaw = false;
  std::vector<TargetView> targets;
  std::vector<std::shared_ptr<hooks::PreparedRun>> prepared;  // by target; null: none, or used
  std::shared_ptr<hooks::StopSignal> stop;  // asked when the thaw begins, or nobody wants it

  std::optional<GroupRecheck> recheck;
  int recheck_failures = 0;

  struct Snapshot {
    bool creating = false;
    std::optional<api::Time> create_after;
    std::string create_error;
    std::optional<api::Time> failing_since;
    std::optional<api::Time> content_read_at;
    bool content_asked = false;  // by its name, and there was an answer
    bool asking = false;
    std::optional<std::string> found_uid;  // past the cache; empty: there was none
    api::Time found_at{};
    std::string first_uid;
    std::optional<api::Time> created_at;
    std::optional<api::Time> cut_at;
    std::optional<api::Time> ready_at;
  };
  std::vector<Snapshot> snapshots;  // one per status.volumes entry
};

}  // namespace stillpoint::controllers
