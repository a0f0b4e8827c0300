// Names, labels and annotations of what a restore makes. Names derive from the restore's UID, so
// that the next controller finds what the last one made; the UID in a label proves whose it is.
#pragma once

#include "api/volume_restore.h"

#include <map>
#include <string>
#include <string_view>

namespace stillpoint::controllers::restore {

inline constexpr char kFinalizer[] = "backups.example.com/restore";
inline constexpr char kRestoreLabel[] = "backups.example.com/restore";
inline constexpr char kRestoreUidLabel[] = "backups.example.com/restore-uid";
inline constexpr char kRestoredFromAnnotation[] = "backups.example.com/restored-from";
inline constexpr char kKeptFromAnnotation[] = "backups.example.com/kept-from";

// `<claim>-<8 hex>`, a valid name of at most 253 bytes: what a restored claim is called when
// nobody gave it a name.
[[nodiscard]] std::string NewClaimName(std::string_view claim, std::string_view restore_uid);

// `<claim>-before-<restore>`: the claim that keeps the old volume of a Replace. Longer than 253
// bytes: the parts are cut and a hash keeps it unique.
[[nodiscard]] std::string KeptClaimName(std::string_view claim, std::string_view restore_name,
                                        std::string_view restore_uid);

// The labels that say which restore made a claim. A name longer than a label value holds is cut;
// the UID decides.
[[nodiscard]] std::map<std::string, std::string> OwnLabels(const api::ObjectMeta& restore);

}  // namespace stillpoint::controllers::restore
