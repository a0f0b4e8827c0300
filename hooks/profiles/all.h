// The profiles, each made in the file of its name. Private to hooks/.
#pragma once

#include "hooks/profile.h"

namespace stillpoint::hooks::profiles {

[[nodiscard]] ProfileCommands Fsfreeze(const ProfileInput& input);
[[nodiscard]] ProfileCommands Mariadb(const ProfileInput& input);
[[nodiscard]] ProfileCommands Sqlite(const ProfileInput& input);

inline constexpr Profile kFsfreeze{"fsfreeze", "the mount point of the volume", &Fsfreeze};
inline constexpr Profile kMariadb{"mariadb", "", &Mariadb};
inline constexpr Profile kMysql{"mysql", "", &Mariadb};
inline constexpr Profile kSqlite{"sqlite", "the database file", &Sqlite};

}  // namespace stillpoint::hooks::profiles
