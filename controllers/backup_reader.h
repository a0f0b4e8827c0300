// Reads what a backup needs to know of its application, from the API server and past any cache:
// what is frozen and cut on old news would be the wrong thing.
#pragma once

#include "api/volume_backup.h"
#include "controllers/backup_plan.h"
#include "controllers/backup_resolve_plan.h"
#include "kube/client.h"

#include <boost/asio/awaitable.hpp>

namespace stillpoint::controllers {

// What is wrong with the application is part of the facts.
// Errors: those that another try may mend (the API server does not answer).
[[nodiscard]] boost::asio::awaitable<api::Result<ResolveFacts>> ReadResolveFacts(
    kube::Client& client, api::VolumeBackup backup);

// The pods of the group as they are now. Who is not among the pods that `before` has seen may have
// begun to write during the freeze.
[[nodiscard]] boost::asio::awaitable<api::Result<GroupRecheck>> ReadGroup(kube::Client& client,
                                                                          api::VolumeBackup backup,
                                                                          ResolveFacts before);

}  // namespace stillpoint::controllers
