// Client: the Kubernetes API as the house sees it. Objects travel as JSON; the typed helpers below
// decode them at this edge, so that nobody passes an Answer further.
//
// Contract: https://kubernetes.io/docs/reference/using-api/api-concepts/
#pragma once

#include "api/codec.h"
#include "api/error.h"
#include "api/meta.h"
#include "api/resource.h"

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace stillpoint::kube {

enum class Verb {
  kGet,
  kList,
  kCreate,
  kApply,       // server-side apply; `body` holds the fields we own
  kMergePatch,  // RFC 7386
  kJsonPatch,   // RFC 6902
  kDelete,
};

struct Request {
  Verb verb = Verb::kGet;
  api::Resource resource;
  std::string ns;           // empty: all namespaces (kList) or cluster-scoped
  std::string name;         // empty for kList and kCreate
  std::string subresource;  // "status", "scale"
  boost::json::value body;  // a metadata.resourceVersion in it makes the write conditional

  // kList.
  std::string label_selector;
  std::string field_selector;
  int limit = 0;  // 0: no paging
  std::string continue_token;
  std::string resource_version;  // not older than this, "0": however old; empty: the newest

  // Writes.
  bool force = false;  // kApply: take over fields of other managers
  bool dry_run = false;

  // kDelete preconditions and propagation; empty: none, the server's default.
  std::string precondition_uid;
  std::string precondition_resource_version;
  std::string propagation_policy;

  // For the whole call, retries after 429 and 503 included.
  std::chrono::milliseconds timeout{std::chrono::seconds(15)};
};

struct WatchRequest {
  api::Resource resource;
  std::string ns;
  std::string label_selector;
  std::string field_selector;
  std::string resource_version;  // where to go on from; empty: current state, then changes

  // A healthy stream is ended by the server after about this long; silence beyond it is an error.
  std::chrono::seconds lifetime{300};
};

// What the API server said. Shared with whoever holds the same one, so that nobody changes it;
// never null.
using Answer = std::shared_ptr<const boost::json::object>;

struct WatchEvent {
  enum class Type { kAdded, kModified, kDeleted, kBookmark };
  Type type = Type::kAdded;
  Answer object;
};

// An open watch. Destroying it closes the connection.
class WatchStream {
 public:
  virtual ~WatchStream() = default;

  // Suspends until the next event. Errors: kExpired (410: list again), kUnavailable (the stream
  // has ended, by plan or not: resume from the last resourceVersion), kTimeout (silent for too
  // long). After an error the stream is over.
  // Cancellation: throws operation_aborted; the stream is over.
  [[nodiscard]] virtual boost::asio::awaitable<api::Result<WatchEvent>> Next() = 0;
};

// Threads: call on the executor of the loop.
// Lifetime: must outlive every coroutine suspended in it and every WatchStream.
// Errors: the codes of api/error.h, from metav1.Status where the server sent one. A write that
// failed with kTimeout or kUnavailable may have taken effect.
// Cancellation: throws operation_aborted; a request already sent may still take effect.
class Client {
 public:
  virtual ~Client() = default;

  // The object, the list, or for kDelete whatever the server answered; without members when that
  // was nothing.
  [[nodiscard]] virtual boost::asio::awaitable<api::Result<Answer>> Do(Request request) = 0;

  [[nodiscard]] virtual boost::asio::awaitable<api::Result<std::unique_ptr<WatchStream>>> Watch(
      WatchRequest request) = 0;
};

// Do() for readers whom a lost answer would cost too much: waits so long for the first answers, and
// when none comes asks once more, with request.timeout.
[[nodiscard]] boost::asio::awaitable<api::Result<Answer>> AskAgain(
    Client& client, Request request, std::vector<std::chrono::milliseconds> first_timeouts);

// ---- typed helpers ----------------------------------------------------------------------------

template <api::Object T>
boost::asio::awaitable<api::Result<T>> DoAs(Client& client, Request request) {
  request.resource = T::kResource;
  auto answer = co_await client.Do(std::move(request));
  if (!answer) co_return answer.error();
  co_return api::Decode<T>(**answer);
}

template <api::Object T>
boost::asio::awaitable<api::Result<T>> Get(Client& client, api::NamespacedName key) {
  return DoAs<T>(client,
                 {.verb = Verb::kGet, .ns = std::move(key.ns), .name = std::move(key.name)});
}

template <api::Object T>
struct ListOf {
  std::vector<T> items;
  std::string resource_version;
};

struct ListOptions {
  std::string ns;
  std::string label_selector;
  std::string field_selector;
};

namespace internal {
// The `metadata` of a list and its items, taken apart.
struct ListPage {
  Answer list;  // keeps the items
  std::span<const boost::json::value> items;
  std::string resource_version;
  std::string continue_token;
};
[[nodiscard]] api::Result<ListPage> ParseListPage(Answer list);
}  // namespace internal

// Every object that matches, in pages of 500. Starts again once when a page has expired (410).
// An item that does not decode is an error: a view with a hole in it is worse than none.
template <api::Object T>
boost::asio::awaitable<api::Result<ListOf<T>>> List(Client& client, ListOptions options) {
  bool restarted = false;
  ListOf<T> list;
  std::string token;
  do {
    auto page = co_await client.Do({.verb = Verb::kList,
                                    .resource = T::kResource,
                                    .ns = options.ns,
                                    .label_selector = options.label_selector,
                                    .field_selector = options.field_selector,
                                    .limit = 500,
                                    .continue_token = token});
    if (!page && page.error().code == api::Code::kExpired && !token.empty() && !restarted) {
      restarted = true;
      token.clear();
      list.items.clear();
      continue;
    }
    if (!page) co_return page.error();
    auto parts = internal::ParseListPage(std::move(*page));
    if (!parts) co_return parts.error();
    for (const auto& item : parts->items) {
      auto object = api::Decode<T>(item);
      if (!object) co_return object.error();
      list.items.push_back(std::move(*object));
    }
    list.resource_version = std::move(parts->resource_version);
    token = std::move(parts->continue_token);
  } while (!token.empty());
  co_return list;
}

// Deletes that very object and no namesake; NotFound (already gone, or another UID) is success.
[[nodiscard]] boost::asio::awaitable<api::Result<void>> DeleteByUid(Client& client,
                                                                    api::Resource resource,
                                                                    api::NamespacedName key,
                                                                    std::string uid);

}  // namespace stillpoint::kube
