#include "contract/support/session.h"

#include "api/core.h"
#include "contract/support/settings.h"
#include "kube/http_client.h"
#include "kube/lws_exec.h"
#include "kube/watch_words.h"

#include <fmt/format.h>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <unistd.h>

#include <stdexcept>
#include <utility>

namespace stillpoint::contract {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace std::chrono_literals;
using kube::Request;
using kube::Verb;
using kube::WatchEvent;

namespace {

std::string FreshNamespace(const std::string& name, const kube::Clock& clock) {
  static int count = 0;
  return fmt::format("contract-{}-{:x}-{}-{}", name, clock.Now().time_since_epoch().count(),
                     getpid(), ++count);
}

kube::LogFn Log() {
  return [](kube::Severity, std::string_view line) { fmt::print(stderr, "{}\n", line); };
}

asio::awaitable<Outcome> ReadAll(std::unique_ptr<kube::ExecSession> session) {
  Outcome outcome;
  while (true) {
    auto event = co_await session->Next();
    if (!event) {
      outcome.error = event.error();
      co_return outcome;
    }
    outcome.dropped += event->dropped;
    switch (event->type) {
      case kube::ExecEvent::Type::kStdout:
        outcome.out += event->data;
        break;
      case kube::ExecEvent::Type::kStderr:
        outcome.err += event->data;
        break;
      case kube::ExecEvent::Type::kExit:
        outcome.exit_code = event->exit_code;
        co_return outcome;
    }
  }
}

asio::awaitable<Outcome> Execute(kube::ExecClient& client, kube::ExecRequest request) {
  auto session = co_await client.Start(std::move(request));
  if (!session) co_return Outcome{.error = session.error()};
  co_return co_await ReadAll(std::move(*session));
}

}  // namespace

Session::Session(const std::string& name)
    : clock_(kube::MakeSystemClock()),
      config_(LoadServer(*clock_)),
      client_(kube::MakeHttpClient(io_.get_executor(), config_, *clock_, Log())),
      ns_(FreshNamespace(name, *clock_)) {
  Create(api::Namespace::kResource,
         {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", ns_}}}});
}

Session::~Session() {
  try {
    Delete(api::Namespace::kResource, ns_);
  } catch (const std::exception& e) {
    fmt::print(stderr, "namespace {} stays: {}\n", ns_, e.what());
  }
}

kube::ExecClient& Session::exec() {
  if (!exec_) exec_ = kube::MakeExecClient(io_.get_executor(), *client_, config_, *clock_, Log());
  return *exec_;
}

void Session::RunLoop(const std::function<bool()>& done) {
  const auto work = asio::make_work_guard(io_);
  const auto deadline = clock_->SteadyNow() + 2 * kPatience;
  io_.restart();
  while (!done()) {
    io_.run_one_for(100ms);
    // The coroutine is still suspended, so nothing of this loop may go on: the process must end.
    if (clock_->SteadyNow() > deadline) {
      fmt::print(stderr, "a call has not returned within {} s\n", (2 * kPatience).count());
      _exit(1);
    }
  }
}

// ---- requests ---------------------------------------------------------------------------------

Request Session::Complete(Request request) const {
  if (request.resource.namespaced && request.ns.empty()) request.ns = ns_;
  return request;
}

api::Result<Json> Session::Try(Request request) {
  auto answer = Await(client_->Do(Complete(std::move(request))));
  return answer ? api::Result<Json>(**answer) : answer.error();
}

Json Session::Do(Request request) {
  auto answer = Try(std::move(request));
  if (!answer) throw std::runtime_error(answer.error().message);
  return std::move(*answer);
}

std::vector<api::Result<Json>> Session::Together(std::vector<Request> requests) {
  std::vector<std::future<api::Result<kube::Answer>>> answers;
  for (Request& request : requests) {
    answers.push_back(
        asio::co_spawn(io_, client_->Do(Complete(std::move(request))), asio::use_future));
  }
  std::vector<api::Result<Json>> results;
  for (auto& answer : answers) {
    RunLoop([&] { return answer.wait_for(0s) == std::future_status::ready; });
    auto result = answer.get();
    results.push_back(result ? api::Result<Json>(**result) : result.error());
  }
  return results;
}

Json Session::Create(const api::Resource& resource, Json body) {
  return Do({.verb = Verb::kCreate, .resource = resource, .body = std::move(body)});
}

Json Session::Get(const api::Resource& resource, const std::string& name) {
  return Do({.verb = Verb::kGet, .resource = resource, .name = name});
}

bool Session::Exists(const api::Resource& resource, const std::string& name) {
  auto object = Try({.verb = Verb::kGet, .resource = resource, .name = name});
  if (!object && object.error().code != api::Code::kNotFound) {
    throw std::runtime_error(object.error().message);
  }
  return object.has_value();
}

Json Session::Merge(const api::Resource& resource, const std::string& name, Json body,
                    const std::string& subresource) {
  return Do({.verb = Verb::kMergePatch,
             .resource = resource,
             .name = name,
             .subresource = subresource,
             .body = std::move(body)});
}

Json Session::Delete(const api::Resource& resource, const std::string& name) {
  return Do({.verb = Verb::kDelete, .resource = resource, .name = name});
}

std::string Session::Path(const api::Resource& resource, const std::string& name,
                          const std::string& subresource) const {
  std::string path = config_.base_path;
  path += resource.group.empty() ? fmt::format("/api/{}", resource.version)
                                 : fmt::format("/apis/{}/{}", resource.group, resource.version);
  if (resource.namespaced) path += "/namespaces/" + ns_;
  path += fmt::format("/{}", resource.plural);
  if (!name.empty()) path += "/" + name;
  if (!subresource.empty()) path += "/" + subresource;
  return path;
}

Answer Session::GetAs(const std::string& accept, const std::string& target) {
  kube::HttpRequest request{.method = "GET", .target = target, .content_type = "", .body = ""};
  return Await(SendRaw(config_, *clock_, std::move(request), accept, kPatience));
}

Answer Session::Send(const std::string& method, const std::string& target, const Json& body,
                     const std::string& content_type) {
  kube::HttpRequest request{.method = method, .target = target, .content_type = "", .body = ""};
  if (!body.is_null()) {
    request.content_type = content_type;
    request.body = json::serialize(body);
  }
  return Await(SendRaw(config_, *clock_, std::move(request), "", kPatience));
}

// ---- waiting ----------------------------------------------------------------------------------

asio::awaitable<void> Session::Follow(api::Resource resource, std::string name,
                                      std::function<bool(const Json&)> wanted, Json* last) {
  const std::string ns = resource.namespaced ? ns_ : "";
  const std::string selector = "metadata.name=" + name;
  while (true) {
    const Request request{
        .verb = Verb::kList, .resource = resource, .ns = ns, .field_selector = selector};
    auto list = co_await client_->Do(request);
    if (!list) throw std::runtime_error(list.error().message);
    const auto items = Elements(**list, "/items");
    *last = items.empty() ? Json() : items.front();
    if (wanted(*last)) co_return;
    const kube::WatchRequest from{.resource = resource,
                                  .ns = ns,
                                  .field_selector = selector,
                                  .resource_version = VersionOf(**list)};
    auto watch = co_await client_->Watch(from);
    while (watch) {
      auto event = co_await (*watch)->Next();
      if (!event) break;
      if (event->type == WatchEvent::Type::kBookmark) continue;
      *last = event->type == WatchEvent::Type::kDeleted ? Json() : Json(*event->object);
      if (wanted(*last)) co_return;
    }
  }
}

Json Session::Until(const api::Resource& resource, const std::string& name,
                    std::function<bool(const Json&)> wanted, const std::string& what) {
  Json last;
  const bool reached =
      Await(kube::RunWithin(*clock_, kPatience, Follow(resource, name, std::move(wanted), &last)));
  if (reached) return last;
  throw std::runtime_error(
      fmt::format("{} {} is not {}: {}", resource.kind, name, what, ToText(last)));
}

void Session::UntilGone(const api::Resource& resource, const std::string& name) {
  Until(resource, name, [](const Json& object) { return object.is_null(); }, "gone");
}

std::unique_ptr<kube::WatchStream> Session::Watch(kube::WatchRequest request) {
  if (request.resource.namespaced && request.ns.empty()) request.ns = ns_;
  auto stream = Await(client_->Watch(std::move(request)));
  if (!stream) throw std::runtime_error(stream.error().message);
  return std::move(*stream);
}

api::Result<WatchEvent> Session::Next(kube::WatchStream& stream,
                                      std::chrono::milliseconds timeout) {
  while (true) {
    auto event = Await(kube::WithTimeout<WatchEvent>(*clock_, timeout, "no event", stream.Next()));
    if (!event || event->type != WatchEvent::Type::kBookmark) return event;
  }
}

std::string Session::NextChange(kube::WatchStream& stream) {
  const auto event = Next(stream);
  if (!event) return api::ToString(event.error().code);
  return fmt::format("{} {}", kube::ToWord(event->type), NameOf(*event->object));
}

// ---- commands ---------------------------------------------------------------------------------

Outcome Session::Exec(const std::string& pod, const std::vector<std::string>& command) {
  return Await(Execute(exec(), {.ns = ns_,
                                .pod = pod,
                                .pod_uid = UidOf(Get(api::Pod::kResource, pod)),
                                .container = "main",
                                .command = command}));
}

std::string Session::Sh(const std::string& pod, const std::string& script) {
  const Outcome outcome = Exec(pod, {"/bin/sh", "-c", script});
  if (outcome.exit_code == 0) return outcome.out;
  throw std::runtime_error(fmt::format("{} in {}: exit {}: {}{}", script, pod, outcome.exit_code,
                                       outcome.err, outcome.error ? outcome.error->message : ""));
}

}  // namespace stillpoint::contract
