#include "kube/exec_target.h"

#include "api/core.h"
#include "kube/request_url.h"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <array>
#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

namespace stillpoint::kube {

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

// Longer than one object takes the API server in 99 of 100 cases; then for one that is slow.
constexpr std::array<std::chrono::milliseconds, 2> kFirstLooks = {1s, 2s};

// The member at the end of a path of objects; null when any of it is missing.
const json::value* At(const json::object& object, std::initializer_list<std::string_view> path) {
  const json::object* fields = &object;
  const json::value* at = nullptr;
  for (std::string_view key : path) {
    at = fields ? fields->if_contains(key) : nullptr;
    if (!at) return nullptr;
    fields = at->if_object();
  }
  return at;
}

std::string_view TextAt(const json::object& object, std::initializer_list<std::string_view> path) {
  const json::value* at = At(object, path);
  const json::string* text = at ? at->if_string() : nullptr;
  return text ? std::string_view(*text) : std::string_view();
}

// The objects of a list named `plain`, `init…` or `ephemeral…`: a sidecar is an init container.
std::vector<const json::object*> AllOf(const json::object& pod, std::string_view part,
                                       std::initializer_list<std::string_view> lists) {
  std::vector<const json::object*> all;
  for (std::string_view list : lists) {
    const json::value* at = At(pod, {part, list});
    const json::array* elements = at ? at->if_array() : nullptr;
    if (!elements) continue;
    for (const json::value& element : *elements) {
      if (element.is_object()) all.push_back(&element.get_object());
    }
  }
  return all;
}

api::Error NoSuchContainer(const json::object& pod, const ExecRequest& request) {
  std::string names;
  for (const json::object* container : AllOf(pod, "spec", {"containers"})) {
    if (!names.empty()) names += ", ";
    names += TextAt(*container, {"name"});
  }
  return {api::Code::kInvalid, fmt::format("pod {}/{} has no container {}; it has: {}", request.ns,
                                           request.pod, request.container, names)};
}

std::string StateOf(const json::object& status) {
  for (std::string_view state : {"waiting", "terminated"}) {
    if (!At(status, {"state", state})) continue;
    const std::string_view reason = TextAt(status, {"state", state, "reason"});
    return reason.empty() ? std::string(state) : fmt::format("{} ({})", state, reason);
  }
  return "not started";
}

}  // namespace

boost::asio::awaitable<api::Result<Answer>> ReadExecPod(Client& client, Clock& clock,
                                                        ExecRequest request) {
  const auto latest = clock.SteadyNow() + request.connect_timeout;
  auto last_look = request.connect_timeout;
  std::vector<std::chrono::milliseconds> first_looks;
  for (const auto look : kFirstLooks) {
    if (look >= last_look) break;
    first_looks.push_back(look);
    last_look -= look;
  }
  const auto pod = co_await AskAgain(client,
                                     {.verb = Verb::kGet,
                                      .resource = api::Pod::kResource,
                                      .ns = std::move(request.ns),
                                      .name = std::move(request.pod),
                                      .timeout = last_look},
                                     std::move(first_looks));
  if (pod && clock.SteadyNow() >= latest) {
    co_return api::Error{api::Code::kTimeout, "the pod was looked at too late"};
  }
  co_return pod;
}

api::Result<std::string> FindExecContainer(const json::object& pod, const ExecRequest& request) {
  const std::string_view uid = TextAt(pod, {"metadata", "uid"});
  if (uid.empty()) {
    return api::Error{api::Code::kUnavailable,
                      fmt::format("pod {}/{}: the answer shows no pod", request.ns, request.pod)};
  }
  if (uid != request.pod_uid) {
    return api::Error{api::Code::kNotFound, fmt::format("pod {}/{} was replaced: it has UID {} now",
                                                        request.ns, request.pod, uid)};
  }
  const std::string_view phase = TextAt(pod, {"status", "phase"});
  if (api::HasEnded(phase)) {
    return api::Error{api::Code::kNotFound, fmt::format("pod {}/{} has ended: its phase is {}",
                                                        request.ns, request.pod, phase)};
  }
  for (const json::object* status :
       AllOf(pod, "status",
             {"containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"})) {
    if (TextAt(*status, {"name"}) != request.container) continue;
    if (At(*status, {"state", "running"})) return std::string(TextAt(*status, {"containerID"}));
    return api::Error{api::Code::kInvalid,
                      fmt::format("container {} of pod {}/{} does not run: it is {}",
                                  request.container, request.ns, request.pod, StateOf(*status))};
  }
  for (const json::object* container :
       AllOf(pod, "spec", {"containers", "initContainers", "ephemeralContainers"})) {
    if (TextAt(*container, {"name"}) != request.container) continue;
    return api::Error{api::Code::kInvalid,
                      fmt::format("container {} of pod {}/{} does not run: it is not started",
                                  request.container, request.ns, request.pod)};
  }
  return NoSuchContainer(pod, request);
}

api::Result<void> ConfirmExecContainer(const api::Result<Answer>& pod, const ExecRequest& request,
                                       const std::string& container_id) {
  const auto now = pod ? FindExecContainer(**pod, request) : api::Result<std::string>(pod.error());
  if (!now && now.error().code == api::Code::kNotFound) return now.error();
  if (!now) return api::Error{api::Code::kUnavailable, now.error().message};
  if (*now == container_id) return {};
  return api::Error{api::Code::kUnavailable,
                    fmt::format("container {} of pod {}/{} was restarted meanwhile",
                                request.container, request.ns, request.pod)};
}

api::Error RefusedExec(api::Error refusal) {
  if (refusal.code == api::Code::kNotFound) refusal.code = api::Code::kUnavailable;
  return refusal;
}

std::string ExecRequestTarget(const std::string& base_path, const ExecRequest& request) {
  std::string target = fmt::format("{}/api/v1/namespaces/{}/pods/{}/exec?container={}", base_path,
                                   PercentEncode(request.ns), PercentEncode(request.pod),
                                   PercentEncode(request.container));
  for (const std::string& word : request.command) target += "&command=" + PercentEncode(word);
  target += fmt::format("&stdin={}&stdout=true&stderr=true&tty=false", request.stdin_open);
  return target;
}

}  // namespace stillpoint::kube
