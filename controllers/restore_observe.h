// Observe: reads all that a plan looks at, from the API server itself: a restore is rare, and one
// that believes a cache may delete what it must keep.
#pragma once

#include "api/error.h"
#include "controllers/restore_view.h"
#include "kube/client.h"

#include <boost/asio/awaitable.hpp>

namespace stillpoint::controllers::restore {

// Fills `view`, whose `restore` is already there, as far as its phase needs.
// Errors: those of kube::Client; the message names the verb and the resource. Snapshots and
// PersistentVolumes that may not be read are no error but a fact of the view.
[[nodiscard]] boost::asio::awaitable<api::Result<View>> Observe(kube::Client& client,
                                                                api::VolumeRestore restore);

}  // namespace stillpoint::controllers::restore
