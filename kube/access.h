// Which rights the controller lacks, found out before the first object needs them.
#pragma once

#include "api/authorization.h"
#include "api/error.h"
#include "kube/client.h"

#include <boost/asio/awaitable.hpp>

#include <string>
#include <vector>

namespace stillpoint::kube {

// Asks the API server for each right (SelfSubjectAccessReview), in order; one sentence for each
// that is missing: "missing right: create pods/exec in all namespaces (<the server's reason>)".
// Errors: of the first review that could not be made.
[[nodiscard]] boost::asio::awaitable<api::Result<std::vector<std::string>>> MissingRights(
    Client& client, std::vector<api::ResourceAttributes> wanted);

}  // namespace stillpoint::kube
