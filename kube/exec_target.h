// ExecTarget: is the container that an ExecRequest means there, and does it run?
#pragma once

#include "api/error.h"
#include "kube/client.h"
#include "kube/clock.h"
#include "kube/exec.h"

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>

#include <string>

namespace stillpoint::kube {

// The object that the API server has for request.pod, by its name. Asks again when there is no
// answer within a second or two, as others may stand still meanwhile; all within
// request.connect_timeout.
// Errors, cancellation: as Client::Do; kTimeout for an answer that is read later than that, by a
// process that stood still: what it is about to run may be long settled by another one.
[[nodiscard]] boost::asio::awaitable<api::Result<Answer>> ReadExecPod(Client& client, Clock& clock,
                                                                      ExecRequest request);

// The container ID in the status of `pod`, the object that the API server gave for request.pod.
// Errors: kNotFound (the pod was replaced, or has ended), kInvalid (no such container, or it does
// not run). The sentence names what is there instead.
[[nodiscard]] api::Result<std::string> FindExecContainer(const boost::json::object& pod,
                                                         const ExecRequest& request);

// Whether the exec that has just been opened leads into the container that was found before it, now
// that `pod` was asked for again. Errors: kNotFound (no such pod, or as FindExecContainer says),
// kUnavailable (no answer, another life of the container, or none: the command may have started).
[[nodiscard]] api::Result<void> ConfirmExecContainer(const api::Result<Answer>& pod,
                                                     const ExecRequest& request,
                                                     const std::string& container_id);

// What the refusal of an exec says. The look just before has found the pod, so that "not found"
// comes from its node, or from a kubelet that has just started and does not know its pods yet:
// kUnavailable.
[[nodiscard]] api::Error RefusedExec(api::Error refusal);

// The path and the query of the exec subresource; `base_path` as in Config.
[[nodiscard]] std::string ExecRequestTarget(const std::string& base_path,
                                            const ExecRequest& request);

}  // namespace stillpoint::kube
