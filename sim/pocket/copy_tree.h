// CopyTree: a directory copied as fast as its file system can: by reference (FICLONE) where it
// shares blocks, else byte by byte.
#pragma once

#include <string>

namespace stillpoint::sim::pocket {

// Files, directories and links, with their modes and, where the user may set them, owners. Sockets
// and pipes are left out. `to` appears only when it is complete.
// Throws std::filesystem::filesystem_error.
void CopyTree(const std::string& from, const std::string& to);

}  // namespace stillpoint::sim::pocket
