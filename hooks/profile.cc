#include "hooks/profile.h"

#include "hooks/profiles/all.h"

#include <algorithm>
#include <array>

namespace stillpoint::hooks {
namespace {

constexpr std::array kProfiles{profiles::kFsfreeze, profiles::kMariadb, profiles::kMysql,
                               profiles::kSqlite};

}  // namespace

std::span<const Profile> Profiles() {
  return kProfiles;
}

const Profile* FindProfile(std::string_view name) {
  const auto* found = std::ranges::find(kProfiles, name, &Profile::name);
  return found == kProfiles.end() ? nullptr : found;
}

std::chrono::seconds LockPatience(api::Duration timeout) {
  using std::chrono::seconds;
  return std::max(seconds(1), std::chrono::floor<seconds>(timeout) - seconds(1));
}

}  // namespace stillpoint::hooks
