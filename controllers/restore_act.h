// From an action to its API call.
#pragma once

#include "api/error.h"
#include "controllers/restore_action.h"
#include "kube/client.h"

#include <boost/asio/awaitable.hpp>

#include <string>

namespace stillpoint::controllers::restore {

// Server-side apply of the whole status, conditional on the version of `restore`.
[[nodiscard]] kube::Request StatusRequest(const api::VolumeRestore& restore,
                                          const api::VolumeRestoreStatus& status);

// REQUIRES: `action` is not RunPostHooks, which is no API call.
[[nodiscard]] kube::Request RequestFor(const api::VolumeRestore& restore, const Action& action);

// The action in words, for a log line and an error: "scale deployment/mysql to 0".
[[nodiscard]] std::string Describe(const Action& action);

// Errors: those of kube::Client with the action in front. A claim that is there already is
// kConflict: the next view tells whose it is. A deletion of what is gone is success.
[[nodiscard]] boost::asio::awaitable<api::Result<void>> Act(kube::Client& client,
                                                            api::VolumeRestore restore,
                                                            Action action);

}  // namespace stillpoint::controllers::restore
