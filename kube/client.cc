#include "kube/client.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace stillpoint::kube {

namespace json = boost::json;

namespace internal {

namespace {

std::string TextAt(const json::value& value, std::string_view pointer) {
  boost::system::error_code absent;
  const json::value* found = value.find_pointer(pointer, absent);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : "";
}

}  // namespace

api::Result<ListPage> ParseListPage(json::value list) {
  json::object* const fields = list.if_object();
  if (fields == nullptr || !fields->contains("metadata")) {
    return api::Error{api::Code::kUnknown, "the server's answer is not a list"};
  }
  std::string version = TextAt(list, "/metadata/resourceVersion");
  std::string token = TextAt(list, "/metadata/continue");
  // Absent or null: the list is empty.
  json::value* const items = fields->if_contains("items");
  json::array none;
  json::array& found = items != nullptr && items->is_array() ? items->get_array() : none;
  // Made of it and not assigned: an assignment would copy each item into another memory.
  return ListPage{.items = json::array(std::move(found)),
                  .resource_version = std::move(version),
                  .continue_token = std::move(token)};
}

}  // namespace internal

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
