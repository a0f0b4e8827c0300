#include "kube/client.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <utility>

namespace stillpoint::kube {

namespace json = boost::json;

namespace internal {

namespace {

// The text of a member; empty when it has none.
std::string TextOf(const json::object& object, std::string_view member) {
  const json::value* found = object.if_contains(member);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : "";
}

}  // namespace

api::Result<ListPage> ParseListPage(Answer list) {
  const json::value* const metadata = list->if_contains("metadata");
  if (metadata == nullptr) {
    return api::Error{api::Code::kUnknown, "the server's answer is not a list"};
  }
  ListPage page;
  if (const json::object* fields = metadata->if_object()) {
    page.resource_version = TextOf(*fields, "resourceVersion");
    page.continue_token = TextOf(*fields, "continue");
  }
  // Absent or null: the list is empty.
  const json::value* const items = list->if_contains("items");
  if (items != nullptr && items->is_array()) page.items = items->get_array();
  page.list = std::move(list);
  return page;
}

}  // namespace internal

boost::asio::awaitable<api::Result<Answer>> AskAgain(
    Client& client, Request request, std::vector<std::chrono::milliseconds> first_timeouts) {
  for (const auto timeout : first_timeouts) {
    Request hasty = request;
    hasty.timeout = timeout;
    auto answer = co_await client.Do(std::move(hasty));
    if (answer || answer.error().code != api::Code::kTimeout) co_return answer;
  }
  co_return co_await client.Do(std::move(request));
}

boost::asio::awaitable<api::Result<void>> DeleteByUid(Client& client, api::Resource resource,
                                                      api::NamespacedName key, std::string uid) {
  auto answer = co_await client.Do({.verb = Verb::kDelete,
                                    .resource = resource,
                                    .ns = std::move(key.ns),
                                    .name = std::move(key.name),
                                    .precondition_uid = std::move(uid)});
  if (answer) co_return api::Result<void>{};
  // Conflict: the precondition does not hold, so the object of that UID is gone.
  const api::Code code = answer.error().code;
  if (code == api::Code::kNotFound || code == api::Code::kConflict) co_return api::Result<void>{};
  co_return answer.error();
}

}  // namespace stillpoint::kube
