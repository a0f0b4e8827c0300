// How an answer other than success becomes an api::Error. Pure.
//
// Contract: k8s.io/apimachinery/pkg/apis/meta/v1, Status and StatusReason.
#pragma once

#include "api/error.h"
#include "kube/http_message.h"
#include "kube/request_url.h"

#include <boost/json/value.hpp>

#include <string_view>

namespace stillpoint::kube {

// The message says what was asked for, the code, and what the server said:
// "get pods shop/db-0: NotFound: pods \"db-0\" not found". A body that is no metav1.Status (a load
// balancer's page, say) is quoted shortened.
[[nodiscard]] api::Error ErrorFromAnswer(const CallName& call, const HttpHead& head,
                                         std::string_view body);

// The same for the object of an ERROR event in a watch.
[[nodiscard]] api::Error ErrorFromStatus(const CallName& call, const boost::json::value& status);

}  // namespace stillpoint::kube
