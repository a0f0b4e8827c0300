// Reads workloads from the API server, past any cache: a backup or a restore that acts on a stale
// template would act on the wrong claims.
#pragma once

#include "api/error.h"
#include "controllers/workload.h"
#include "kube/client.h"

#include <boost/asio/awaitable.hpp>

#include <string>

namespace stillpoint::controllers {

// Errors: those of kube::Client; kNotFound when there is none.
[[nodiscard]] boost::asio::awaitable<api::Result<Workload>> GetWorkload(kube::Client& client,
                                                                        std::string ns,
                                                                        WorkloadRef ref);

}  // namespace stillpoint::controllers
