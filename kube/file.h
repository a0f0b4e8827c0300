// ReadFile: a small file as a whole.
#pragma once

#include "api/error.h"

#include <string>

namespace stillpoint::kube {

// Blocks: for local files of a few kilobytes only.
// Errors: kNotFound when there is no such file, else kUnavailable; the message names the file.
[[nodiscard]] api::Result<std::string> ReadFile(const std::string& path);

}  // namespace stillpoint::kube
