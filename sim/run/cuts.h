// Which real cut stands behind a volume of a backup's status.
#pragma once

#include "api/time.h"
#include "sim/cluster/truth.h"
#include "sim/run/evidence.h"

#include <boost/json/object.hpp>

#include <string_view>
#include <vector>

namespace stillpoint::sim::run {

// By the UID of its VolumeSnapshot. Null: nothing was cut.
[[nodiscard]] const CutTruth* CutOf(const Evidence& evidence, std::string_view snapshot_uid);

// status.volumes of a VolumeBackup.
[[nodiscard]] std::vector<const boost::json::object*> VolumesOf(const boost::json::object& backup);

// As the API has it; "Pending" where none is set.
[[nodiscard]] std::string_view PhaseOf(const boost::json::object& object);
// A thaw of it is not confirmed: it goes on, also when the backup has come to its end.
[[nodiscard]] bool OwesThaw(const boost::json::object& backup);
// Its finalizer may stand for this, and then goes: a thaw that took several attempts may come late.
[[nodiscard]] bool RemembersThaws(const boost::json::object& backup, api::Time now);
[[nodiscard]] bool IsFinalPhase(std::string_view phase);

}  // namespace stillpoint::sim::run
